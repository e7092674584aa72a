"""Findings on how the error went: whether it still falls when the training ends, or turned up before."""

from collections.abc import Iterator, Sequence
from statistics import mean

import numpy as np
import numpy.typing as npt

from service.diagnosis.case import Case, Curve
from service.diagnosis.conditions import figures
from trimtab.diagnosis import Finding, FindingCode

FEWEST_STEPS = 5
"""Of a curve that says anything."""

LAST = 0.2
"""Share of a curve that its end is."""

STILL = 0.5
"""Of the tolerance: so much better at the end of the training than just before, and it has not come to rest. Not less
than the noise of such a difference, here and below."""

RISE = 1.0
"""Of the tolerance: so much worse at the end of the training than at its best."""


def still_improving(case: Case) -> Finding | None:
    """Find that most of the good trials had not come to rest when they ended."""
    found = figures(case)
    curves = [errors for errors in _errors([case.curve, *case.others]) if len(errors) >= FEWEST_STEPS]
    if found is None or not curves:
        return None
    falls = [fall(errors) for errors in curves]
    least = max(STILL * found.tolerance, found.noise["variance"])
    improving = [one for one in falls if one > least]
    if 2 * len(improving) <= len(curves) or falls[0] <= least:
        return None
    text = (
        f"the validation error still fell by {falls[0]:.3g} over the last fifth of the training "
        f"({len(improving)} of the {len(curves)} best trials): train longer"
    )
    return Finding(
        code=FindingCode.STILL_IMPROVING,
        figures={"fall": falls[0], "improving": float(len(improving)), "trials": float(len(curves))},
        text=text,
    )


def validation_turning_up(case: Case) -> Finding | None:
    """Find that most of the good trials got worse on the validation set while they went on training.

    Where there is patience, nothing is to be found: a training has gone on to see that it gets no better, and the
    weights of the best epoch are kept.
    """
    found = figures(case)
    curves = [errors for errors in _errors([case.curve, *case.others]) if len(errors) >= FEWEST_STEPS]
    if found is None or not curves or case.settled.get("patience"):
        return None
    rises = [rise(errors) for errors in curves]
    least = max(RISE * found.tolerance, found.noise["variance"])
    rising = [rise for rise in rises if rise > least]
    if 2 * len(rising) <= len(curves) or rises[0] <= least:
        return None
    text = (
        f"the validation error ended {rises[0]:.3g} above its least ({len(rising)} of the {len(curves)} best trials): "
        "stop earlier, or regularise"
    )
    return Finding(
        code=FindingCode.VALIDATION_TURNING_UP,
        figures={"rise": rises[0], "rising": float(len(rising)), "trials": float(len(curves))},
        text=text,
    )


def _errors(curves: Sequence[Curve]) -> Iterator[list[float]]:
    for curve in curves:
        yield [point["validation_error"] for point in curve if "validation_error" in point]


def fall(errors: Sequence[float]) -> float:
    """Return how far the mean of the last fifth lies below that of the fifth before."""
    size = max(2, round(LAST * len(errors)))
    return mean(errors[-2 * size : -size]) - mean(errors[-size:])


def rise(errors: Sequence[float]) -> float:
    """Return how far the mean of the last fifth lies above the least mean of any such stretch before."""
    size = max(2, round(LAST * len(errors)))
    before = _means(errors[:-size], size)
    return mean(errors[-size:]) - float(before.min() if before.size else errors[0])


def _means(values: Sequence[float], size: int) -> npt.NDArray[np.float64]:
    """Return the mean of each stretch of values, in time that does not grow with its size.

    A stretch is the end of one block of that size and the beginning of the next: sums within blocks are enough, and
    nothing is taken away from a sum, in which a large value would have left no trace of the others.
    """
    if len(values) < size:
        return np.array([])
    # B blocks, S values in each; N values in all.
    blocks_BS = np.pad(np.array(values), (0, -len(values) % size)).reshape(-1, size)
    from_begin_N = np.cumsum(blocks_BS, axis=1).ravel()
    to_end_N = np.cumsum(blocks_BS[:, ::-1], axis=1)[:, ::-1].ravel()
    starts = np.arange(len(values) - size + 1)
    rest = np.where(starts % size == 0, 0.0, from_begin_N[starts + size - 1])
    found: npt.NDArray[np.float64] = (to_end_N[starts] + rest) / size
    return found
