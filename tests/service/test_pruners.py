"""Pruners as workers meet them: through any replica, with several objectives, in trials that go on elsewhere."""

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import optuna
import pytest
import sqlalchemy as sa
from optuna.trial import TrialState

from service.pruning import Judgement
from service.replica import Replica
from tests.service import record
from tests.service.checkpointing import begun, lost, put
from tests.service.pruned import NAME, Played, Running, is_stopped
from tests.service.runs import complete, lease_of, report
from tests.service.served import Serve
from tests.service.specs import METRIC, spec
from tests.service.test_transactions import one_writing_transaction
from trimtab.client import Client
from trimtab.errors import Invalid
from trimtab.protocol import Lease
from trimtab.states import Decision, Direction

HALVING = {"name": "successive_halving", "reduction_factor": 2}
RUNGS = "SELECT json_object_agg(key, value_json ORDER BY key) FROM trial_system_attributes WHERE trial_id = {trial}"

PAIRS: list[tuple[dict[str, Any], Callable[[], optuna.pruners.BasePruner]]] = [
    (
        {"name": "median", "startup_trials": 2, "warmup_steps": 1, "interval_steps": 2},
        lambda: optuna.pruners.MedianPruner(2, 2, 2),
    ),
    (
        {"name": "percentile", "percentile": 40.0, "startup_trials": 2, "warmup_steps": 0, "min_trials": 2},
        lambda: optuna.pruners.PercentilePruner(40.0, 2, 1, n_min_trials=2),
    ),
    (HALVING, lambda: optuna.pruners.SuccessiveHalvingPruner(1, 2)),
    (
        {"name": "hyperband", "max_resource": 12, "reduction_factor": 2},
        lambda: optuna.pruners.HyperbandPruner(1, 12, 2),
    ),
    (
        {"name": "patient", "patience": 1, "wrapped_pruner": HALVING},
        lambda: optuna.pruners.PatientPruner(optuna.pruners.SuccessiveHalvingPruner(1, 2), 1),
    ),
    ({"name": "threshold", "upper": 0.6}, lambda: optuna.pruners.ThresholdPruner(upper=0.6, n_warmup_steps=1)),
    ({"name": "wilcoxon", "p_threshold": 0.3}, lambda: optuna.pruners.WilcoxonPruner(p_threshold=0.3)),
]


@pytest.fixture
def quiet() -> Iterator[None]:
    """Let Optuna warn of what it does not judge, and of what is experimental in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.filterwarnings("ignore", "All-NaN", RuntimeWarning)
        warnings.filterwarnings("ignore", ".*WilcoxonPruner", UserWarning)
        yield


class Served(Played):
    """A history that a service is given too: each call goes to any replica, each report to two of them."""

    def __init__(self, clients: list[Client], theirs: optuna.pruners.BasePruner, given: dict[str, Any]) -> None:
        study = spec(NAME, pruner=given, failed_in_a_row=1_000_000, budget={"trials": 1000})
        super().__init__(theirs, study.pruner, Direction.MINIMIZE, seed=5)
        self.clients = clients
        self.leases: dict[int, Lease] = {}
        clients[0].create_study(study)

    def _begin(self) -> Running:
        one = super()._begin()
        lease = lease_of(self._client())
        assert lease.trial == one.trial.number
        self.leases[lease.trial] = lease
        return one

    def _judged(self, one: Running, step: int, previous: int) -> Judgement:
        lease, error = self.leases[one.trial.number], one.curve[step]
        said = [report(self._client(), lease, step, None if math.isnan(error) else error) for _ in range(2)]
        assert said[0].verdict == said[1].verdict
        assert said[0].reason == said[1].reason
        return Judgement(said[0].verdict, said[0].reason)

    def _ended(self, one: Running, state: TrialState, value: float) -> None:
        outcome = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned"}.get(state, "error")
        metrics = {METRIC: value} if state is TrialState.COMPLETE else None
        self._client().tell(self.leases[one.trial.number], outcome, metrics=metrics)

    def _client(self) -> Client:
        return self.clients[self.rng.randint(len(self.clients))]


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("given", "theirs"), PAIRS, ids=lambda value: value["name"] if isinstance(value, dict) else "")
def test_two_replicas_decide_together_as_optunas_own_pruner(
    start_replica: Serve, given: dict[str, Any], theirs: Callable[[], optuna.pruners.BasePruner]
) -> None:
    played = Served([start_replica().client for _ in range(2)], theirs(), given)

    stops = 0
    for is_pruned, judgement in played.decisions(16, side_by_side=3):
        assert is_stopped(judgement) == is_pruned, judgement
        stops += is_pruned

    assert 0 < stops < 16


@pytest.mark.usefixtures("quiet")
def test_the_rungs_are_on_record_as_optuna_keeps_them(client: Client, engine: sa.Engine) -> None:
    client.create_study(spec(pruner=HALVING))
    lease = lease_of(client)

    for step, error in ((1, 0.5), (3, 0.25)):
        report(client, lease, step, error)

    found = record.value(engine, RUNGS.format(trial="(SELECT trial_id FROM trials)"))
    assert found == {
        "completed_rung_0": "0.5",
        "completed_rung_0_step": "1",
        "completed_rung_1": "0.25",
        "completed_rung_1_step": "3",
    }


def test_a_report_that_comes_to_a_rung_writes_once(client: Client, engine: sa.Engine) -> None:
    client.create_study(spec(pruner=HALVING))
    complete(client, [0.5, 0.5])
    lease = lease_of(client)

    with one_writing_transaction(engine):
        verdict = report(client, lease, 1, 0.75)

    assert verdict.reason == "step 1: 0.75 at rung 0, the best 1 of 2 trials there reached 0.5"


def test_a_stop_at_a_rung_is_never_taken_back(client: Client) -> None:
    client.create_study(spec(pruner=HALVING))
    complete(client, [0.25])
    lease = lease_of(client)
    first = report(client, lease, 1, 0.5)

    again = [report(client, lease, step, 0.5) for step in (1, 1, 2)]

    assert first.verdict is Decision.STOP
    assert [(verdict.verdict, verdict.reason) for verdict in again] == [(first.verdict, first.reason)] * 3


def test_a_trial_that_goes_on_elsewhere_has_the_rungs_of_its_curve_only(
    client: Client, replica: Replica, engine: sa.Engine
) -> None:
    lease = begun(client, 0.5, 0.25, 0.125, 0.125, pruner=HALVING)
    put(client, lease, 2)

    again = lost(client, replica)

    kept = record.value(engine, RUNGS.format(trial="(SELECT trial_id FROM trials)"))
    assert isinstance(kept, dict)
    assert [key for key in kept if not key.endswith("_step")] == ["completed_rung_0", "completed_rung_1"]
    for step in (3, 4):
        report(client, again, step, 0.0625)
    assert (
        record.value(engine, "SELECT value_json FROM trial_system_attributes WHERE key = 'completed_rung_2'")
        == "0.0625"
    )


def test_patience_counts_the_reports_of_the_attempt_before(client: Client, replica: Replica) -> None:
    lease = begun(client, 0.1, 0.2, pruner={"name": "patient", "patience": 1})
    put(client, lease, 2)

    again = lost(client, replica)

    assert report(client, again, 3, 0.2).reason == "step 3: best of the last 2 reports 0.2, of the 1 before 0.1"


TWO = [{"metric": METRIC}, {"metric": "accuracy", "direction": "maximize"}]


def test_of_several_objectives_the_first_stops_trials(client: Client) -> None:
    client.create_study(spec(objectives=TWO, pruner={"name": "threshold", "upper": 0.5}))
    lease = lease_of(client)

    verdict = client.report(lease, step=1, metrics={METRIC: 0.75})

    assert verdict.reason == "step 1: 0.75, above 0.5"


def test_another_objective_stops_trials_where_the_pruner_names_it(client: Client, replica: Replica) -> None:
    pruner = {"name": "median", "metric": "accuracy", "startup_trials": 1, "warmup_steps": 0}
    client.create_study(spec(objectives=TWO, pruner=pruner))
    for accuracy in (0.5, 0.75):
        lease = lease_of(client)
        client.report(lease, step=3, metrics={"accuracy": accuracy})
        client.tell(lease, "complete", metrics={METRIC: 0.0, "accuracy": accuracy})
    lease = lease_of(client)
    for step, accuracy in enumerate((0.7, 0.1), start=1):
        client.report(lease, step=step, metrics={"accuracy": accuracy})
    put(client, lease, 2)
    again = lost(client, replica)

    verdict = client.report(again, step=3, metrics={"accuracy": 0.1})

    assert verdict.verdict is Decision.CONTINUE, "its best so far, 0.7, is above the median, 0.625"
    with pytest.raises(Invalid) as refused:
        client.report(again, step=4, metrics={METRIC: 0.1})
    assert [problem.field for problem in refused.value.errors] == ["metrics.accuracy"]


def test_the_signed_rank_test_is_against_the_best_trial_that_keeps_its_constraints(client: Client) -> None:
    study = spec(pruner={"name": "wilcoxon"}, constraints=[{"metric": "size", "at_most": 1}])
    client.create_study(study)
    for size, errors in ((2, [0.0] * 4), (1, [0.25] * 4)):
        lease = lease_of(client)
        for step, error in enumerate(errors, start=1):
            report(client, lease, step, error)
        client.tell(lease, "complete", metrics={METRIC: errors[-1], "size": size})
    lease = lease_of(client)

    said = [report(client, lease, step, 0.5 + step / 10) for step in range(1, 5)]

    assert said[-1].reason == "step 4: mean 0.75, of the best trial 0.25, p 0.0625 at 4 steps in common"
