"""Every pruner of ours decides as Optuna's own, report by report."""

import warnings
from collections.abc import Callable, Iterator

import numpy as np
import optuna
import pytest

from service import pruning
from service.curves import Curves
from service.pruning import GO_ON, Judgement, Others, Standing
from tests.service.pruned import Played, as_stored, is_stopped
from trimtab.pruners import (
    HyperbandPruner,
    MedianPruner,
    NoPruner,
    PatientPruner,
    PercentilePruner,
    Pruner,
    SuccessiveHalvingPruner,
    ThresholdPruner,
    WilcoxonPruner,
)
from trimtab.states import Decision, Direction

HISTORIES = 30
TRIALS = 16

Pair = tuple[optuna.pruners.BasePruner, Pruner]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Let Optuna warn of what it does not judge, and of what is experimental in it."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.filterwarnings("ignore", "All-NaN", RuntimeWarning)
        warnings.filterwarnings("ignore", ".*WilcoxonPruner", UserWarning)
        yield
    optuna.logging.set_verbosity(verbosity)


def median(rng: np.random.RandomState) -> Pair:
    startup, warmup, interval, least = rng.randint(0, 4), rng.randint(0, 4), rng.randint(1, 4), rng.randint(1, 4)
    ours = MedianPruner(
        startup_trials=int(startup), warmup_steps=int(warmup), interval_steps=int(interval), min_trials=int(least)
    )
    theirs = optuna.pruners.MedianPruner(startup, warmup + 1, interval, n_min_trials=least)
    return theirs, ours


def percentile(rng: np.random.RandomState) -> Pair:
    percent = float(rng.choice([0.0, 10.0, 25.0, 33.3, 50.0, 75.0, 100.0]))
    startup, warmup, interval, least = rng.randint(0, 4), rng.randint(0, 4), rng.randint(1, 4), rng.randint(1, 4)
    ours = PercentilePruner(
        name="percentile",
        percentile=percent,
        startup_trials=int(startup),
        warmup_steps=int(warmup),
        interval_steps=int(interval),
        min_trials=int(least),
    )
    return optuna.pruners.PercentilePruner(percent, startup, warmup + 1, interval, n_min_trials=least), ours


def successive_halving(rng: np.random.RandomState) -> Pair:
    first, factor, rate, bootstrap = (int(rng.randint(*low_high)) for low_high in ((1, 4), (2, 5), (0, 2), (0, 3)))
    ours = SuccessiveHalvingPruner(
        name="successive_halving",
        min_resource=first,
        reduction_factor=factor,
        min_early_stopping_rate=rate,
        bootstrap_count=bootstrap,
    )
    return optuna.pruners.SuccessiveHalvingPruner(first, factor, rate, bootstrap), ours


def hyperband(rng: np.random.RandomState) -> Pair:
    first, longest, factor, bootstrap = (int(rng.randint(*low_high)) for low_high in ((1, 3), (3, 40), (2, 5), (0, 3)))
    ours = HyperbandPruner(
        name="hyperband", min_resource=first, max_resource=longest, reduction_factor=factor, bootstrap_count=bootstrap
    )
    return optuna.pruners.HyperbandPruner(first, longest, factor, bootstrap), ours


def threshold(rng: np.random.RandomState) -> Pair:
    lower, upper = (float(rng.choice([-0.2, 0.05])), float(rng.choice([0.5, 0.9])))
    bounds = [(lower, None), (None, upper), (lower, upper)][rng.randint(3)]
    warmup, interval = int(rng.randint(0, 4)), int(rng.randint(1, 4))
    ours = ThresholdPruner(
        name="threshold", lower=bounds[0], upper=bounds[1], warmup_steps=warmup, interval_steps=interval
    )
    return optuna.pruners.ThresholdPruner(*bounds, warmup + 1, interval), ours


def wilcoxon(rng: np.random.RandomState) -> Pair:
    p, startup = float(rng.choice([0.05, 0.1, 0.3, 0.6])), int(rng.randint(0, 5))
    ours = WilcoxonPruner(name="wilcoxon", p_threshold=p, startup_steps=startup)
    return optuna.pruners.WilcoxonPruner(p_threshold=p, n_startup_steps=startup), ours


WRAPPABLE: list[Callable[[np.random.RandomState], Pair]] = [
    median,
    percentile,
    successive_halving,
    hyperband,
    threshold,
    wilcoxon,
]


def patient(rng: np.random.RandomState) -> Pair:
    patience, delta = int(rng.randint(0, 4)), float(rng.choice([0.0, 0.05]))
    wrapped = None if rng.rand() < 0.3 else WRAPPABLE[rng.randint(len(WRAPPABLE))](rng)
    theirs = optuna.pruners.PatientPruner(wrapped[0] if wrapped else None, patience, delta)
    ours = PatientPruner(name="patient", patience=patience, min_delta=delta)
    return theirs, ours.model_copy(update={"wrapped_pruner": wrapped[1] if wrapped else None})


def none(_: np.random.RandomState) -> Pair:
    return optuna.pruners.NopPruner(), NoPruner(name="none")


@pytest.mark.parametrize("pair", [*WRAPPABLE, patient, none])
@pytest.mark.parametrize("direction", Direction)
def test_a_pruner_decides_as_optunas_own(pair: Callable[[np.random.RandomState], Pair], direction: Direction) -> None:
    stops = reports = 0
    for history in range(HISTORIES):
        rng = np.random.RandomState(history)
        theirs, ours = pair(rng)
        played = Played(theirs, ours, direction, history)

        for is_pruned, judgement in played.decisions(TRIALS, side_by_side=int(rng.choice([1, 2, 5]))):
            assert is_stopped(judgement) == is_pruned, f"history {history} of {ours}: {judgement}"
            stops += is_pruned
            reports += 1

    assert pair is none or HISTORIES < stops < reports - HISTORIES, "the histories should lead to both decisions"


def test_curves_added_at_once_are_those_added_one_by_one() -> None:
    rng = np.random.RandomState(1)
    curves = [{int(step): float(rng.rand()) for step in range(1, 9) if rng.rand() < 0.8} for _ in range(50)]
    stored = [as_stored(curve) for curve in curves]

    at_once, one_by_one = Curves(), Curves()
    at_once.add(stored, known=50)
    for order, curve in enumerate(stored, start=1):
        one_by_one.add([curve], known=order)

    assert at_once == one_by_one


# -- why a trial is stopped -----------------------------------------------------------------------------


def judged(pruner: Pruner, curve: dict[int, float | None], others: Others, *, number: int = 0) -> Judgement:
    """What is said of a trial at the end of a curve, of errors."""
    *before, step = sorted(curve)
    finite = [value for value in curve.values() if value is not None]
    standing = Standing("study", number, step, curve[step], max(before, default=0), min(finite, default=None), curve)
    return pruning.judge(pruner, standing, others, direction=Direction.MINIMIZE)


def completed(*curves: dict[int, float | None]) -> Others:
    known = Curves()
    known.add(curves, known=len(curves))
    return Others(known)


def led_by(best: dict[int, float | None]) -> Others:
    known = Curves()
    known.lead(best, known=1)
    return Others(known)


ALONE = Others(Curves())
AT_RUNG_0 = {number: {"completed_rung_0": value} for number, value in enumerate((0.1, 0.2, 0.3), start=1)}
EAGER_HALVING = SuccessiveHalvingPruner(name="successive_halving", reduction_factor=2)


@pytest.mark.parametrize(
    ("pruner", "curve", "others", "reason"),
    [
        (
            MedianPruner(startup_trials=1),
            {4: 0.25},
            completed({4: 0.1}, {4: 0.2}, {4: 0.3}),
            "step 4: best so far 0.25, median of 3 complete trials 0.2",
        ),
        (
            PercentilePruner(name="percentile", startup_trials=1),
            {4: 0.18},
            completed({4: 0.1}, {4: 0.2}, {4: 0.3}),
            "step 4: best so far 0.18, best 25 % of 3 complete trials 0.15",
        ),
        (MedianPruner(startup_trials=1), {4: None}, completed({4: 0.1}), "step 4: no finite value so far"),
        (ThresholdPruner(name="threshold", upper=0.9), {1: 0.95}, ALONE, "step 1: 0.95, above 0.9"),
        (ThresholdPruner(name="threshold", lower=0.1), {1: 0.05}, ALONE, "step 1: 0.05, below 0.1"),
        (ThresholdPruner(name="threshold", lower=0.1), {1: None}, ALONE, "step 1: not finite"),
        (
            PatientPruner(name="patient", patience=1),
            {1: 0.2, 2: 0.1, 3: 0.3, 4: 0.25},
            ALONE,
            "step 4: best of the last 2 reports 0.25, of the 2 before 0.1",
        ),
        (
            EAGER_HALVING,
            {1: 0.25},
            Others(Curves(), AT_RUNG_0),
            "step 1: 0.25 at rung 0, the best 2 of 4 trials there reached 0.2",
        ),
        (EAGER_HALVING, {1: None}, Others(Curves(), AT_RUNG_0), "step 1: not finite at a rung"),
        (
            SuccessiveHalvingPruner(name="successive_halving", bootstrap_count=7),
            {1: 0.05},
            Others(Curves(), AT_RUNG_0),
            "step 1: 0.05 at rung 0, to which 4 trials came; more than 7 must",
        ),
        (
            HyperbandPruner(name="hyperband", max_resource=2),
            {1: 0.25},
            Others(Curves(), AT_RUNG_0),
            "step 1: 0.25 at rung 0, the best 1 of 4 trials there reached 0.1 (bracket 0 of 1)",
        ),
        (
            WilcoxonPruner(name="wilcoxon"),
            {1: 0.2, 2: 0.3, 3: 0.5, 4: 0.6},
            led_by({1: 0.1, 2: 0.1, 3: 0.2, 4: 0.2}),
            "step 4: mean 0.4, of the best trial 0.15, p 0.0625 at 4 steps in common",
        ),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_stop_says_why(pruner: Pruner, curve: dict[int, float | None], others: Others, reason: str) -> None:
    judgement = judged(pruner, curve, others)

    assert judgement.reason == reason


def test_steps_up_to_the_warm_up_never_stop_a_trial() -> None:
    pruner, others = MedianPruner(startup_trials=1, warmup_steps=3), completed({3: 0.1, 4: 0.1})

    at_3 = judged(pruner, {3: 0.9}, others)
    at_4 = judged(pruner, {4: 0.9}, others)

    assert (at_3.decision, at_4.decision) == (Decision.CONTINUE, Decision.STOP)


def test_without_a_pruner_every_trial_goes_on() -> None:
    judgement = judged(NoPruner(name="none"), {1: 0.9}, completed({1: 0.1}))

    assert judgement == GO_ON


def test_a_patient_pruner_asks_the_one_that_it_wraps_only_about_a_trial_that_does_not_get_better() -> None:
    pruner = PatientPruner(name="patient", patience=0, wrapped_pruner=EAGER_HALVING)
    others = Others(Curves(), AT_RUNG_0)

    better = judged(pruner, {1: 0.4, 2: 0.25}, others)
    worse = judged(pruner, {1: 0.25, 2: 0.4}, others)

    assert better == GO_ON
    assert worse.reason == "step 2: 0.4 at rung 0, the best 2 of 4 trials there reached 0.2"
