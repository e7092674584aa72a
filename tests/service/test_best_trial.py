"""The best trial can be polled: cheaply by its ETag, and without delay by waiting."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx2
import pytest

from service.api import waiting
from tests.service.long_polls import LONG, SOON, wait_until, waiters
from tests.service.runs import complete, lease_of, report
from tests.service.served import Serve, Served
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.states import StudyState, TrialState

PATH = "/v1/studies/study/best-trial"

Poll = Callable[..., Future[httpx2.Response]]


@pytest.fixture
def poll(served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[Poll]:
    """Poll from a thread of its own with a long wait, and return once the service holds the request."""
    monkeypatch.setattr(waiting, "POLL_SECONDS", LONG)
    with ThreadPoolExecutor() as executor:

        def poll(etag: str | None = None) -> Future[httpx2.Response]:
            before = waiters(served.replica)
            headers = {"If-None-Match": etag} if etag else {}
            answer = executor.submit(served.http.get, f"{PATH}?wait={LONG}", headers=headers)
            wait_until(lambda: waiters(served.replica) > before)
            return answer

        yield poll
        served.replica.close()


def test_a_study_that_is_not_there_is_not_found(http: httpx2.Client) -> None:
    answer = http.get(PATH)

    assert (answer.status_code, answer.json()["code"]) == (404, "study_not_found")


def test_before_the_first_complete_trial_there_is_none_yet(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec())
    client.tell(lease_of(client), "pruned", metrics={"error": 0.1})

    answer = http.get(PATH)

    assert (answer.status_code, answer.json()["code"]) == (404, "no_complete_trial")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_study_that_ended_without_a_complete_trial_never_has_one(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec(budget={"trials": 1}))
    client.tell(lease_of(client), "error")

    answer = http.get(PATH)

    assert (answer.status_code, answer.json()["code"]) == (404, "no_complete_trial")
    assert "Retry-After" not in answer.headers


def test_the_best_trial_is_shown_whole(client: Client) -> None:
    client.create_study(spec())
    lease = lease_of(client)
    report(client, lease, 7, 0.4)
    client.tell(lease, "complete", metrics={"error": 0.25, "loss": None})

    best = client.best_trial("study")

    assert (best.study, best.number, best.state) == ("study", 0, TrialState.COMPLETE)
    assert (best.params, best.step) == (lease.params, 7)
    assert (best.values, best.metrics) == ({"error": 0.25}, {"error": 0.25, "loss": None})
    assert (best.study_state, best.finished_trials) == (StudyState.RUNNING, 1)
    assert best.started_at <= best.completed_at


@pytest.mark.parametrize(
    ("direction", "values", "number"),
    [
        ("minimize", [0.5, 0.25, 0.75], 1),
        ("maximize", [0.5, 0.25, 0.75], 2),
        ("minimize", [0.5, 0.25, 0.25], 1),
        ("maximize", [0.75, 0.25, 0.75], 0),
        ("minimize", [0.0, -0.5, -0.0], 1),
    ],
)
def test_the_best_is_the_first_of_the_best(client: Client, direction: str, values: list[float], number: int) -> None:
    client.create_study(spec(objectives=[{"metric": "error", "direction": direction}]))

    for value in values:
        complete(client, [value])

    assert client.best_trial("study").number == number


def test_of_equals_the_one_that_ended_first_is_best(client: Client) -> None:
    client.create_study(spec())
    slow = lease_of(client)
    complete(client, [0.25])

    client.tell(slow, "complete", metrics={"error": 0.25})

    assert client.best_trial("study").number == 1


@pytest.mark.parametrize(
    ("outcome", "metrics"), [("pruned", 0.0), ("error", 0.0), ("diverged", 0.0), ("complete", None)]
)
def test_a_trial_that_is_not_complete_is_never_best(client: Client, outcome: str, metrics: float | None) -> None:
    client.create_study(spec())
    complete(client, [0.5])

    client.tell(lease_of(client), outcome, metrics={"error": metrics})

    assert client.best_trial("study").number == 0


def test_while_the_etag_holds_nothing_is_sent_again(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec())
    complete(client, [0.5])
    etag = http.get(PATH).headers["ETag"]
    complete(client, [0.75])

    answer = http.get(PATH, headers={"If-None-Match": etag})

    assert etag.startswith('W/"')
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)


def test_a_better_trial_has_another_etag(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec())
    complete(client, [0.5])
    etag = http.get(PATH).headers["ETag"]
    complete(client, [0.25])

    answer = http.get(PATH, headers={"If-None-Match": etag})

    assert (answer.status_code, answer.json()["number"]) == (200, 1)
    assert answer.headers["ETag"] != etag


def test_the_end_of_the_study_changes_the_etag(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec(budget={"trials": 2}))
    complete(client, [0.25])
    etag = http.get(PATH).headers["ETag"]
    complete(client, [0.5])

    answer = http.get(PATH, headers={"If-None-Match": etag})

    assert (answer.status_code, answer.json()["study_state"]) == (200, "complete")


def test_who_waits_in_vain_is_told_so_after_the_wait(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec())
    complete(client, [0.5])
    etag = http.get(PATH).headers["ETag"]
    begin = time.monotonic()

    answer = http.get(f"{PATH}?wait=0.3", headers={"If-None-Match": etag})

    assert answer.status_code == 304
    assert time.monotonic() - begin >= 0.3


def test_who_waits_without_a_trial_gets_the_first(client: Client, poll: Poll) -> None:
    client.create_study(spec())
    answer = poll()

    complete(client, [0.5])

    assert answer.result(SOON).json()["number"] == 0


def test_who_waits_gets_a_better_trial_and_not_a_worse_one(client: Client, poll: Poll, http: httpx2.Client) -> None:
    client.create_study(spec())
    complete(client, [0.5])
    answer = poll(http.get(PATH).headers["ETag"])

    complete(client, [0.75])
    complete(client, [0.25])

    assert answer.result(SOON).json()["number"] == 2


def test_who_waits_hears_of_the_end_of_the_study(client: Client, poll: Poll, http: httpx2.Client) -> None:
    client.create_study(spec(budget={"trials": 2}))
    complete(client, [0.5])
    answer = poll(http.get(PATH).headers["ETag"])

    complete(client, [0.75])

    assert answer.result(SOON).json()["study_state"] == "complete"


def test_who_waits_for_a_trial_hears_that_none_will_come(client: Client, poll: Poll) -> None:
    client.create_study(spec(budget={"trials": 1}))
    answer = poll()

    client.tell(lease_of(client), "error")

    assert answer.result(SOON).json()["code"] == "no_complete_trial"


def test_who_waits_hears_that_the_study_was_deleted(client: Client, poll: Poll) -> None:
    client.create_study(spec())
    answer = poll()

    client.delete_study("study")

    assert answer.result(SOON).json()["code"] == "study_not_found"


def test_a_better_trial_through_another_replica_is_found_by_looking(
    served: Served, start_replica: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.05)
    other = start_replica()
    served.client.create_study(spec())
    with ThreadPoolExecutor() as executor:
        answer = executor.submit(served.http.get, f"{PATH}?wait={LONG}")
        wait_until(lambda: waiters(served.replica) > 0)

        complete(other.client, [0.5])

        assert answer.result(SOON).json()["number"] == 0
