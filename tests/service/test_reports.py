"""Report: a measurement is stored with its verdict, and the lease lives on."""

import math

import optuna
import pytest
import sqlalchemy as sa

from tests.service import record
from tests.service.runs import EAGER, complete, lease_of, report
from tests.service.served import LEASE_SECONDS
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.errors import Invalid, StepConflict
from trimtab.protocol import Lease
from trimtab.states import Decision, TrialState

NEARLY_OVER = "UPDATE trimtab_leases SET expires_at = renewed_at + interval '20 s'"
IS_RENEWED = f"SELECT abs(extract(epoch FROM expires_at - renewed_at) - {LEASE_SECONDS}) < 1 FROM trimtab_leases"


@pytest.fixture
def lease(client: Client) -> Lease:
    """A lease on the first trial of a study that stops what is worse than the median."""
    client.create_study(spec(pruner=EAGER))
    return lease_of(client)


@pytest.fixture
def stopped(client: Client) -> Lease:
    """A lease whose worker was told to stop at step 2."""
    client.create_study(spec(pruner=EAGER))
    complete(client, [0.5, 0.1, 0.1])
    lease = lease_of(client)
    report(client, lease, 1, 0.5)
    assert report(client, lease, 2, 0.4).verdict is Decision.STOP
    return lease


def test_a_report_is_recorded_with_its_verdict(client: Client, lease: Lease) -> None:
    verdict = client.report(lease, step=1, metrics={"error": 0.5, "loss": 2.0})

    assert (verdict.verdict, verdict.reason, verdict.recorded) == (Decision.CONTINUE, None, True)
    (stored,) = client.trial("study", 0).reports
    assert (stored.step, stored.metrics, stored.verdict) == (1, {"error": 0.5, "loss": 2.0}, Decision.CONTINUE)


def test_a_trial_that_runs_shows_its_last_report(client: Client, lease: Lease) -> None:
    report(client, lease, 1, 0.5)
    report(client, lease, 2, 0.25)

    (trial,) = client.trials("study")

    assert (trial.state, trial.step, trial.metrics) == (TrialState.RUNNING, 2, {"error": 0.25})


def test_optuna_sees_the_curve(client: Client, lease: Lease, database_url: str) -> None:
    report(client, lease, 1, 0.5)
    report(client, lease, 3, None)

    (trial,) = optuna.load_study(study_name="study", storage=database_url).trials

    assert trial.intermediate_values[1] == 0.5
    assert math.isnan(trial.intermediate_values[3])


def test_a_report_renews_the_lease(client: Client, lease: Lease, engine: sa.Engine) -> None:
    record.execute(engine, NEARLY_OVER)

    verdict = report(client, lease, 1, 0.5)

    assert verdict.expires_in == LEASE_SECONDS
    assert verdict.expires_at > lease.expires_at
    assert record.value(engine, IS_RENEWED) is True


def test_a_heartbeat_renews_the_lease_and_records_nothing(client: Client, lease: Lease, engine: sa.Engine) -> None:
    record.execute(engine, NEARLY_OVER)

    verdict = client.heartbeat(lease)

    assert (verdict.verdict, verdict.recorded) == (Decision.CONTINUE, False)
    assert record.value(engine, IS_RENEWED) is True
    assert client.trial("study", 0).reports == []


def test_steps_may_be_skipped(client: Client, lease: Lease) -> None:
    report(client, lease, 1, 0.5)

    report(client, lease, 2**31 - 1, 0.4)

    assert [stored.step for stored in client.trial("study", 0).reports] == [1, 2**31 - 1]


def test_a_figure_that_is_not_finite_is_stored_as_null(client: Client, lease: Lease) -> None:
    verdict = client.report(lease, step=1, metrics={"error": math.nan, "loss": math.inf})

    assert verdict.recorded
    assert client.trial("study", 0).reports[0].metrics == {"error": None, "loss": None}


def test_the_same_report_again_gets_the_same_verdict_and_is_stored_once(client: Client, lease: Lease) -> None:
    first = report(client, lease, 1, 0.5)

    again = report(client, lease, 1, 0.5)

    assert (again.verdict, again.reason, again.recorded) == (first.verdict, first.reason, True)
    assert len(client.trial("study", 0).reports) == 1


def test_a_verdict_stays_what_it_was_when_other_trials_have_ended(client: Client, lease: Lease) -> None:
    report(client, lease, 1, 0.5)
    complete(client, [0.1, 0.1])

    again = report(client, lease, 1, 0.5)
    later = report(client, lease, 2, 0.5)

    assert again.verdict is Decision.CONTINUE
    assert later.verdict is Decision.STOP


def test_a_verdict_stays_what_it_was_when_the_lease_was_told(client: Client, stopped: Lease) -> None:
    client.tell(stopped, "pruned")

    verdicts = [report(client, stopped, 1, 0.5), report(client, stopped, 2, 0.4)]

    assert [verdict.verdict for verdict in verdicts] == [Decision.CONTINUE, Decision.STOP]
    assert verdicts[1].reason == "step 2: best so far 0.4, median of 1 complete trials 0.1"


def test_other_metrics_at_a_step_that_was_reported_are_refused(client: Client, lease: Lease, engine: sa.Engine) -> None:
    report(client, lease, 1, 0.5)
    before = record.rows(engine)

    with pytest.raises(StepConflict, match=r'step 1 is on record with other metrics: {"error": 0.5}'):
        report(client, lease, 1, 0.6)

    assert record.rows(engine) == before


def test_a_step_back_is_refused(client: Client, lease: Lease, engine: sa.Engine) -> None:
    report(client, lease, 3, 0.5)
    before = record.rows(engine)

    with pytest.raises(StepConflict, match="step 2 is behind the last one reported, 3"):
        report(client, lease, 2, 0.5)

    assert record.rows(engine) == before


def test_a_report_without_the_metric_that_is_optimised_is_refused(
    client: Client, lease: Lease, engine: sa.Engine
) -> None:
    before = record.rows(engine)

    with pytest.raises(Invalid) as refused:
        client.report(lease, step=1, metrics={"loss": 0.5})

    assert [problem.field for problem in refused.value.errors] == ["metrics.error"]
    assert record.rows(engine) == before


def test_a_stop_says_why(client: Client, stopped: Lease) -> None:
    again = report(client, stopped, 2, 0.4)

    assert (again.verdict, again.recorded) == (Decision.STOP, True)
    assert again.reason == "step 2: best so far 0.4, median of 1 complete trials 0.1"


def test_after_a_stop_every_report_is_answered_stop_and_none_is_recorded(client: Client, stopped: Lease) -> None:
    verdicts = [report(client, stopped, step, 0.0) for step in (3, 4)]

    assert [(verdict.verdict, verdict.recorded) for verdict in verdicts] == [(Decision.STOP, False)] * 2
    assert [stored.step for stored in client.trial("study", 1).reports] == [1, 2]


def test_after_a_stop_a_heartbeat_says_stop(client: Client, stopped: Lease) -> None:
    verdict = client.heartbeat(stopped)

    assert (verdict.verdict, verdict.recorded) == (Decision.STOP, False)
    assert verdict.reason == "step 2: best so far 0.4, median of 1 complete trials 0.1"


def test_after_a_stop_complete_is_still_accepted(client: Client, stopped: Lease) -> None:
    told = client.tell(stopped, "complete", metrics={"error": 0.05})

    assert told.state is TrialState.COMPLETE
    assert client.best_trial("study").number == stopped.trial


def test_a_trial_without_a_finite_value_is_stopped_where_others_have_one(client: Client) -> None:
    client.create_study(spec(pruner=EAGER))
    complete(client, [0.5])
    lease = lease_of(client)

    verdict = report(client, lease, 1, None)

    assert verdict.reason == "step 1: no finite value so far"
