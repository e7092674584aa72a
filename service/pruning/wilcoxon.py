"""Stops a trial that is worse than the best one at the same steps, by a signed-rank test."""

from collections.abc import Sequence
from functools import lru_cache

from service.curves import Curve
from service.pruning.judgement import GO_ON, Judgement, Standing, stop
from trimtab.pruners import WilcoxonPruner
from trimtab.states import Direction

_FEWEST = 2
"""Pairs that Optuna's pruner tests."""

_DIGITS = 10
"""That are looked at where a difference is worked out of sums, which have some 15, less those of their length."""


def judge(pruner: WilcoxonPruner, standing: Standing, best: Curve | None, direction: Direction) -> Judgement:
    """Decide as `optuna.pruners.WilcoxonPruner` does, where values are means as it does of what they are means of.

    Not by Optuna's own, which does not tell its p, and warns where it does not judge.

    Args:
        pruner: How to decide.
        standing: The trial.
        best: The curve of the best complete trial; None: there is none.
        direction: Which values are better.
    """
    own, theirs = _finite(standing.curve), _finite(best or {})
    if not own or not theirs:
        return GO_ON
    mean_of, differences_of = (_last, _of_means) if standing.is_mean else (_mean, _differences)
    mean, best_mean = mean_of(own), mean_of(theirs)
    # Whoever is better on average is not stopped, whatever the test says.
    if not direction.is_better(best_mean, mean):
        return GO_ON
    differences = differences_of(own, theirs)
    if len(differences) < max(_FEWEST, pruner.startup_steps):
        return GO_ON
    p = _p(_signed_ranks(differences), direction)
    if not p < pruner.p_threshold:
        return GO_ON
    return stop(
        f"step {standing.step}: mean {mean:.6g}, of the best trial {best_mean:.6g}, "
        f"p {p:.3g} at {len(differences)} steps in common"
    )


def _finite(curve: Curve) -> dict[int, float]:
    """Return a curve without a gap; nothing if a value of it is not finite."""
    values = {step: value for step, value in curve.items() if value is not None}
    return values if len(values) == len(curve) else {}


def _mean(curve: dict[int, float]) -> float:
    return sum(curve[step] for step in sorted(curve)) / len(curve)


def _last(means: dict[int, float]) -> float:
    return means[max(means)]


def _differences(own: dict[int, float], theirs: dict[int, float]) -> list[float]:
    """Return by how much two curves differ at each step that they have in common."""
    return [own[step] - theirs[step] for step in sorted(own) if step in theirs]


def _of_means(own: dict[int, float], theirs: dict[int, float]) -> list[float]:
    """Return by how much two trials differ in each single measurement, as shares of the greatest mean.

    The k-th is k times the mean of k less k - 1 times that of k - 1; where one of the two is not on record, nothing.
    """
    greatest = max(abs(mean) for curve in (own, theirs) for mean in curve.values())
    sums = {step: step * (own[step] / greatest - theirs[step] / greatest) for step in sorted(own) if step in theirs}
    sums[0] = 0.0
    # What was equal, as errors that are counts often are, is so again only when rounded.
    return [round(sums[step] - sums[step - 1], _DIGITS) for step in sums if step - 1 in sums]


def _signed_ranks(differences: Sequence[float]) -> tuple[int, ...]:
    """Return all of the differences that the test looks at: by the order of their sizes, with their signs."""
    sizes = {size: rank for rank, size in enumerate(sorted({abs(one) for one in differences if one}), start=1)}
    return tuple(sorted(sizes[one] if one > 0 else -sizes[-one] if one else 0 for one in differences))


# SciPy takes a millisecond, and short curves have few orders.
@lru_cache(maxsize=4096)
def _p(signed_ranks: tuple[int, ...], direction: Direction) -> float:
    """Return how likely differences of these ranks are, were the trial no worse than the best one."""
    from scipy.stats import wilcoxon  # noqa: PLC0415  # takes a second to import, and few studies need it

    alternative = "greater" if direction is Direction.MINIMIZE else "less"
    return float(wilcoxon(signed_ranks, alternative=alternative, zero_method="zsplit").pvalue)
