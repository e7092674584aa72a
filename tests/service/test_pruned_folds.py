"""The signed-rank test with folds: reports are means over the trainings so far, judged are the single trainings."""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from statistics import fmean

import numpy as np
import optuna
import pytest

from service import pruning
from service.curves import Curves
from service.pruning import Judgement, Others, Standing
from tests.service.finishing import ERROR
from tests.service.pruned import Curve, Played, Running, as_stored, is_stopped
from tests.service.runs import lease_of
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.pruners import WilcoxonPruner
from trimtab.spec import StudySpec
from trimtab.states import Decision, Direction

FOLDS = 10
FEW_FOLDS = 6
"""Ties take SciPy the longer the more folds there are."""
LEADS = [0.10] * FOLDS
BEGINS_BADLY = [0.18] + [0.08] * (FOLDS - 1)
WORSE = [0.2 + fold / 100 for fold in range(FOLDS)]


def means(values: Sequence[float]) -> list[float]:
    """The means over the first trainings, over the first two, and so on, as workers report them."""
    return [total / count for count, total in enumerate(accumulate(values), start=1)]


def folded(name: str = "study", pruner: str = "wilcoxon") -> StudySpec:
    task = {"name": "mlp", "data": {"split": {"folds": FOLDS}}}
    return spec(name, task=task, space="default", pruner={"name": pruner}, objectives=[{"metric": ERROR}])


class Folded(Played):
    """A history of folds: Optuna's pruner is told the error of each, ours the means so far."""

    is_mean = True

    def stored(self, curve: Curve) -> dict[int, float | None]:
        values = [curve[step] for step in sorted(curve)]
        return as_stored({step: fmean(values[:step]) for step in range(1, len(values) + 1)})

    def _begin(self) -> Running:
        one = super()._begin()
        # Few different values, exact in binary: many differences are zero or equal.
        errors = self.rng.randint(16, size=FEW_FOLDS) / 16 + self.rng.choice([0.0, 0.25])
        errors = np.where(self.rng.rand(FEW_FOLDS) < self.rng.choice([0.0, 0.0, 0.1]), math.nan, errors)
        one.curve = {step: float(error) for step, error in enumerate(errors, start=1)}
        return one


@pytest.fixture
def quiet() -> Iterator[None]:
    """Let Optuna warn of what it does not judge, and of what is experimental in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.filterwarnings("ignore", ".*WilcoxonPruner", UserWarning)
        yield


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("direction", Direction)
def test_means_over_folds_are_judged_as_optunas_pruner_judges_the_folds(direction: Direction) -> None:
    stops = reports = 0
    for history in range(6):
        theirs = optuna.pruners.WilcoxonPruner(p_threshold=0.3)
        ours = WilcoxonPruner(name="wilcoxon", p_threshold=0.3)
        played = Folded(theirs, ours, direction, history)

        for is_pruned, judgement in played.decisions(12, side_by_side=2):
            assert is_stopped(judgement) == is_pruned, f"history {history}: {judgement}"
            stops += is_pruned
            reports += 1

    assert 6 < stops < reports - 6, "the histories should lead to both decisions"


def run(client: Client, errors: Sequence[float], study: str = "study") -> int | None:
    """Run a trial of so many folds until it is stopped, or to its end; return the step at which it was stopped."""
    lease = lease_of(client, study)
    for step, mean in enumerate(means(errors), start=1):
        if client.report(lease, step=step, metrics={ERROR: mean}).verdict is Decision.STOP:
            client.tell(lease, "pruned")
            return step
    client.tell(lease, "complete", metrics={ERROR: fmean(errors)})
    return None


def test_one_bad_fold_does_not_stop_the_trial_that_wins(client: Client) -> None:
    client.create_study(folded())

    stopped = [run(client, errors) for errors in (LEADS, BEGINS_BADLY, WORSE)]

    assert stopped == [None, None, 4]
    assert client.best_trial("study").number == 1


def test_a_replay_judges_single_folds_too(client: Client) -> None:
    client.create_study(folded(pruner="none"))
    for errors in (LEADS, BEGINS_BADLY, WORSE):
        run(client, errors)

    (wilcoxon,) = [each for each in client.replay("study").pruners if each.pruner.name == "wilcoxon"]

    assert [(each.trial, each.step) for each in wilcoxon.stopped] == [(2, 4)]
    assert wilcoxon.best_trial == 1


def test_a_fold_whose_mean_is_not_on_record_is_not_judged() -> None:
    best = dict(enumerate(means(LEADS), start=1))
    curve = {step: mean for step, mean in enumerate(means(WORSE), start=1) if step != 2}
    others = Curves()
    others.lead(best, known=1)

    reasons = [judged(curve, last, others).reason for last in (5, 6)]

    # The second fold and the third are not known one by one.
    assert reasons == [None, "step 6: mean 0.225, of the best trial 0.1, p 0.0625 at 4 steps in common"]


def judged(curve: Mapping[int, float], last: int, others: Curves) -> Judgement:
    """What is said of a trial of folds at a step."""
    known = {step: mean for step, mean in curve.items() if step <= last}
    standing = Standing("study", 1, last, curve[last], last - 1, min(known.values()), known, is_mean=True)
    pruner = WilcoxonPruner(name="wilcoxon")
    return pruning.judge(pruner, standing, Others(others), direction=Direction.MINIMIZE)
