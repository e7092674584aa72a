"""The service itself ends a lease that is past a limit, where its worker does not."""

import re

import pytest

from service.replica import Replica
from service.storage.limits import GRACE_SECONDS
from service.sweep import sweep
from tests.service import record
from tests.service.runs import EAGER, complete, lease_of, report
from tests.service.served import Serve
from tests.service.specs import spec
from trimtab.budget import Limits
from trimtab.client import Client
from trimtab.errors import LeaseEnded
from trimtab.protocol import Lease
from trimtab.states import Outcome, StudyState, TrialState

# As if all this had been so long ago. Somebody was there to renew the lease all the while, and is for a while yet.
AGE = """
    WITH seen AS (UPDATE trimtab_liveness SET seen_at = clock_timestamp() + interval '1 min')
    UPDATE trimtab_leases SET
      due_at = due_at - make_interval(secs => :seconds), trial_due_at = trial_due_at - make_interval(secs => :seconds)
    WHERE ended_at IS NULL
"""


def pass_by(replica: Replica, seconds: float) -> None:
    """Let so much time of the limits pass while the lease is kept alive."""
    record.execute(replica.engine, AGE, seconds=seconds)


def due_in(replica: Replica, lease: Lease, *, since: str = "renewed_at") -> float | None:
    """Seconds from one of its times until the service ends a lease because of a limit; None: never."""
    find = f"SELECT extract(epoch FROM due_at - {since}) FROM trimtab_leases WHERE lease_id = :lease_id"
    found = record.value(replica.engine, find, lease_id=int(lease.id))
    return None if found is None else float(str(found))


def test_a_lease_says_the_limits_of_its_study(client: Client) -> None:
    client.create_study(spec(limits={"trial_seconds": 600, "step_seconds": 60}))

    assert lease_of(client).limits == Limits(trial_seconds=600, step_seconds=60)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"step_seconds": 60}, "a step took longer than limits.step_seconds, and its worker did not end it"),
        ({"trial_seconds": 60}, "the attempt took longer than limits.trial_seconds, and its worker did not end it"),
    ],
)
def test_a_hung_trial_keeps_no_lease_however_well_its_worker_is(
    client: Client, replica: Replica, limits: dict[str, float], message: str
) -> None:
    client.create_study(spec(limits=limits))
    lease = lease_of(client)
    pass_by(replica, 60 + GRACE_SECONDS)
    client.heartbeat(lease)

    swept = sweep(replica)

    trial = client.trial("study", 0)
    assert swept == 1
    assert (trial.state, trial.outcome, trial.reason) == (TrialState.FAIL, Outcome.TIMEOUT, message)
    assert [(attempt.outcome, attempt.message) for attempt in trial.history] == [(Outcome.TIMEOUT, message)]


def test_the_worker_of_a_lease_that_was_ended_hears_so(client: Client, replica: Replica) -> None:
    client.create_study(spec(limits={"step_seconds": 60}))
    lease = lease_of(client)
    pass_by(replica, 60 + GRACE_SECONDS)
    sweep(replica)

    for call in (
        lambda: client.heartbeat(lease),
        lambda: report(client, lease, 1, 0.5),
        lambda: client.tell(lease, "complete", metrics={"error": 0.5}),
        lambda: client.tell(lease, "timeout"),
    ):
        with pytest.raises(LeaseEnded, match="was ended: timeout"):
            call()


def test_the_worker_has_time_to_tell_first(client: Client, replica: Replica) -> None:
    client.create_study(spec(limits={"step_seconds": 60}))
    lease = lease_of(client)
    pass_by(replica, 60)

    swept = sweep(replica)
    due = due_in(replica, lease)
    told = client.tell(lease, "timeout", message="a step took longer than 60 s (limits.step_seconds)")

    assert (swept, told.state) == (0, TrialState.FAIL)
    assert due == pytest.approx(GRACE_SECONDS, abs=5)
    assert client.trial("study", 0).reason == "a step took longer than 60 s (limits.step_seconds)"


def test_a_report_begins_the_time_of_a_step_anew_and_a_heartbeat_does_not(client: Client, replica: Replica) -> None:
    client.create_study(spec(limits={"step_seconds": 60}))
    lease = lease_of(client)
    pass_by(replica, 50)

    client.heartbeat(lease)
    after_heartbeat = due_in(replica, lease, since="leased_at")
    report(client, lease, 1, 0.5)
    after_report = due_in(replica, lease)

    assert after_heartbeat == pytest.approx(10 + GRACE_SECONDS, abs=5)
    assert after_report == pytest.approx(60 + GRACE_SECONDS, abs=5)


def test_no_report_outlasts_the_limit_of_the_attempt(client: Client, replica: Replica) -> None:
    client.create_study(spec(limits={"trial_seconds": 100, "step_seconds": 60}))
    lease = lease_of(client)
    pass_by(replica, 80)

    report(client, lease, 1, 0.5)

    assert due_in(replica, lease) == pytest.approx(20 + GRACE_SECONDS, abs=5)


def test_without_limits_a_lease_is_never_due(client: Client, replica: Replica) -> None:
    client.create_study(spec())
    lease = lease_of(client)

    report(client, lease, 1, 0.5)

    assert due_in(replica, lease) is None


def test_each_attempt_has_its_own_time(client: Client, replica: Replica) -> None:
    client.create_study(spec(limits={"trial_seconds": 100}))
    lost = lease_of(client)
    pass_by(replica, 80)
    client.tell(lost, "released")

    again = lease_of(client)

    assert again.trial == lost.trial
    assert due_in(replica, again) == pytest.approx(100 + GRACE_SECONDS, abs=5)


def test_a_changed_limit_of_a_step_holds_from_the_next_report_on(start_replica: Serve) -> None:
    one, other = start_replica(), start_replica()
    one.client.create_study(spec(limits={"step_seconds": 600}))
    lease = lease_of(one.client)
    report(one.client, lease, 1, 0.5)
    other.client.change_study("study", limits={"step_seconds": 60})

    report(one.client, lease, 2, 0.5)

    assert due_in(one.replica, lease) == pytest.approx(60 + GRACE_SECONDS, abs=5)


def test_a_lease_that_ran_out_before_it_was_due_is_lost_and_not_a_timeout(client: Client, replica: Replica) -> None:
    client.create_study(spec(limits={"step_seconds": 3600}))
    lease_of(client)
    record.let_leases_run_out(replica.engine)

    sweep(replica)

    trial = client.trial("study", 0)
    assert trial.state is TrialState.WAITING
    assert [attempt.outcome for attempt in trial.history] == [Outcome.LOST]


def test_a_timeout_is_a_failure_of_the_trial_and_is_not_tried_again(client: Client, replica: Replica) -> None:
    client.create_study(spec(limits={"step_seconds": 60}, failed_in_a_row=2))
    for _ in range(2):
        lease_of(client)
        pass_by(replica, 60 + GRACE_SECONDS)
        sweep(replica)

    study = client.study("study")

    assert (study.state, study.counts.fail, study.counts.waiting) == (StudyState.STOPPED, 2, 0)


def test_a_stopped_trial_that_hangs_is_pruned(client: Client, replica: Replica) -> None:
    client.create_study(spec(pruner=EAGER, limits={"step_seconds": 60}))
    complete(client, [0.1])
    lease = lease_of(client)
    verdict = report(client, lease, 1, 0.5)
    pass_by(replica, 60 + GRACE_SECONDS)

    sweep(replica)

    trial = client.trial("study", lease.trial)
    assert (trial.state, trial.reason) == (TrialState.PRUNED, verdict.reason)


def test_every_attempt_is_on_record(client: Client, replica: Replica) -> None:
    client.create_study(spec())
    asked = client.ask("gpu0@rack1", study="study", host="rack1", device="cuda:0 (H200)").leases[0]
    client.tell(asked, "released", message="drained")
    client.ask("gpu1@rack2", study="study", host="rack2", device="cpu")
    record.let_leases_run_out(replica.engine)
    sweep(replica)
    lease_of(client)

    history = client.trial("study", 0).history

    assert [(a.worker, a.host, a.device, a.outcome) for a in history] == [
        ("gpu0@rack1", "rack1", "cuda:0 (H200)", Outcome.RELEASED),
        ("gpu1@rack2", "rack2", "cpu", Outcome.LOST),
        ("worker", None, None, None),
    ]
    assert (history[0].message, history[2].message) == ("drained", None)
    assert re.fullmatch(r"no sign of its worker for \d+ s", history[1].message or "")
    assert [a.seconds is None for a in history] == [False, False, True]
    assert history[0].ended_at is not None
    assert history[0].seconds == pytest.approx((history[0].ended_at - history[0].leased_at).total_seconds())
