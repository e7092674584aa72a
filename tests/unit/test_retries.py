"""Requests that are the same twice are sent again, with pauses, and not for ever."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from tests.unit import samples
from tests.unit.stub import TOKEN, Answer, Stub, refused, said
from trimtab import retries
from trimtab.client import Client
from trimtab.errors import (
    InProgress,
    InternalError,
    LeaseLost,
    StudyNotFound,
    TooManyRequests,
    Unavailable,
    Unreachable,
)
from trimtab.protocol import LeaseReport, Leases, Verdicts

AWAY = Answer(502, "<html>bad gateway</html>", {"Content-Type": "text/html"})
BUSY = refused(Unavailable("the database is away"))
REPORTS = [LeaseReport(lease="a", fence=1, step=3, metrics={"loss": 0.5})]

Call = Callable[[Client], Any]

REPEATABLE: dict[str, tuple[Call, Answer]] = {
    "create study": (lambda client: client.create_study(samples.SPEC), said(samples.study())),
    "read study": (lambda client: client.study("digits"), said(samples.study())),
    "list studies": (lambda client: list(client.studies()), said(samples.page())),
    "delete study": (lambda client: client.delete_study("digits"), Answer(204)),
    "best trial": (lambda client: client.best_trial("digits"), said(samples.best(1, 0.1))),
    "better trial": (lambda client: client.better_trial("digits", "x"), Answer(304)),
    "list trials": (lambda client: list(client.trials("digits")), said(samples.page())),
    "read trial": (lambda client: client.trial("digits", 7), said(samples.history(7))),
    "list workers": (lambda client: list(client.workers()), said(samples.page())),
    "report": (lambda client: client.report(samples.LEASE, step=1, metrics={"loss": 1}), said(samples.GO_ON)),
    "report many": (lambda client: client.report_many(REPORTS), said(Verdicts(results=[samples.GO_ON]))),
    "heartbeat": (lambda client: client.heartbeat(samples.LEASE), said(samples.GO_ON)),
    "tell": (lambda client: client.tell(samples.LEASE, "error"), said(samples.TOLD)),
}


@pytest.mark.parametrize(("call", "answer"), REPEATABLE.values(), ids=REPEATABLE)
def test_a_verb_that_is_the_same_twice_is_sent_again(
    stub: Stub, client: Client, pauses: list[float], call: Call, answer: Answer
) -> None:
    stub.answers(AWAY, BUSY, answer)

    call(client)

    first, *others = [(asked.method, asked.path, asked.query, asked.text) for asked in stub.asked]
    assert others == [first, first]
    assert len(pauses) == 2


def test_an_ask_is_sent_again_as_the_same_one(stub: Stub, client: Client) -> None:
    stub.answers(AWAY, said(Leases(leases=[samples.LEASE])), said(Leases(leases=[])), said(Leases(leases=[])))

    client.ask("gpu0")
    client.ask("gpu0")
    client.ask("gpu0", key="mine")

    first, again, other, named = [asked.headers["Idempotency-Key"] for asked in stub.asked]
    assert first == again
    assert first != other
    assert named == "mine"


def test_a_study_is_created_with_a_key(stub: Stub, client: Client) -> None:
    stub.answers(AWAY, said(samples.study()))

    client.create_study(samples.SPEC)

    first, again = [asked.headers["Idempotency-Key"] for asked in stub.asked]
    assert first == again


def test_who_comes_while_his_first_try_is_under_way_comes_again(
    stub: Stub, client: Client, pauses: list[float]
) -> None:
    stub.answers(refused(InProgress("under way", retry_after=1)), said(Leases(leases=[])))

    client.ask("gpu0")

    assert len(stub.asked) == 2
    assert 1 <= pauses[0] <= 2


def test_who_has_asked_too_much_comes_again_when_the_service_says(
    stub: Stub, client: Client, pauses: list[float]
) -> None:
    stub.answers(refused(TooManyRequests("too many", retry_after=1)), said(samples.GO_ON))

    client.heartbeat(samples.LEASE)

    assert len(stub.asked) == 2
    assert 1 <= pauses[0] <= 2


def test_of_an_old_answer_the_leases_that_are_alive_are_renewed_and_the_others_left_out(
    stub: Stub, client: Client
) -> None:
    other = samples.LEASE.model_copy(update={"id": "8"})
    old = Answer(text=Leases(leases=[samples.LEASE, other]).model_dump_json(), headers={"Idempotent-Replayed": "true"})
    stub.answers(old, refused(LeaseLost("too late")), said(samples.GO_ON))

    found = client.ask("gpu0")

    assert found.leases == [other]
    assert [asked.path for asked in stub.asked[1:]] == [
        f"/v1/leases/{samples.LEASE.id}/heartbeat",
        "/v1/leases/8/heartbeat",
    ]


@pytest.mark.parametrize("error", [LeaseLost("too late"), InternalError("a defect"), StudyNotFound("none")])
def test_what_would_not_change_is_not_asked_again(stub: Stub, client: Client, error: Any) -> None:
    stub.answers(refused(error))

    with pytest.raises(type(error)):
        client.heartbeat(samples.LEASE)

    assert len(stub.asked) == 1


@pytest.mark.parametrize(
    "error",
    [
        httpx2.ConnectError("refused"),
        httpx2.ConnectTimeout("timed out"),
        httpx2.ReadTimeout("timed out"),
        httpx2.ReadError("reset"),
        httpx2.WriteError("broken pipe"),
        httpx2.RemoteProtocolError("server disconnected"),
    ],
)
def test_a_network_that_fails_for_a_moment_is_not_noticed(pauses: list[float], error: httpx2.TransportError) -> None:
    study = httpx2.Response(200, text=samples.study().model_dump_json())
    answers: Iterator[httpx2.Response | httpx2.TransportError] = iter([error, error, study])

    with client_of(lambda _: next(answers), pauses) as client:
        found = client.study("digits")

    assert found == samples.study()
    assert len(pauses) == 2


def test_a_network_that_fails_for_long_is_given_up(pauses: list[float]) -> None:
    with (
        client_of(failing(httpx2.ConnectError("refused")), pauses) as client,
        pytest.raises(Unreachable, match=r"no answer from http://tune: refused; .*TRIMTAB_SERVER") as given_up,
    ):
        client.study("digits")

    assert (given_up.value.__cause__, given_up.value.__suppress_context__) == (None, True)
    assert pauses == pytest.approx([0.2, 0.4, 0.8, 1.6])


def test_a_service_that_is_not_there_is_unreachable(pauses: list[float]) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"

        with Client(url, TOKEN, sleep=pauses.append) as client, pytest.raises(Unreachable, match=url):
            client.study("digits")

    assert len(pauses) == retries.TRIES - 1


def test_the_service_says_how_long_to_stay_away(stub: Stub, client: Client, pauses: list[float]) -> None:
    stub.answers(refused(Unavailable("the database is away", retry_after=2)), said(samples.study()))

    client.study("digits")

    assert pauses == pytest.approx([2.2])


def test_a_service_that_wants_to_be_left_alone_for_long_is_not_waited_for(
    stub: Stub, client: Client, pauses: list[float]
) -> None:
    stub.answers(refused(Unavailable("maintenance", retry_after=3600)))

    with pytest.raises(Unavailable) as refusal:
        client.study("digits")

    assert refusal.value.retry_after == 3600
    assert pauses == []


def test_a_date_to_come_back_at_is_not_understood_and_does_no_harm(stub: Stub, client: Client) -> None:
    later = {"Retry-After": "Wed, 21 Oct 2037 07:28:00 GMT"}
    stub.answers(Answer(503, "", later), said(samples.study()))

    assert client.study("digits") == samples.study()


def test_a_study_that_is_gone_at_the_second_try_was_deleted_by_the_first(stub: Stub, client: Client) -> None:
    stub.answers(AWAY, refused(StudyNotFound("there is no study 'digits'")))

    client.delete_study("digits")

    assert len(stub.asked) == 2


def test_a_study_that_never_was_is_not_deleted(stub: Stub, client: Client) -> None:
    stub.answers(refused(StudyNotFound("there is no study 'digits'")))

    with pytest.raises(StudyNotFound):
        client.delete_study("digits")


def test_those_who_failed_together_come_back_one_by_one() -> None:
    chances = iter([0.0, 0.5, 1.0])

    drawn = [retries.pause(3, None, chance=lambda: next(chances)) for _ in range(3)]

    assert drawn == pytest.approx([0.0, 0.4, 0.8])


def failing(error: httpx2.TransportError) -> Callable[[httpx2.Request], httpx2.TransportError]:
    return lambda _: error


def client_of(
    answering: Callable[[httpx2.Request], httpx2.Response | httpx2.TransportError], pauses: list[float]
) -> Client:
    """Return a client of a network that answers or fails as it is told."""

    def carry(request: httpx2.Request) -> httpx2.Response:
        answer = answering(request)
        if isinstance(answer, httpx2.TransportError):
            raise answer
        return answer

    return Client("http://tune", TOKEN, transport=httpx2.MockTransport(carry), sleep=pauses.append, chance=lambda: 1.0)
