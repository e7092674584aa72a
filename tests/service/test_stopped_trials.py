"""A trial is stopped by hand, whether it runs or waits for its next attempt."""

import httpx2
import pytest

from service.replica import Replica
from service.sweep import sweep
from tests.service import record
from tests.service.runs import complete, lease_of, report
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.errors import StudyNotFound, TrialEnded, TrialNotFound
from trimtab.states import Decision, Outcome, StudyState, TrialState

AUDITED = "SELECT count(*) FROM trimtab_audit WHERE action = 'stop trial' AND details->>'number' = '0'"


def test_the_worker_of_a_stopped_trial_hears_it_at_its_next_report(client: Client) -> None:
    client.create_study(spec())
    lease = lease_of(client)

    stopped = client.stop_trial("study", 0)
    verdict = report(client, lease, 1, 0.5)

    assert stopped.state is TrialState.RUNNING
    assert (verdict.verdict, verdict.reason, verdict.recorded) == (Decision.STOP, "stopped by hand", False)


def test_the_worker_of_a_stopped_trial_hears_it_at_its_next_heartbeat(client: Client) -> None:
    client.create_study(spec())
    lease = lease_of(client)
    report(client, lease, 1, 0.5)
    client.stop_trial("study", 0)

    verdict = client.heartbeat(lease)
    client.tell(lease, "pruned")

    trial = client.trial("study", 0)
    assert verdict.verdict is Decision.STOP
    assert (trial.state, trial.reason, trial.values) == (TrialState.PRUNED, "stopped by hand", {"error": 0.5})


def test_a_stopped_trial_that_falls_silent_is_pruned(client: Client, replica: Replica) -> None:
    client.create_study(spec())
    report(client, lease_of(client), 1, 0.5)
    client.stop_trial("study", 0)
    record.let_leases_run_out(replica.engine)

    sweep(replica)

    trial = client.trial("study", 0)
    assert (trial.state, trial.outcome, trial.reason) == (TrialState.PRUNED, Outcome.LOST, "stopped by hand")


def test_a_stopped_trial_may_yet_complete(client: Client) -> None:
    client.create_study(spec())
    lease = lease_of(client)
    client.stop_trial("study", 0)

    told = client.tell(lease, "complete", metrics={"error": 0.5})

    assert told.state is TrialState.COMPLETE


def test_a_trial_that_waits_is_pruned_at_once_with_what_it_had_reported(client: Client) -> None:
    client.create_study(spec())
    lease = lease_of(client)
    report(client, lease, 1, 0.75)
    report(client, lease, 2, 0.5)
    client.tell(lease, "released")

    stopped = client.stop_trial("study", 0)

    assert (stopped.state, stopped.outcome, stopped.reason) == (
        TrialState.PRUNED, Outcome.PRUNED, "stopped by hand",
    )  # fmt: skip
    assert (stopped.values, stopped.step) == ({"error": 0.5}, 2)
    assert lease_of(client).trial == 1


def test_a_trial_that_waits_and_is_stopped_uses_up_the_budget(client: Client) -> None:
    client.create_study(spec(budget={"trials": 1}))
    client.tell(lease_of(client), "released")

    client.stop_trial("study", 0)

    study = client.study("study")
    assert (study.state, study.counts.pruned) == (StudyState.COMPLETE, 1)


def test_a_trial_that_has_ended_cannot_be_stopped(client: Client) -> None:
    client.create_study(spec())
    complete(client, [0.5])

    with pytest.raises(TrialEnded, match="trial 0 of 'study' has ended: complete"):
        client.stop_trial("study", 0)


def test_what_is_not_there_cannot_be_stopped(client: Client) -> None:
    with pytest.raises(StudyNotFound):
        client.stop_trial("study", 0)

    client.create_study(spec())

    with pytest.raises(TrialNotFound, match="study 'study' has no trial 0"):
        client.stop_trial("study", 0)


def test_a_running_trial_that_is_stopped_twice_is_stopped_once(client: Client, replica: Replica) -> None:
    client.create_study(spec())
    lease_of(client)

    answers = [client.stop_trial("study", 0) for _ in range(2)]

    assert answers[0] == answers[1]
    assert record.value(replica.engine, AUDITED) == 1


def test_the_same_stop_of_a_waiting_trial_gets_the_same_answer(
    http: httpx2.Client, client: Client, replica: Replica
) -> None:
    client.create_study(spec())
    client.tell(lease_of(client), "released")

    one, other = (http.post("/v1/studies/study/trials/0/stop", headers={"Idempotency-Key": "a-key"}) for _ in range(2))

    assert (one.status_code, other.content) == (200, one.content)
    assert record.value(replica.engine, AUDITED) == 1
