"""Data sets that are put: taken whole, once, and refused before anything of them is kept."""

import json
from pathlib import Path

import httpx2
import numpy as np
import pytest
import sqlalchemy as sa

from service.datasets import canonical, reader
from service.datasets.orders import Finding, Order
from service.datasets.reading import content_of
from service.replica import Replica
from tests.service import record
from tests.service.served import Serve
from trimtab.client import Client
from trimtab.errors import BodyTooLarge, DatasetBuiltIn, DatasetNotFound, Invalid, Misconfigured
from trimtab.spec import StudySpec

CSV = {"Content-Type": "text/csv"}


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read data sets in this process, where it is another's test that one of its own reads them."""

    def finding(order: Order) -> Finding:
        content = content_of(order)
        canonical.write(content, Path(order.output))
        return Finding(description=content.description)

    monkeypatch.setattr(reader, "_finding", finding)


def written(folder: Path, *rows: str, name: str = "houses.csv") -> Path:
    """Write a CSV."""
    path = folder / name
    path.write_text("size,place,price\n" + "".join(f"{row}\n" for row in rows))
    return path


HOUSES = ("90,town,1.5", ",country,0.5", "70,,1.25", "120,town,2.0")


def files(store: Path) -> list[Path]:
    return [path for path in store.rglob("*") if path.is_file()]


def test_a_file_becomes_a_data_set_that_workers_can_fetch(client: Client, tmp_path: Path) -> None:
    put = client.put_dataset("houses", written(tmp_path, *HOUSES), target="price")

    assert put.sha256
    client.fetch_dataset("houses", put.sha256, tmp_path / "got")
    with np.load(tmp_path / "got", allow_pickle=False) as kept:
        meta = json.loads(bytes(kept["meta"]))
        assert kept["numbers_ND"].tolist()[2:] == [[70.0], [120.0]]
        assert np.isnan(kept["numbers_ND"][1, 0])
        assert kept["codes_NK"].tolist() == [[1], [0], [-1], [1]]
        assert kept["y_N"].tolist() == [1.5, 0.5, 1.25, 2.0]
    assert meta["columns"] == [
        {"kind": "number", "name": "size"},
        {"categories": ["country", "town"], "kind": "category", "name": "place"},
    ]
    assert (put.version, put.problem, put.examples, put.target) == (1, "regression", 4, "price")
    missing = [(column.name, column.missing, column.first_missing) for column in put.columns]
    assert missing == [("size", 1, 2), ("place", 1, 3)]
    assert client.dataset("houses") == put


@pytest.mark.usefixtures("in_process")
def test_a_study_is_refused_that_orders_examples_by_a_time_which_some_lack(client: Client, tmp_path: Path) -> None:
    client.put_dataset("houses", written(tmp_path, *HOUSES), target="price")
    task = {"name": "mlp", "data": {"dataset": "houses", "split": {"time": "size"}}}

    with pytest.raises(Invalid) as refused:
        client.create_study(StudySpec.model_validate({"name": "study", "task": task}))

    (problem,) = refused.value.errors
    assert problem.field == "task.data.split.time"
    assert "is missing in one example of 'houses', first in row 2: give each its time" in problem.message


@pytest.mark.usefixtures("in_process")
def test_the_same_content_is_the_same_version_and_other_content_a_new_one(
    http: httpx2.Client, client: Client, store: Path
) -> None:
    address = "/v1/datasets/ours?target=b"

    answers = [http.put(address, content=text, headers=CSV) for text in ("a,b\n1,x\n2,y\n", "a,b\n1,x\n2,z\n")]
    again = http.put(address, content="a,b\n1.0,x\n2.0,z\n", headers=CSV)

    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.json()["version"] for answer in answers] == [1, 2]
    assert (again.status_code, again.json()) == (200, answers[1].json())
    assert client.dataset("ours").version == 2
    assert len(files(store)) == 2


@pytest.mark.usefixtures("in_process")
def test_content_of_an_older_version_is_the_newest_again(http: httpx2.Client, client: Client, store: Path) -> None:
    contents = ["a,b\n1,x\n2,y\n", "a,b\n1,x\n2,z\n", "a,b\n1,x\n2,y\n"]

    found = [http.put("/v1/datasets/ours?target=b", content=text, headers=CSV).json() for text in contents]

    assert found[2]["sha256"] == found[0]["sha256"]
    assert client.dataset("ours").sha256 == found[0]["sha256"]
    assert client.dataset("ours").version == 3
    assert len(files(store)) == 2


@pytest.mark.usefixtures("in_process")
def test_the_same_put_with_a_key_has_one_effect_and_one_answer(http: httpx2.Client, engine: sa.Engine) -> None:
    address, headers = "/v1/datasets/ours?target=b", {**CSV, "Idempotency-Key": "k"}

    first, again = (http.put(address, content="a,b\n1,x\n2,y\n", headers=headers) for _ in range(2))
    other = http.put(address, content="a,b\n1,x\n2,z\n", headers=headers)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert record.value(engine, "SELECT count(*) FROM trimtab_datasets") == 1


@pytest.mark.parametrize(
    ("content", "query", "problem"),
    [
        ("a,b\n1,x\n2,y\n", "?target=c", ("target", "is no column: 'c'; there are a, b")),
        ("a,b\n1,\n2,x\n", "?target=b", ("row 1, column b", "is missing")),
    ],
)
def test_what_cannot_be_trained_on_is_refused_and_nothing_of_it_is_kept(
    http: httpx2.Client, engine: sa.Engine, store: Path, content: str, query: str, problem: tuple[str, str]
) -> None:
    answer = http.put(f"/v1/datasets/ours{query}", content=content, headers=CSV)

    found = answer.json()["errors"][0]
    assert (answer.status_code, found["field"]) == (422, problem[0])
    assert problem[1] in found["message"]
    assert record.value(engine, "SELECT count(*) FROM trimtab_datasets") == 0
    assert files(store) == []


@pytest.mark.parametrize("content_type", ["application/octet-stream", "application/json", ""])
def test_a_body_that_is_not_said_to_be_a_data_set_is_refused(http: httpx2.Client, content_type: str) -> None:
    answer = http.put("/v1/datasets/ours", content="a,b\n1,x\n", headers={"Content-Type": content_type})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Content-Type")
    assert "text/csv, application/vnd.apache.parquet" in answer.json()["errors"][0]["message"]


def test_a_file_over_the_limit_is_refused_whether_it_says_its_length_or_not(
    start_replica: Serve, store: Path, tmp_path: Path
) -> None:
    served = start_replica(max_dataset_bytes=20)

    with pytest.raises(BodyTooLarge, match="TRIMTAB_MAX_DATASET_BYTES"):
        served.client.put_dataset("houses", written(tmp_path, *HOUSES), target="price")
    unsaid = served.http.put("/v1/datasets/ours", content=iter([b"x" * 15] * 2), headers=CSV)

    assert (unsaid.status_code, unsaid.json()["code"]) == (413, "body_too_large")
    assert files(store) == []


def test_a_data_set_that_is_built_in_is_neither_put_nor_deleted(client: Client, tmp_path: Path) -> None:
    with pytest.raises(DatasetBuiltIn):
        client.put_dataset("digits", written(tmp_path, *HOUSES), target="price")
    with pytest.raises(DatasetBuiltIn):
        client.delete_dataset("digits")

    assert client.dataset("digits").version == 0


@pytest.mark.usefixtures("in_process")
def test_data_sets_are_listed_by_name_the_built_in_ones_among_them(client: Client, http: httpx2.Client) -> None:
    http.put("/v1/datasets/houses?target=b", content="a,b\n1,x\n2,y\n", headers=CSV)

    found = [(listed.name, listed.version) for listed in client.datasets()]
    pages = http.get("/v1/datasets?limit=4&cursor=breast_cancer").json()

    names = ["breast_cancer", "diabetes", "digits", "houses", "iris", "moons", "spirals", "wine"]
    assert found == [(name, int(name == "houses")) for name in names]
    assert [item["name"] for item in pages["items"]] == names[1:5]
    assert pages["next"] == "iris"


@pytest.mark.usefixtures("in_process")
def test_a_deleted_data_set_is_gone_with_its_files(client: Client, http: httpx2.Client, store: Path) -> None:
    http.put("/v1/datasets/ours?target=b", content="a,b\n1,x\n2,y\n", headers=CSV)

    client.delete_dataset("ours")

    with pytest.raises(DatasetNotFound):
        client.dataset("ours")
    with pytest.raises(DatasetNotFound):
        client.delete_dataset("ours")
    assert files(store) == []


@pytest.mark.usefixtures("in_process")
def test_a_file_that_was_lost_is_there_again_when_it_is_put_again(client: Client, store: Path, tmp_path: Path) -> None:
    put = client.put_dataset("houses", written(tmp_path, *HOUSES), target="price")
    for path in files(store):
        path.unlink()

    again = client.put_dataset("houses", tmp_path / "houses.csv", target="price")

    assert again == put
    client.fetch_dataset("houses", str(put.sha256), tmp_path / "got")


def test_two_files_are_read_at_once_and_no_more(
    http: httpx2.Client, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.datasets.intake.WAIT_SECONDS", 0.01)
    with replica.readers, replica.readers:
        refused = http.put("/v1/datasets/ours?target=b", content="a,b\n1,x\n2,y\n", headers=CSV)

    taken = http.put("/v1/datasets/ours?target=b", content="a,b\n1,x\n2,y\n", headers=CSV)

    assert (refused.status_code, refused.json()["detail"]) == (503, "other data sets are being read")
    assert taken.status_code == 201


def test_a_file_of_another_kind_is_not_sent(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "houses.xlsx"
    path.touch()

    with pytest.raises(Misconfigured, match=r"\.csv, \.parquet, \.npz, \.tar"):
        client.put_dataset("houses", path)
