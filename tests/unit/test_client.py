"""What the client sends, and what it makes of the answers."""

import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from tests.unit import samples
from tests.unit.stub import TOKEN, Answer, Stub, refused, said
from trimtab import errors
from trimtab.client import Client
from trimtab.errors import Invalid, LeaseLost, Misconfigured, NoCompleteTrial, StudyNotFound, Unavailable, Unreachable
from trimtab.protocol import FieldProblem, LeaseReport, Leases, Verdicts
from trimtab.requests import finite
from trimtab.spec import StudySpec
from trimtab.states import NoLease, Outcome, TrialState

NO_STUDY = StudyNotFound("there is no study 'digits'")


def test_every_request_carries_the_token(stub: Stub, client: Client) -> None:
    stub.answers(said(samples.study()))

    client.study("digits")

    (asked,) = stub.asked
    assert (asked.method, asked.path) == ("GET", "/v1/studies/digits")
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_study_is_created_from_its_spec(stub: Stub, client: Client) -> None:
    stub.answers(said(samples.study(), status=201))

    created = client.create_study(samples.SPEC)

    (asked,) = stub.asked
    assert (asked.method, asked.path) == ("POST", "/v1/studies")
    assert asked.headers["Content-Type"] == "application/json"
    assert StudySpec.model_validate_json(json.dumps(asked.body)) == samples.SPEC
    assert created == samples.study()


def test_a_list_is_followed_to_its_end(stub: Stub, client: Client) -> None:
    stub.answers(
        said(samples.page(samples.study("c"), samples.study("b"), next_="after-b")),
        said(samples.page(samples.study("a"))),
    )

    names = [study.name for study in client.studies()]

    assert names == ["c", "b", "a"]
    assert [asked.query.get("cursor") for asked in stub.asked] == [None, "after-b"]


def test_no_more_is_read_than_asked_for(stub: Stub, client: Client) -> None:
    stub.answers(said(samples.page(samples.study("c"), samples.study("b"), next_="after-b")))

    names = [study.name for study in client.studies(limit=2)]

    assert names == ["c", "b"]
    assert stub.asked[0].query["limit"] == "2"


def test_a_list_is_refused_when_it_is_asked_for(stub: Stub, client: Client) -> None:
    stub.answers(refused(NO_STUDY))

    with pytest.raises(StudyNotFound):
        client.trials("digits")


def test_trials_are_read_by_state(stub: Stub, client: Client) -> None:
    stub.answers(
        said(samples.page(samples.trial(0), next_="0")),
        said(samples.page(samples.trial(4))),
    )

    numbers = [trial.number for trial in client.trials("digits", TrialState.RUNNING)]

    assert numbers == [0, 4]
    assert [asked.query["state"] for asked in stub.asked] == ["running", "running"]


def test_a_trial_is_read_with_its_history(stub: Stub, client: Client) -> None:
    stub.answers(said(samples.history(7)))

    found = client.trial("digits", 7)

    assert stub.asked[0].path == "/v1/studies/digits/trials/7"
    assert found == samples.history(7)


def test_workers_are_listed(stub: Stub, client: Client) -> None:
    stub.answers(said(samples.page(samples.worker("gpu0@host"))))

    assert [worker.name for worker in client.workers()] == ["gpu0@host"]


def test_an_ask_says_who_asks_for_what(stub: Stub, client: Client) -> None:
    stub.answers(said(Leases(leases=[samples.LEASE])))

    found = client.ask("gpu0@host", tasks=["mlp"], count=2, wait=1)

    assert found.leases == [samples.LEASE]
    assert (stub.asked[0].method, stub.asked[0].path) == ("POST", "/v1/leases")
    assert stub.asked[0].body == {
        "worker": "gpu0@host",
        "tasks": ["mlp"],
        "study": None,
        "count": 2,
        "wait": 1.0,
        "host": None,
        "device": None,
        "device_memory": None,
        "purposes": ["search", "prescription", "confirmation"],
    }


def test_an_empty_ask_says_why(stub: Stub, client: Client) -> None:
    stub.answers(said(Leases(leases=[], reason=NoLease.PAUSED)))

    assert client.ask("gpu0").reason is NoLease.PAUSED


def test_every_call_on_a_lease_carries_its_fence(stub: Stub, client: Client) -> None:
    stub.answers(said(samples.GO_ON), said(samples.GO_ON), said(samples.TOLD))

    client.report(samples.LEASE, step=4, metrics={"validation_error": 0.25})
    client.heartbeat(samples.LEASE)
    client.tell(samples.LEASE, Outcome.COMPLETE, metrics={"validation_error": 0.25}, step=4)

    assert [(asked.method, asked.path) for asked in stub.asked] == [
        ("POST", "/v1/leases/lease-7/reports"),
        ("POST", "/v1/leases/lease-7/heartbeat"),
        ("PUT", "/v1/leases/lease-7/result"),
    ]
    assert [asked.headers["Trimtab-Fence"] for asked in stub.asked] == ["3", "3", "3"]


def test_a_tell_says_all_that_it_was_told(stub: Stub, client: Client) -> None:
    stub.answers(said(samples.TOLD))

    client.tell(samples.LEASE, "error", message="no data", split=64 * "0")

    assert stub.asked[0].body == {
        "outcome": "error",
        "metrics": {},
        "step": None,
        "message": "no data",
        "split": 64 * "0",
    }


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf, Decimal("NaN"), None])
def test_what_is_not_finite_goes_out_as_null(stub: Stub, client: Client, figure: Any) -> None:
    stub.answers(said(samples.GO_ON), said(samples.TOLD))

    client.report(samples.LEASE, step=1, metrics={"loss": figure})
    client.tell(samples.LEASE, "diverged", metrics={"loss": figure})

    assert [asked.body["metrics"] for asked in stub.asked] == [{"loss": None}, {"loss": None}]


@pytest.mark.parametrize("figure", [Decimal("0.5"), 0.5])
def test_anything_that_makes_a_number_can_be_reported(stub: Stub, client: Client, figure: Any) -> None:
    stub.answers(said(samples.GO_ON))

    client.report(samples.LEASE, step=1, metrics={"loss": figure})

    assert stub.asked[0].body == {"step": 1, "metrics": {"loss": 0.5}}


def test_many_reports_are_answered_one_by_one(stub: Stub, client: Client) -> None:
    stub.answers(said(Verdicts(results=[samples.GO_ON, LeaseLost("too late").to_problem()])))
    reports = [
        LeaseReport(lease="a", fence=1, step=3, metrics=finite({"loss": 0.5})),
        LeaseReport(lease="b", fence=2, step=4, metrics=finite({"loss": math.nan})),
    ]

    found = client.report_many(reports)

    assert found[0] == samples.GO_ON
    assert isinstance(found[1], LeaseLost)
    assert stub.asked[0].body == {
        "reports": [
            {"step": 3, "metrics": {"loss": 0.5}, "lease": "a", "fence": 1},
            {"step": 4, "metrics": {"loss": None}, "lease": "b", "fence": 2},
        ]
    }


def test_a_better_trial_is_followed_by_its_etag(stub: Stub, client: Client) -> None:
    stub.answers(
        said(samples.best(3, 0.05), ETag='W/"3-0"'),
        Answer(304, headers={"ETag": 'W/"3-0"'}),
        said(samples.best(9, 0.02), ETag='W/"9-0"'),
    )

    first = client.better_trial("digits")
    same = client.better_trial("digits", 'W/"3-0"', wait=5)
    better = client.better_trial("digits", 'W/"3-0"', wait=5)

    assert first == (samples.best(3, 0.05), 'W/"3-0"')
    assert same is None
    assert better == (samples.best(9, 0.02), 'W/"9-0"')
    assert [asked.headers.get("If-None-Match") for asked in stub.asked] == [None, 'W/"3-0"', 'W/"3-0"']
    assert [asked.query["wait"] for asked in stub.asked] == ["0.0", "5", "5"]


def test_without_a_complete_trial_none_is_best(stub: Stub, client: Client) -> None:
    stub.answers(refused(NoCompleteTrial("none is complete", retry_after=5)))

    with pytest.raises(NoCompleteTrial) as refusal:
        client.best_trial("digits")

    assert refusal.value.retry_after == 5
    assert len(stub.asked) == 1


def test_fields_of_a_newer_service_do_no_harm(stub: Stub, client: Client) -> None:
    newer = json.loads(samples.page(samples.study()).model_dump_json())
    newer["total"] = 1
    newer["items"][0]["colour"] = "red"
    newer["items"][0]["spec"]["budget"]["gpu_seconds"] = 60
    stub.answers(Answer(text=json.dumps(newer)))

    assert list(client.studies()) == [samples.study()]


def test_a_refusal_is_raised_whole(stub: Stub, client: Client) -> None:
    sent = errors.Invalid("not valid", errors=[FieldProblem(field="budget.trials", message="is too small")])
    stub.answers(refused(sent))

    with pytest.raises(Invalid, match=r"budget\.trials is too small"):
        client.create_study(samples.SPEC)


@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_what_is_not_our_service_is_called_so(stub: Stub, client: Client, status: int) -> None:
    stub.answers(Answer(status, "<html>Hello</html>", {"Content-Type": "text/html"}))

    with pytest.raises(Unreachable, match=rf"what answers at {stub.url}/v1/studies/digits .* {status}.*text/html"):
        client.study("digits")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_answer_that_sends_on_is_no_outage(stub: Stub, client: Client, status: int) -> None:
    stub.answers(Answer(status, "", {"Location": "https://elsewhere.example/v1"}))

    with pytest.raises(Misconfigured, match=r"says to go to 'https://elsewhere.example/v1'.*TRIMTAB_SERVER"):
        client.study("digits")


def test_an_answer_that_sends_on_without_saying_where_is_no_outage(stub: Stub, client: Client) -> None:
    stub.answers(Answer(300))

    with pytest.raises(Misconfigured, match="TRIMTAB_SERVER"):
        client.study("digits")


BAD_CALLS: dict[str, tuple[Callable[[Client], Any], str]] = {
    "a study's name": (lambda client: client.study("../tokens"), "study"),
    "no name of a study": (lambda client: client.delete_study(""), "study"),
    "a worker's name": (lambda client: client.ask("gpu 0"), "worker"),
    "an endless wait": (lambda client: client.ask("gpu0", wait=math.inf), "wait"),
    "a step": (lambda client: client.report(samples.LEASE, step=0, metrics={"loss": 1}), "step"),
    "no metrics": (lambda client: client.report(samples.LEASE, step=1, metrics={}), "metrics"),
    "a metric's name": (
        lambda client: client.report(samples.LEASE, step=1, metrics={"val loss": 1}),
        "metrics.val loss",
    ),
    "an outcome": (lambda client: client.tell(samples.LEASE, "done"), "outcome"),
    "no reports": (lambda client: client.report_many([]), "reports"),
}


@pytest.mark.parametrize(("call", "field"), BAD_CALLS.values(), ids=BAD_CALLS)
def test_what_the_service_would_refuse_is_not_even_sent(
    stub: Stub, client: Client, call: Callable[[Client], Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        call(client)

    assert [problem.field for problem in refusal.value.errors] == [field]
    assert stub.asked == []


def test_a_client_finds_its_service_in_the_environment(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_SERVER", f"{stub.url}/behind/a/proxy/")
    monkeypatch.setenv("TRIMTAB_TOKEN", "from-the-environment")
    stub.answers(said(samples.study()))

    with Client() as client:
        client.study("digits")

    assert stub.asked[0].path == "/behind/a/proxy/v1/studies/digits"
    assert stub.asked[0].headers["Authorization"] == "Bearer from-the-environment"


def test_a_proxy_for_the_world_is_not_asked_for_this_machine(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://192.0.2.1:9")
    stub.answers(said(samples.study()))

    with Client(stub.url, TOKEN) as client:
        found = client.study("digits")

    assert found == samples.study()


@pytest.mark.parametrize("server", ["", "localhost:8000", "ftp://tune", "http://", "http://[::1", "http://me:pw@tune"])
def test_a_server_that_is_no_url_is_refused(server: str) -> None:
    with pytest.raises(Misconfigured, match="TRIMTAB_"):
        Client(server, TOKEN)


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "schlüssel"])
def test_a_token_that_cannot_be_one_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(Misconfigured, match="set TRIMTAB_TOKEN") as refusal:
        Client("http://127.0.0.1:8000", token)

    assert not token or token not in str(refusal.value)


def test_an_answer_may_take_as_long_as_the_wait() -> None:
    patience: list[dict[str, float]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        patience.append(request.extensions["timeout"])
        return httpx2.Response(200)

    with Client("http://tune", TOKEN, timeout=10, transport=httpx2.MockTransport(answer)) as client:
        for wait in (60, 0):
            with pytest.raises(Unreachable):
                client.ask("gpu0", wait=wait)

    assert [timeout["read"] for timeout in patience] == [70, 10]


def test_a_service_that_is_away_says_so_itself(stub: Stub, client: Client) -> None:
    stub.answering = lambda asked: refused(Unavailable("the database is away", retry_after=1))

    with pytest.raises(Unavailable, match="the database is away"):
        client.study("digits")


def test_a_point_is_given_to_be_trained(stub: Stub, client: Client) -> None:
    stub.answers(said(samples.trial(3), status=201))

    given = client.enqueue("digits", {"learning_rate": 0.01, "units": [64, 32]})

    (asked,) = stub.asked
    assert (asked.method, asked.path, given.number) == ("POST", "/v1/studies/digits/trials", 3)
    assert asked.body == {"params": {"learning_rate": 0.01, "units": [64, 32]}}
    assert asked.headers["Idempotency-Key"]


def test_a_finished_trial_is_given_with_its_curve(stub: Stub, client: Client) -> None:
    stub.answers(said(samples.trial(3), status=201))

    client.add_trial(
        "digits",
        {"learning_rate": 0.01},
        metrics={"error": Decimal("0.5"), "loss": math.inf},
        curve={1: {"error": 0.75}, 4: {"error": math.nan}},
        step=1,
    )

    assert stub.asked[0].body == {
        "params": {"learning_rate": 0.01},
        "state": "complete",
        "metrics": {"error": 0.5, "loss": None},
        "curve": [{"step": 1, "metrics": {"error": 0.75}}, {"step": 4, "metrics": {"error": None}}],
        "step": 1,
    }


def test_a_trial_that_cannot_be_is_not_sent(stub: Stub, client: Client) -> None:
    with pytest.raises(Invalid, match=r"curve.1.step must be above the one before: 1 comes after 2"):
        client.add_trial("digits", {}, "pruned", curve={2: {"error": 0.5}, 1: {"error": 0.75}})

    assert stub.asked == []


@pytest.mark.parametrize(
    ("budget", "sent"), [(20, {"trials": 20}), ({"seconds": 60.0, "target": None}, {"seconds": 60.0, "target": None})]
)
def test_the_limits_of_a_budget_are_changed_that_are_given(
    stub: Stub, client: Client, budget: Any, sent: dict[str, Any]
) -> None:
    stub.answers(said(samples.study()))

    client.change_study("digits", budget=budget)

    assert stub.asked[0].body["budget"] == sent
