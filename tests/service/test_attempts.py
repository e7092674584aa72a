"""A trial whose worker is lost is tried again, from its beginning, but not for ever."""

import re

import optuna
import pytest
import sqlalchemy as sa

from service.replica import Replica
from service.sweep import sweep
from tests.service import record
from tests.service.runs import EAGER, complete, lease_of, report
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.protocol import Lease
from trimtab.states import Decision, Outcome, StudyState, TrialState

TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
CAUSE = re.compile(
    rf"lost its worker 3 times of 3: gpu0 on rack, last seen {TIME}; gpu1 on rack, last seen {TIME}; "
    rf"gpu2 on rack, last seen {TIME}"
)


def run_out(replica: Replica) -> None:
    """Let all leases run out, and be ended."""
    record.let_leases_run_out(replica.engine)
    sweep(replica)


def lose(client: Client, replica: Replica) -> Lease:
    """Give a trial to a worker that is never heard of again."""
    lease = lease_of(client)
    run_out(replica)
    return lease


def test_a_lost_trial_waits_and_is_not_counted_as_finished(client: Client, replica: Replica) -> None:
    client.create_study(spec(budget={"trials": 1}))

    lose(client, replica)

    study = client.study("study")
    assert (study.counts.waiting, study.counts.finished, study.state) == (1, 0, StudyState.RUNNING)


def test_the_next_attempt_has_the_same_point_and_a_greater_fence(client: Client, replica: Replica) -> None:
    client.create_study(spec())
    lost = lose(client, replica)

    found = lease_of(client)

    assert (found.trial, found.params, found.seed) == (lost.trial, lost.params, lost.seed)
    assert (found.fence, found.attempt) == (2, 2)


def test_a_trial_that_loses_all_its_attempts_fails_with_the_cause(client: Client, replica: Replica) -> None:
    client.create_study(spec(max_attempts=3))

    states = []
    for number in range(3):
        client.ask(f"gpu{number}", study="study", host="rack")
        run_out(replica)
        states.append(client.trial("study", 0).state)

    trial = client.trial("study", 0)
    assert states == [TrialState.WAITING, TrialState.WAITING, TrialState.FAIL]
    assert trial.outcome is Outcome.LOST
    assert CAUSE.fullmatch(trial.reason or "")


def test_of_many_lost_attempts_the_cause_names_the_last(client: Client, replica: Replica) -> None:
    client.create_study(spec(max_attempts=7))

    for number in range(7):
        client.ask(f"gpu{number}", study="study")
        run_out(replica)

    reason = client.trial("study", 0).reason or ""
    assert reason.startswith("lost its worker 7 times of 7: ..., gpu2, last seen ")
    assert reason.count("last seen") == 5


def test_released_leases_do_not_count_as_attempts(client: Client, replica: Replica) -> None:
    client.create_study(spec(max_attempts=2))
    for _ in range(3):
        client.tell(lease_of(client), "released")

    lease = lose(client, replica)

    assert (lease.fence, lease.attempt) == (4, 1)
    assert client.trial("study", 0).state is TrialState.WAITING


def test_a_trial_that_fails_by_its_attempts_is_counted_as_a_failure(client: Client, replica: Replica) -> None:
    client.create_study(spec(max_attempts=1, failed_in_a_row=2))

    for _ in range(2):
        lose(client, replica)

    assert client.study("study").state is StudyState.STOPPED


def test_a_new_attempt_begins_with_an_empty_curve(client: Client, replica: Replica, database_url: str) -> None:
    client.create_study(spec())
    lease = lease_of(client)
    for step in (1, 2, 3):
        report(client, lease, step, 0.5)
    record.let_leases_run_out(replica.engine)
    sweep(replica)

    again = lease_of(client)
    report(client, again, 1, 0.25)

    (trial,) = optuna.load_study(study_name="study", storage=database_url).trials
    assert trial.intermediate_values == {1: 0.25}


def test_the_reports_of_an_older_attempt_stay_in_its_history(client: Client, replica: Replica) -> None:
    client.create_study(spec())
    report(client, lease_of(client), 1, 0.5)
    record.let_leases_run_out(replica.engine)
    sweep(replica)

    report(client, lease_of(client), 1, 0.25)

    reports = client.trial("study", 0).reports
    assert [(stored.attempt, stored.metrics["error"]) for stored in reports] == [(1, 0.5), (2, 0.25)]


def test_the_best_value_of_an_older_attempt_does_not_save_the_new_one(client: Client, replica: Replica) -> None:
    client.create_study(spec(pruner=EAGER))
    report(client, lease_of(client), 1, 0.01)
    record.let_leases_run_out(replica.engine)
    sweep(replica)
    again = lease_of(client)
    complete(client, [0.1])

    verdict = report(client, again, 1, 0.5)

    assert verdict.verdict is Decision.STOP


def test_a_stop_and_then_silence_is_pruned(client: Client, replica: Replica) -> None:
    client.create_study(spec(pruner=EAGER))
    complete(client, [0.1])
    lease = lease_of(client)
    verdict = report(client, lease, 1, 0.5)
    record.let_leases_run_out(replica.engine)

    sweep(replica)

    trial = client.trial("study", lease.trial)
    assert (trial.state, trial.outcome, trial.reason) == (TrialState.PRUNED, Outcome.LOST, verdict.reason)
    assert (trial.values, trial.step) == ({"error": 0.5}, 1)


def test_a_stop_and_then_a_release_is_pruned(client: Client) -> None:
    client.create_study(spec(pruner=EAGER))
    complete(client, [0.1])
    lease = lease_of(client)
    report(client, lease, 1, 0.5)

    told = client.tell(lease, "released")

    assert told.state is TrialState.PRUNED
    assert client.study("study").counts.waiting == 0


@pytest.mark.parametrize("state", ["paused", "stopped"])
def test_a_lost_trial_of_a_study_that_does_not_run_is_not_tried_again(
    client: Client, replica: Replica, engine: sa.Engine, state: str
) -> None:
    client.create_study(spec())
    lease_of(client)
    ended_at = "now()" if state == "stopped" else "NULL"
    record.execute(engine, f"UPDATE trimtab_studies SET state = '{state}', ended_at = {ended_at}")
    record.let_leases_run_out(engine)

    swept = sweep(replica)

    assert swept == 1
    assert client.ask("worker", study="study").leases == []
    assert client.trial("study", 0).state is TrialState.WAITING


def test_a_trial_of_a_study_that_is_paused_meanwhile_waits_on(
    client: Client, replica: Replica, engine: sa.Engine
) -> None:
    client.create_study(spec())
    client.tell(lease_of(client), "released")

    def pause(_: object, __: object, statement: str, *___: object) -> None:
        if "state = 'WAITING'" in statement and "UPDATE trials" in statement:
            record.execute(engine, "UPDATE trimtab_studies SET state = 'paused'")

    sa.event.listen(replica.engine, "before_cursor_execute", pause)
    asked = client.ask("worker", study="study")

    assert asked.leases == []
    assert client.study("study").counts.waiting == 1
