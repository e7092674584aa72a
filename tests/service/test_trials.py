"""The trials of a study are listed by number, and each can be read with its whole history."""

from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from service.replica import Replica
from service.sweep import sweep
from tests.service import record
from tests.service.runs import EAGER, complete, lease_of, report
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.errors import StudyNotFound, TrialNotFound
from trimtab.states import Decision, Outcome, TrialState


def listed(http: httpx2.Client, **query: str | int) -> tuple[list[int], str | None]:
    """Return the numbers on a page, and where the next one begins."""
    answer = http.get("/v1/studies/study/trials", params=query)
    assert answer.status_code == 200, answer.text
    return [trial["number"] for trial in answer.json()["items"]], answer.json()["next"]


@pytest.fixture
def trials(client: Client) -> None:
    """Five trials: the first complete, the second pruned, the others running."""
    client.create_study(spec())
    first, second, *_ = client.ask("worker", study="study", count=5).leases
    client.tell(first, "complete", metrics={"error": 0.5})
    client.tell(second, "pruned", metrics={"error": 0.75})


def test_a_study_without_trials_lists_none(client: Client) -> None:
    client.create_study(spec())

    assert list(client.trials("study")) == []


@pytest.mark.usefixtures("trials")
def test_trials_are_listed_by_number(http: httpx2.Client) -> None:
    assert listed(http) == ([0, 1, 2, 3, 4], None)


@pytest.mark.usefixtures("trials")
def test_a_cursor_leads_from_page_to_page_to_the_end(http: httpx2.Client) -> None:
    first, second_begins = listed(http, limit=2)
    second, last_begins = listed(http, limit=2, cursor=str(second_begins))
    last, end = listed(http, limit=2, cursor=str(last_begins))

    assert [first, second, last, end] == [[0, 1], [2, 3], [4], None]


@pytest.mark.usefixtures("trials")
def test_trials_can_be_listed_the_newest_first(http: httpx2.Client) -> None:
    first, second_begins = listed(http, sort="-number", limit=3)
    second, end = listed(http, sort="-number", limit=3, cursor=str(second_begins))

    assert [first, second, end] == [[4, 3, 2], [1, 0], None]


@pytest.mark.usefixtures("trials")
@pytest.mark.parametrize(
    ("state", "numbers"), [("complete", [0]), ("pruned", [1]), ("running", [2, 3, 4]), ("waiting", []), ("fail", [])]
)
def test_a_state_filters_the_list(http: httpx2.Client, state: str, numbers: list[int]) -> None:
    assert listed(http, state=state) == (numbers, None)


def test_a_study_lists_its_own_trials_only(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec("other"))
    client.create_study(spec())
    client.ask("worker", study="other", count=3)
    client.ask("worker", study="study")

    assert listed(http) == ([0], None)


def test_the_trials_of_a_study_that_is_not_there_are_not_found(client: Client) -> None:
    with pytest.raises(StudyNotFound):
        client.trials("study")


def test_a_trial_that_is_not_there_is_not_found(client: Client) -> None:
    client.create_study(spec())

    with pytest.raises(TrialNotFound, match="study 'study' has no trial 0"):
        client.trial("study", 0)


def test_a_trial_shows_when_it_began_and_ended_in_utc(client: Client) -> None:
    client.create_study(spec())
    complete(client, [0.5])

    trial = client.trial("study", 0)

    assert trial.started_at is not None
    assert trial.completed_at is not None
    now = datetime.now(UTC)
    assert now - timedelta(minutes=1) < trial.started_at <= trial.completed_at <= now + timedelta(minutes=1)


def test_a_trial_shows_who_has_it(client: Client) -> None:
    client.create_study(spec())
    client.ask("gpu0@host", study="study", host="host", device="cuda:0")

    trial = client.trial("study", 0)

    assert (trial.state, trial.worker, trial.attempts) == (TrialState.RUNNING, "gpu0@host", 1)
    (attempt,) = trial.history
    assert (attempt.worker, attempt.host, attempt.device) == ("gpu0@host", "host", "cuda:0")
    assert (attempt.outcome, attempt.ended_at) == (None, None)


def test_the_history_of_a_trial_has_every_attempt_and_how_it_ended(client: Client, replica: Replica) -> None:
    client.create_study(spec())
    lease_of(client)
    record.let_leases_run_out(replica.engine)
    sweep(replica)
    client.tell(lease_of(client), "released", message="drained")
    client.tell(lease_of(client), "complete", metrics={"error": 0.5})

    trial = client.trial("study", 0)

    assert trial.attempts == 3
    lost, *told = trial.history
    assert (lost.fence, lost.attempt, lost.outcome) == (1, 1, Outcome.LOST)
    assert lost.message
    assert lost.message.startswith("no sign of its worker for")
    assert [(each.fence, each.attempt, each.outcome, each.message) for each in told] == [
        (2, 2, Outcome.RELEASED, "drained"),
        (3, 2, Outcome.COMPLETE, None),
    ]


def test_the_history_of_a_trial_has_every_report_with_its_verdict(client: Client) -> None:
    client.create_study(spec(pruner=EAGER))
    complete(client, [0.5, 0.1])
    lease = lease_of(client)
    report(client, lease, 1, 0.5)
    report(client, lease, 2, 0.4)

    reports = client.trial("study", 1).reports

    assert [(stored.step, stored.metrics["error"], stored.verdict) for stored in reports] == [
        (1, 0.5, Decision.CONTINUE),
        (2, 0.4, Decision.STOP),
    ]
    assert reports[1].reason == "step 2: best so far 0.4, median of 1 complete trials 0.1"


def test_a_parameter_that_depends_on_another_is_shown_where_it_exists(client: Client) -> None:
    client.create_study(
        spec(
            space={
                "optimizer": {"type": "categorical", "choices": ["sgd", "adam"]},
                "momentum": {
                    "type": "float",
                    "low": 0.5,
                    "high": 0.99,
                    "scale": "reverse_log",
                    "when": {"optimizer": ["sgd"]},
                },
            }
        )
    )
    leases = client.ask("worker", study="study", count=10).leases

    params = [trial.params for trial in client.trials("study")]

    assert params == [lease.params for lease in leases]
    assert {("momentum" in point) for point in params} == {True, False}
    assert all(("momentum" in point) == (point["optimizer"] == "sgd") for point in params)


def test_a_list_says_of_each_trial_why_it_failed(client: Client) -> None:
    client.create_study(spec())
    for outcome, message in (("error", "no such file"), ("out_of_memory", "of 80 GiB"), ("timeout", None)):
        client.tell(lease_of(client), outcome, message=message)

    failed = list(client.trials("study", state=TrialState.FAIL))

    assert [(trial.outcome, trial.reason) for trial in failed] == [
        (Outcome.ERROR, "no such file"),
        (Outcome.OUT_OF_MEMORY, "of 80 GiB"),
        (Outcome.TIMEOUT, None),
    ]
