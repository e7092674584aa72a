"""A study is paused, stopped, resumed; its budget and its limits are changed."""

from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from service.api import waiting
from service.replica import Replica
from service.sweep import sweep
from tests.service import record
from tests.service.long_polls import LONG, SOON, wait_until, waiters
from tests.service.runs import complete, lease_of, report
from tests.service.specs import spec
from trimtab.budget import Limits
from trimtab.client import Client
from trimtab.errors import Conflict, Invalid, StudyNotFound
from trimtab.states import Decision, NoLease, StudyState, TrialState


def audited(replica: Replica) -> object:
    """What the audit says of changes."""
    return record.value(
        replica.engine,
        "SELECT coalesce(json_agg(details ORDER BY entry_id), '[]') FROM trimtab_audit WHERE action = 'change study'",
    )


# -- by hand, from one state into another ---------------------------------------------------------------


@pytest.mark.parametrize(("state", "reason"), [("paused", NoLease.PAUSED), ("stopped", NoLease.STUDY_ENDED)])
def test_a_study_that_does_not_run_hands_out_nothing(client: Client, state: str, reason: NoLease) -> None:
    client.create_study(spec())
    client.tell(lease_of(client), "released")

    changed = client.change_study("study", state=state)

    asked = client.ask("worker", study="study")
    assert changed.state == state
    assert (asked.leases, asked.reason) == ([], reason)
    assert client.ask("worker").leases == []
    assert changed.counts.waiting == 1


@pytest.mark.parametrize("state", ["paused", "stopped"])
def test_what_runs_may_come_to_its_end(client: Client, state: str) -> None:
    client.create_study(spec())
    lease = lease_of(client)
    client.change_study("study", state=state)

    verdict = report(client, lease, 1, 0.5)
    told = client.tell(lease, "complete", metrics={"error": 0.5})

    assert (verdict.verdict, told.state) == (Decision.CONTINUE, TrialState.COMPLETE)
    assert client.study("study").state == state
    assert client.best_trial("study").number == 0


@pytest.mark.parametrize("state", ["paused", "stopped"])
def test_a_study_that_runs_again_hands_out_what_waited(client: Client, state: str) -> None:
    client.create_study(spec())
    client.tell(lease_of(client), "released")
    client.change_study("study", state=state)

    changed = client.change_study("study", state="running")

    assert (changed.state, changed.reason, changed.completed_at) == (StudyState.RUNNING, None, None)
    assert (lease_of(client).trial, lease_of(client).trial) == (0, 1)


def test_a_study_that_was_stopped_has_ended_and_says_why(client: Client) -> None:
    client.create_study(spec())

    changed = client.change_study("study", state="stopped")

    assert changed.reason == "stopped by hand"
    assert changed.completed_at is not None


def test_a_study_that_too_many_failures_stopped_may_fail_as_often_again(client: Client) -> None:
    client.create_study(spec(failed_in_a_row=2))
    for _ in range(2):
        client.tell(lease_of(client), "error")

    client.change_study("study", state="running")

    client.tell(lease_of(client), "error")
    assert client.study("study").state is StudyState.RUNNING
    client.tell(lease_of(client), "error")
    assert client.study("study").state is StudyState.STOPPED


def test_a_complete_study_is_not_resumed_without_a_larger_budget(client: Client) -> None:
    client.create_study(spec(budget={"trials": 1}))
    complete(client, [0.5])

    for state in ("running", "paused", "stopped"):
        with pytest.raises(Conflict, match="all 1 trials have ended; a larger budget reopens it"):
            client.change_study("study", state=state)

    assert client.study("study").state is StudyState.COMPLETE


def test_a_stopped_study_is_not_paused(client: Client) -> None:
    client.create_study(spec())
    client.change_study("study", state="stopped")

    with pytest.raises(Conflict, match="a stopped study cannot be paused"):
        client.change_study("study", state="paused")


def test_whoever_waits_for_a_trial_gets_one_at_once_when_the_study_runs_again(
    client: Client, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", LONG)
    client.create_study(spec())
    client.change_study("study", state="paused")
    with ThreadPoolExecutor() as executor:
        asked = executor.submit(client.ask, "worker", study="study", wait=LONG)
        wait_until(lambda: waiters(replica) == 1 and [worker.name for worker in client.workers()] == ["worker"])

        client.change_study("study", state="running")

        leases = asked.result(SOON).leases
    assert [lease.trial for lease in leases] == [0]


# -- the budget -----------------------------------------------------------------------------------------


def test_a_larger_budget_reopens_a_complete_study(client: Client) -> None:
    client.create_study(spec(budget={"trials": 1}))
    complete(client, [0.5])

    changed = client.change_study("study", budget=2)

    assert (changed.state, changed.completed_at, changed.spec.budget.trials) == (StudyState.RUNNING, None, 2)
    assert complete(client, [0.25]).trial == 1
    assert client.study("study").state is StudyState.COMPLETE
    assert client.best_trial("study").number == 1


def test_a_larger_budget_does_not_resume_a_study_that_was_stopped(client: Client) -> None:
    client.create_study(spec(budget={"trials": 1}))
    client.change_study("study", state="stopped")

    changed = client.change_study("study", budget=2)

    assert (changed.state, changed.spec.budget.trials) == (StudyState.STOPPED, 2)


def test_a_complete_study_may_be_reopened_and_paused_at_once(client: Client) -> None:
    client.create_study(spec(budget={"trials": 1}))
    complete(client, [0.5])

    changed = client.change_study("study", budget=2, state="paused")

    assert changed.state is StudyState.PAUSED


def test_a_budget_smaller_than_the_trials_that_exist_is_refused(client: Client) -> None:
    client.create_study(spec())
    client.ask("worker", study="study", count=3)

    with pytest.raises(Invalid, match=r"budget\.trials is too small: 3 trials exist already"):
        client.change_study("study", budget=2, state="paused")

    study = client.study("study")
    assert (study.state, study.spec.budget.trials) == (StudyState.RUNNING, 10)


def test_a_smaller_budget_is_the_end_when_what_exists_has_ended(client: Client) -> None:
    client.create_study(spec())
    lease = lease_of(client)
    running = client.change_study("study", budget=1)

    client.tell(lease, "complete", metrics={"error": 0.5})

    assert running.state is StudyState.RUNNING
    assert client.study("study").state is StudyState.COMPLETE


def test_a_budget_of_just_the_trials_that_have_ended_completes_a_study(client: Client) -> None:
    client.create_study(spec())
    complete(client, [0.5])

    changed = client.change_study("study", budget=1)

    assert changed.state is StudyState.COMPLETE
    assert changed.completed_at is not None


# -- the limits -----------------------------------------------------------------------------------------


def test_limits_hold_for_the_next_lease(client: Client) -> None:
    client.create_study(spec())
    before = lease_of(client)

    changed = client.change_study("study", limits={"trial_seconds": 600, "step_seconds": 60})

    limits = Limits(trial_seconds=600, step_seconds=60)
    assert (before.limits, lease_of(client).limits, changed.spec.limits) == (Limits(), limits, limits)


def test_a_limit_that_is_left_out_stays_and_null_takes_it_away(client: Client) -> None:
    client.create_study(spec(limits={"trial_seconds": 600, "step_seconds": 60}))

    changed = client.change_study("study", limits={"trial_seconds": None})

    assert changed.spec.limits == Limits(step_seconds=60)


def test_a_study_with_a_task_always_has_a_limit_of_a_step(client: Client) -> None:
    client.create_study(spec(task={"name": "mlp"}, space="default", objectives=[{"metric": "validation_error"}]))

    changed = client.change_study("study", limits={"step_seconds": None})

    assert changed.spec.limits == Limits(step_seconds=3600)


# -- the request ----------------------------------------------------------------------------------------


def test_the_spec_of_the_creation_still_gives_the_study(client: Client) -> None:
    client.create_study(spec())
    changed = client.change_study("study", budget=20, limits={"trial_seconds": 600})

    again = client.create_study(spec())

    assert again == changed


def test_a_change_that_is_sent_twice_is_one(client: Client, replica: Replica) -> None:
    client.create_study(spec())

    changes = [client.change_study("study", state="stopped", budget=20) for _ in range(2)]

    assert changes[0] == changes[1]
    state, budget = {"from": "running", "to": "stopped"}, {"from": {"trials": 10}, "to": {"trials": 20}}
    assert audited(replica) == [{"state": state, "budget": budget}]


def test_a_change_that_is_refused_is_not_in_the_audit(client: Client, replica: Replica) -> None:
    client.create_study(spec())
    lease_of(client)
    lease_of(client)

    with pytest.raises(Invalid):
        client.change_study("study", budget=1)

    assert audited(replica) == []


def test_a_change_of_nothing_changes_nothing(http: httpx2.Client, client: Client, replica: Replica) -> None:
    created = client.create_study(spec())

    answer = http.patch("/v1/studies/study", json={})

    assert answer.status_code == 200
    assert client.study("study") == created
    assert audited(replica) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"state": "complete"}, "state"),
        ({"state": "sleeping"}, "state"),
        ({"budget": {"trials": 0}}, "budget.trials"),
        ({"limits": {"step_seconds": -1}}, "limits.step_seconds"),
        ({"max_attempts": 3}, "max_attempts"),
        ({"space": {}}, "space"),
    ],
)
def test_what_cannot_be_changed_is_refused(
    http: httpx2.Client, client: Client, body: dict[str, object], field: str
) -> None:
    client.create_study(spec())

    answer = http.patch("/v1/studies/study", json=body)

    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]


def test_a_study_that_is_not_there_cannot_be_changed(client: Client) -> None:
    with pytest.raises(StudyNotFound, match="there is no study 'study'"):
        client.change_study("study", state="paused")


def test_a_trial_that_loses_its_worker_while_the_study_is_paused_waits(client: Client, replica: Replica) -> None:
    client.create_study(spec())
    lease_of(client)
    client.change_study("study", state="paused")
    record.let_leases_run_out(replica.engine)

    sweep(replica)
    client.change_study("study", state="running")

    assert (lease_of(client).trial, client.study("study").counts.running) == (0, 1)
