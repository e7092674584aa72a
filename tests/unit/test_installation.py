"""`trimtab doctor`: each thing that is looked at is ok, worth a look, or wrong, with what to do."""

import json
from collections.abc import Iterable
from email.utils import formatdate
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit import samples
from tests.unit.commands import Run
from tests.unit.stub import TOKEN, Answer, Stub, refused, said
from trimtab import installation
from trimtab.cli import inspecting
from trimtab.errors import Forbidden, ProtocolMismatch, Unauthorized, Unavailable
from trimtab.installation import CLOCK_SECONDS, Inspected, Standing
from trimtab.protocol import PROTOCOL, Health, Study, Used, Version, Worker
from trimtab.spec import StudySpec
from trimtab.states import StudyState

HERE = version("trimtab")
PROBLEM = {"Content-Type": "application/problem+json"}
SERVING = Version(service=HERE, schema_version="0005", optuna_schema="v3.2.0.a", postgresql="18.4", protocol=PROTOCOL)
TRAINS = samples.worker("gpu0@host").model_copy(update={"tasks": ["mlp", "cnn"]})


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspecting, "_PATIENCE_SECONDS", 60.0)


def service(**otherwise: Answer) -> Any:
    """Answer as a service with a study and a worker that can train it, but for what is otherwise, by path."""
    answers = {
        "/readyz": said(Health(status="ok")),
        "/v1/version": said(SERVING),
        "/v1/workers": said(samples.page(TRAINS)),
        "/v1/studies": said(samples.page(samples.study())),
    } | {f"/{path.replace('_', '/')}": answer for path, answer in otherwise.items()}
    return lambda asked: answers[asked.path]


def standings(found: Iterable[Inspected]) -> list[Standing]:
    return [inspected.standing for inspected in found]


def test_an_installation_that_is_well_says_so_line_by_line(stub: Stub, run: Run) -> None:
    stub.answering = service()

    ran = run("doctor")

    assert ran.code == 0
    assert [" ".join(line.split()) for line in ran.output.splitlines()] == [
        f"ok service {stub.url} is up",
        "ok clock as the service's",
        "ok token of kind admin, from TRIMTAB_TOKEN",
        f"ok versions service {HERE}, protocol {PROTOCOL}, client {HERE}",
        "ok database PostgreSQL 18.4, schema 0005, Optuna's v3.2.0.a",
        "ok worker gpu0@host on cuda:0; tasks: mlp, cnn",
    ]
    assert TOKEN not in ran.output


def test_a_study_that_waits_for_a_task_makes_it_wrong_and_names_the_command(stub: Stub, run: Run) -> None:
    stub.answering = service(v1_workers=said(samples.page()))

    ran = run("doctor", "--json")

    *_, database, study = json.loads(ran.output)
    assert (ran.code, database["what"]) == (1, "database")
    assert (study["standing"], study["remedy"]) == ("wrong", "python -m workers")
    assert study["text"] == "digits waits: no worker that is alive has the task mlp"


def test_that_nobody_trains_is_worth_a_look_where_nothing_waits(stub: Stub, run: Run) -> None:
    stub.answering = service(v1_workers=said(samples.page()), v1_studies=said(samples.page()))

    ran = run("doctor", "--json")

    workers = json.loads(ran.output)[-1]
    assert (ran.code, workers["standing"]) == (0, "look")
    assert workers["remedy"] == "nothing is trained before one is: python -m workers"


def test_studies_that_wait_for_the_same_are_one_line() -> None:
    waiting = [samples.study(name) for name in ("first", "second", "third", "fourth", "fifth")]

    (found,) = installation.of_studies(waiting, [])

    assert found.text == "first, second, third and 2 more wait: no worker that is alive has the task mlp"


@pytest.mark.parametrize(
    ("server", "remedy"),
    [
        ("127.0.0.1:8000", "set TRIMTAB_SERVER, as to http://127.0.0.1:8000"),
        ("tune.example", "set TRIMTAB_SERVER, as to http://tune.example"),
        ("http://two words", "set TRIMTAB_SERVER, as to http://127.0.0.1:8000"),
        ("ftp://tune.example", "set TRIMTAB_SERVER, as to http://127.0.0.1:8000"),
        ("http://me:hidden@tune.example", "set TRIMTAB_TOKEN instead"),
    ],
)
def test_an_address_that_is_none_is_told_how_one_looks(
    run: Run, monkeypatch: pytest.MonkeyPatch, server: str, remedy: str
) -> None:
    monkeypatch.setenv("TRIMTAB_SERVER", server)

    ran = run("doctor", "--json")

    (found,) = json.loads(ran.output)
    assert (found["what"], found["standing"], found["remedy"]) == ("service", "wrong", remedy)


def test_a_service_that_is_not_there_is_the_end_of_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_SERVER", "http://127.0.0.1:1")

    ran = run("doctor")

    assert ran.code == 1
    assert ran.output.startswith("wrong service   nothing answers at http://127.0.0.1:1: ")
    assert ran.output.splitlines()[1].strip().startswith("start one: python -m service")
    assert len(ran.output.splitlines()) == 2


@pytest.mark.parametrize(
    ("path", "answer", "what", "text"),
    [
        ("readyz", refused(Unavailable("the database is away")), "service", "cannot serve: the database is away"),
        ("readyz", Answer(200, "<html>"), "service", "is no Trimtab service"),
        ("readyz", Answer(502, "", PROBLEM), "service", "is no Trimtab service"),
        ("readyz", Answer(502, "[]", PROBLEM), "service", "is no Trimtab service"),
        ("v1_version", refused(ProtocolMismatch("the service speaks protocol 2")), "versions", "speaks protocol 2"),
        ("v1_version", refused(Unauthorized("the token is not valid")), "token", "does not take the one from TRIMTAB"),
        ("v1_version", Answer(404, "<html>"), "service", "is no Trimtab service that this client understands"),
    ],
)
def test_what_keeps_it_from_going_on_is_the_last_line(
    stub: Stub, run: Run, path: str, answer: Answer, what: str, text: str
) -> None:
    stub.answering = service(**{path: answer})

    ran = run("doctor", "--json")

    last = json.loads(ran.output)[-1]
    assert (ran.code, last["what"], last["standing"]) == (1, what, "wrong")
    assert text in last["text"]
    assert last["remedy"]


def test_no_token_is_wrong(stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRIMTAB_TOKEN")
    stub.answering = service()

    ran = run("doctor", "--json")

    assert json.loads(ran.output)[-1]["text"].startswith("no token: ")


def test_a_token_that_may_not_look_is_told_which_may(stub: Stub, run: Run) -> None:
    stub.answering = service(v1_workers=refused(Forbidden("a token of kind worker has no right to this")))

    ran = run("doctor", "--json")

    last = json.loads(ran.output)[-1]
    assert (ran.code, last["what"], last["standing"]) == (0, "workers", "look")
    assert "reader, user or admin" in last["remedy"]


@pytest.mark.parametrize(
    ("token", "kind"),
    [("ttk_worker_abc", "worker"), ("ttk_reader_abc", "reader"), ("my own", "admin"), ("ttk_", "admin")],
)
def test_a_token_says_its_kind_and_any_other_is_the_operators(token: str, kind: str) -> None:
    assert installation.of_token(token, "TRIMTAB_TOKEN").text == f"of kind {kind}, from TRIMTAB_TOKEN"


@pytest.mark.parametrize(
    ("ahead", "standing"),
    [(0.0, Standing.OK), (-CLOCK_SECONDS, Standing.OK), (CLOCK_SECONDS + 1, Standing.LOOK), (-600.0, Standing.LOOK)],
)
def test_a_clock_may_be_off_by_no_more_than_is_measured(ahead: float, standing: Standing) -> None:
    assert installation.of_clock(ahead).standing is standing


@pytest.mark.parametrize(
    ("sent_at", "standing"),
    [(1000, "ok"), (1030, "ok"), (1060, "ok"), (1000 - CLOCK_SECONDS - 1, "look"), (1060 + CLOCK_SECONDS + 1, "look")],
)
def test_an_answer_that_takes_long_says_nothing_of_the_clock(
    stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch, sent_at: float, standing: str
) -> None:
    monkeypatch.setattr(inspecting, "time", SimpleNamespace(time=iter([1000.0, 1060.0]).__next__))
    stub.answering = service(readyz=said(Health(status="ok"), Date=formatdate(sent_at, usegmt=True)))

    ran = run("doctor", "--json")

    found = {each["what"]: each["standing"] for each in json.loads(ran.output)}
    assert found["clock"] == standing


def test_another_release_is_looked_at() -> None:
    release = SERVING.model_copy(update={"service": "9.9.9"})

    assert standings(installation.of_versions(HERE, release)) == [Standing.LOOK, Standing.OK]


@pytest.mark.parametrize("server", ["http://me:hidden@127.0.0.1:1", "http://me:hid/hidden@host", "me:hidden@host"])
def test_a_password_in_the_servers_url_is_wrong_and_not_shown(
    run: Run, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    monkeypatch.setenv("TRIMTAB_SERVER", server)

    ran = run("doctor")

    assert ran.code == 1
    assert ran.output.startswith("wrong service   the server's URL holds a password, which would be shown")
    assert "hid" not in ran.output


@pytest.mark.parametrize("state", [StudyState.PAUSED, StudyState.COMPLETE, StudyState.STOPPED])
def test_a_study_that_does_not_run_waits_for_nobody(state: StudyState) -> None:
    assert list(installation.of_studies([samples.study(state=state)], [])) == []


@pytest.mark.parametrize(
    ("running", "workers", "found"),
    [
        (0, [], [Standing.LOOK]),
        (0, [TRAINS], [Standing.LOOK]),
        (0, [samples.worker("script", is_alive=False)], [Standing.LOOK]),
        (0, [samples.worker("script")], []),
        (1, [], []),
    ],
)
def test_a_study_without_a_task_waits_for_whoever_asks_for_its_trials(
    running: int, workers: list[Worker], found: list[Standing]
) -> None:
    spec = StudySpec(name="ours", task=None)
    study = Study(**dict(samples.study(running=running)) | {"spec": spec, "used": Used(trials=1, seconds=12.5)})

    inspected = list(installation.of_studies([study], workers))

    assert standings(inspected) == found
    assert {(each.text, each.remedy) for each in inspected} <= {
        ("digits waits: nobody asks for its trials", "start the script again")
    }


def test_a_study_without_a_task_that_nobody_ever_asked_for_is_not_told_of_a_script_that_there_never_was() -> None:
    spec = StudySpec(name="ours", task=None)
    asked, new, newer = (
        Study(**dict(samples.study(name)) | {"spec": spec, "used": Used(trials=0, seconds=seconds)})
        for name, seconds in (("asked", 12.5), ("new", None), ("newer", None))
    )

    inspected = list(installation.of_studies([asked, new, newer], []))

    assert [(each.text, each.remedy) for each in inspected] == [
        (
            "new, newer wait: no task, and no code of yours has asked for its trials yet",
            "start that code: docs/how-to/own-code.md",
        ),
        ("asked waits: nobody asks for its trials", "start the script again"),
    ]


def test_a_worker_that_is_gone_has_no_task() -> None:
    gone = Worker(**dict(TRAINS) | {"is_alive": False})

    assert standings(installation.of_studies([samples.study()], [gone])) == [Standing.WRONG]
    assert standings(installation.of_training([], [gone])) == [Standing.LOOK]


def test_a_task_of_ones_own_has_to_be_allowed() -> None:
    assert installation.command_for("ours.models:build") == "python -m workers --allow ours.models:build"
