"""A study as a file: every column, every row, or an error that nobody can miss."""

import csv
import io
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from service import exports
from service.exports import pages
from service.replica import Replica
from service.storage import exports as stored
from tests.service.runs import complete, lease_of
from tests.service.served import TOKEN, Connect
from tests.service.specs import METRIC, body, spec
from trimtab.client import Client
from trimtab.errors import Invalid, Misconfigured, StudyNotFound, Unreachable
from trimtab.exports import ExportFormat, ExportTable
from trimtab.space import Int

SPACE = {
    "x": {"type": "float", "low": 0.0, "high": 1.0},
    "layers": {"type": "int", "low": 2, "high": 2},
    "units": {"type": "int", "low": 16, "high": 64, "per": "layers"},
    "rule": {"type": "categorical", "choices": ["=1+1", 'a "b", c']},
    "mixed": {"type": "categorical", "choices": ["auto", 1, 0.5]},
    "beta": {"type": "float", "low": 0.0, "high": 1.0, "when": {"rule": ["=1+1"]}},
}


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def exported(client: Client, form: str, table: str = "trials") -> bytes:
    return b"".join(client.exported("study", form, table=table))


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "TRIALS", 2)
    monkeypatch.setattr(pages, "REPORTS", 2)


@pytest.fixture
def study(client: Client, small_pages: None) -> Client:
    """A study with a trial of each end: complete, not finite, failed, given, running and waiting."""
    client.create_study(spec(space=SPACE))
    complete(client, [0.5, 0.25])
    client.tell(lease_of(client), "complete", metrics={METRIC: 0.5, "loss": float("nan")})
    client.tell(lease_of(client), "error", message='line 1\nline 2, "quoted"; =2+2')
    given = {"x": 0.5, "layers": 2, "units": [16, 32], "rule": "=1+1", "mixed": 1, "beta": 0.5}
    client.add_trial("study", given, metrics={METRIC: 0.75}, curve={1: {METRIC: 1.0}, 3: {METRIC: 0.75}})
    client.report(lease_of(client), step=1, metrics={METRIC: 0.125})
    client.enqueue("study", {"x": 0.25})
    return client


def test_csv_has_a_row_for_each_trial_and_what_the_api_says_of_it(study: Client) -> None:
    found = rows(exported(study, "csv"))

    trials = list(study.trials("study"))
    assert [row["number"] for row in found] == [str(trial.number) for trial in trials]
    assert [row["state"] for row in found] == ["complete", "complete", "fail", "complete", "running", "waiting"]
    assert [row["params.x"] for row in found] == [str(trial.params["x"]) for trial in trials]
    assert [row["params.units"] for row in found] == [json.dumps(trial.params["units"]) for trial in trials]
    assert [row["params.beta"] for row in found] == [str(trial.params.get("beta", "")) for trial in trials]
    assert (found[3]["params.rule"], found[3]["params.mixed"]) == ("=1+1", "1")
    assert [row[f"values.{METRIC}"] for row in found[:4]] == ["0.25", "0.5", "", "0.75"]
    assert [row["metrics.loss"] for row in found[:3]] == ["", "NaN", ""]
    assert found[2]["reason"] == 'line 1\nline 2, "quoted"; =2+2'
    assert [row["origin"] for row in found[2:]] == ["sampled", "added", "sampled", "enqueued"]
    assert found[0]["started_at"] == str(trials[0].started_at).replace(" ", "T")


def test_json_is_an_array_of_what_the_list_of_trials_holds(study: Client) -> None:
    assert json.loads(exported(study, "json")) == [trial.model_dump(mode="json") for trial in study.trials("study")]


def test_parquet_has_the_same_columns_with_types(study: Client) -> None:
    table = pq.read_table(io.BytesIO(exported(study, "parquet")))

    trials = list(study.trials("study"))
    assert table.column_names == list(rows(exported(study, "csv"))[0])
    types = {field.name: str(field.type) for field in table.schema}
    assert types["params.x"] == "double"
    assert types["params.units"].startswith("list<")
    assert types["params.mixed"] == types["reason"] == "string"
    assert types["started_at"] == "timestamp[us, tz=UTC]"
    found = table.to_pylist()
    assert [row["params.units"] for row in found] == [list(as_tuple(trial.params["units"])) for trial in trials]
    assert [row["started_at"] for row in found] == [trial.started_at for trial in trials]
    assert [row["params.mixed"] for row in found] == [json.dumps(trial.params["mixed"]) for trial in trials]
    assert str(found[1]["metrics.loss"]) == "nan"
    assert found[0]["metrics.loss"] is None


def as_tuple(value: object) -> tuple[object, ...]:
    assert isinstance(value, tuple)
    return value


def listed(content: bytes, form: str) -> list[dict[str, Any]]:
    if form == "json":
        return [item | {f"metrics.{METRIC}": item["metrics"][METRIC]} for item in json.loads(content)]
    return pq.read_table(io.BytesIO(content)).to_pylist() if form == "parquet" else rows(content)


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_reports_are_those_of_every_attempt_in_order(study: Client, form: str) -> None:
    found = listed(exported(study, form, "reports"), form)

    expected = [(0, 1, 1), (0, 1, 2), (3, 0, 1), (3, 0, 3), (4, 1, 1)]
    assert [(int(row["number"]), int(row["attempt"]), int(row["step"])) for row in found] == expected
    assert [float(row[f"metrics.{METRIC}"]) for row in found] == [0.5, 0.25, 1.0, 0.75, 0.125]


def test_a_metric_that_was_never_the_last_is_in_a_column_with_others_of_its_kind(client: Client) -> None:
    client.create_study(spec())
    lease = lease_of(client)
    client.report(lease, step=1, metrics={METRIC: 0.5, "warmup": 1.0})
    client.report(lease, step=2, metrics={METRIC: 0.5})

    found = rows(exported(client, "csv", "reports"))

    assert [row["other_metrics"] for row in found] == ['{"warmup": 1.0}', ""]


def test_reports_of_a_long_trial_and_of_its_next_attempt_come_once_each(client: Client, small_pages: None) -> None:
    client.create_study(spec())
    for _ in range(2):
        lease = lease_of(client)
        for step in range(1, 6):
            client.report(lease, step=step, metrics={METRIC: 0.5})
        client.tell(lease, "released")

    found = rows(exported(client, "csv", "reports"))

    assert [(row["number"], row["step"]) for row in found] == [("0", str(step)) for step in (1, 2, 3, 4, 5)] * 2


def test_a_study_that_is_defined_by_its_runs_has_what_they_asked_for(client: Client) -> None:
    client.create_study(spec(space=None))
    client.enqueue("study", {"depth": "deep", "later": 10**30})
    first, second = lease_of(client), lease_of(client)
    depth = client.suggest(second, "depth", Int(low=1, high=3))
    client.set_attribute(first, "note", {"a": [1, None]})

    found = rows(exported(client, "csv"))
    table = pq.read_table(io.BytesIO(exported(client, "parquet"))).to_pylist()

    assert [row["params.depth"] for row in found] == ["", str(depth)]
    assert json.loads(found[0]["other_params"]) == {"depth": "deep", "later": 10**30}
    assert json.loads(found[0]["user_attributes"]) == {"note": {"a": [1, None]}}
    assert [row["params.depth"] for row in table] == [None, depth]


@pytest.mark.parametrize("table", ["trials", "reports"])
def test_a_study_without_a_trial_is_an_empty_table(client: Client, table: str) -> None:
    client.create_study(spec())

    assert rows(exported(client, "csv", table)) == []
    assert json.loads(exported(client, "json", table)) == []
    assert pq.read_table(io.BytesIO(exported(client, "parquet", table))).num_rows == 0


def test_the_answer_says_what_to_call_the_file(http: httpx2.Client) -> None:
    http.post("/v1/studies", json=body("a.b_c-1"))

    answers = [http.get("/v1/studies/a.b_c-1/export", params=query) for query in ({}, {"table": "reports"})]

    names = [answer.headers["Content-Disposition"] for answer in answers]
    assert names == ['attachment; filename="a.b_c-1.csv"', 'attachment; filename="a.b_c-1-reports.csv"']
    assert answers[0].headers["Content-Type"] == "text/csv; charset=utf-8; header=present"


def test_what_is_not_there_or_not_known_is_refused(client: Client, http: httpx2.Client) -> None:
    with pytest.raises(StudyNotFound):
        client.exported("none", "csv")
    with pytest.raises(Invalid, match="format"):
        client.exported("none", "xlsx")
    assert http.get("/v1/studies/none/export", params={"format": "xlsx"}).status_code == 422


@pytest.mark.usefixtures("nothing_ahead")
def test_between_pages_no_connection_is_held(study: Client, replica: Replica) -> None:
    pool = replica.engine.pool
    assert isinstance(pool, QueuePool)
    export = exports.begin(replica, "study", table=ExportTable.TRIALS, form=ExportFormat.CSV)

    held = [pool.checkedout() for _ in export.content]

    assert held == [0, 0, 0, 0]


@pytest.fixture
def remote(study: Client, connect: Connect) -> Iterator[Client]:
    """A client that comes over a socket, as cutting one off is to be seen."""
    _, port = connect().getpeername()
    with Client(f"http://127.0.0.1:{port}", TOKEN, sleep=lambda _: None) as client:
        yield client


@pytest.fixture
def deleted_meanwhile(study: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The study is deleted after the first page of it was read."""
    is_there = stored.is_there
    calls = count()

    def deleting(connection: sa.Connection, study_id: int) -> bool:
        if next(calls) == 1:
            study.delete_study("study")
        return is_there(connection, study_id)

    monkeypatch.setattr(stored, "is_there", deleting)


@pytest.mark.usefixtures("deleted_meanwhile")
@pytest.mark.parametrize("table", ["trials", "reports"])
def test_a_file_of_a_study_that_is_deleted_meanwhile_is_cut_off(remote: Client, table: str) -> None:
    parts = remote.exported("study", "csv", table=table)

    with pytest.raises(Unreachable, match="peer closed connection"):
        list(parts)


@pytest.mark.usefixtures("deleted_meanwhile")
def test_a_file_that_is_cut_off_is_not_there(remote: Client, tmp_path: Path) -> None:
    path = tmp_path / "study.csv"
    path.write_text("of yesterday")

    with pytest.raises(StudyNotFound):
        remote.export("study", path)

    assert [(file.name, file.read_text()) for file in tmp_path.glob("*.csv*")] == [("study.csv", "of yesterday")]


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_a_file_is_written_as_its_name_says(remote: Client, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"study.{suffix}"

    remote.export("study", path)

    assert path.read_bytes() == exported(remote, suffix)
    assert [file.name for file in tmp_path.glob("study*")] == [path.name]


def test_a_file_whose_name_says_nothing_needs_a_format(study: Client, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"name a file \.csv, \.json, \.parquet, or say the format"):
        study.export("study", tmp_path / "study")

    study.export("study", tmp_path / "study", "json")

    assert len(json.loads((tmp_path / "study").read_text())) == 6
