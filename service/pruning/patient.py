"""Bears some reports without a better value; then the trial is stopped, or another pruner is asked."""

from collections.abc import Iterable

from service.pruning.judgement import GO_ON, Judgement, Standing, stop
from trimtab.pruners import PatientPruner
from trimtab.states import Direction


def judge(pruner: PatientPruner, standing: Standing, direction: Direction) -> Judgement:
    """Decide as `optuna.pruners.PatientPruner` does around no other.

    Not by Optuna's own, which can wrap none but its own kind: a wrapped one of ours is asked where this says stop.
    """
    values = list(standing.curve.values())
    before, after = values[: -pruner.patience - 1], values[-pruner.patience - 1 :]
    best_before, best_after = _best(before, direction), _best(after, direction)
    if best_before is None or best_after is None:
        return GO_ON
    if not direction.sign * best_before + pruner.min_delta < direction.sign * best_after:
        return GO_ON
    return stop(
        f"step {standing.step}: best of the last {len(after)} reports {best_after:.6g}, "
        f"of the {len(before)} before {best_before:.6g}"
    )


def _best(values: Iterable[float | None], direction: Direction) -> float | None:
    finite = (value for value in values if value is not None)
    return min(finite, key=lambda value: direction.sign * value, default=None)
