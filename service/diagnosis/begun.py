"""Findings on how the training began and what flows through the network: first loss, gradients, units."""

import math
from statistics import median

from service.diagnosis.case import Case
from service.diagnosis.conditions import conditions, figures
from trimtab.diagnosis import Condition, Finding, FindingCode

FIRST_LOSS_TIMES = 3.0
"""Of the loss of an even guess, ln(classes)."""

DEVIATIONS = 5
"""Of the targets, that first answers are off by. Where inputs are normalised and first weights of the right scale it is
1 to 2, and of 600 networks, some with two units, none was 4.5 off; where inputs reach 2,000 it is a hundred."""

FIRST_LOSSES = {"auto": DEVIATIONS**2, "squared": DEVIATIONS**2, "absolute": DEVIATIONS, "huber": DEVIATIONS - 0.5}
"""What answers that are off by so much come to, by the loss of a number."""

FAINT = 0.03
"""Of activations of the last hidden layer before the first step, where features have a scale of 1: weights of the right
scale keep it near 1 for rectifiers, and over 1 / (2 sqrt(l)) for tanh at layer l, which is 0.05 at layer 100."""

VANISHING = 1e-4
"""The gradient of the first layer over that of the last."""

_WRONG_SCALE = "the inputs are not normalised, or the first weights are too large"

EXPLODING = 1e3
"""A gradient over that of the first epoch; and the first layer's over the last's, as many times again."""

DEAD_SHARE = 0.5
"""Of a layer's units, never active: the layer is half as wide as it was asked to be. Where bias is high, that is; a
network that fits all the same has units to spare."""


def first_loss(case: Case) -> Finding | None:
    """Find a loss that begins far above that of a guess: the inputs or the first weights have a wrong scale."""
    loss, classes = case.metrics.get("first_loss"), case.classes
    if loss is None or classes is None:
        return None
    return _first_loss_of_classes(loss, classes) if classes else _first_loss_of_numbers(loss, case)


def _first_loss_of_classes(loss: float, classes: int) -> Finding | None:
    guess = math.log(classes)
    if loss <= FIRST_LOSS_TIMES * guess:
        return None
    text = (
        f"the first loss, {loss:.3g}, is {loss / guess:.1f} times that of an even guess among {classes} classes, "
        f"{guess:.3g}: {_WRONG_SCALE}"
    )
    return Finding(code=FindingCode.FIRST_LOSS, figures={"first_loss": loss, "guess_loss": guess}, text=text)


def _first_loss_of_numbers(loss: float, case: Case) -> Finding | None:
    most = FIRST_LOSSES.get(str(case.settled.get("loss")))
    if most is None or loss <= most:
        return None
    text = (
        f"the first loss, {loss:.3g}, is above {most:g}, that of answers which are {DEVIATIONS} standard deviations of "
        f"the target off: {_WRONG_SCALE}"
    )
    return Finding(code=FindingCode.FIRST_LOSS, figures={"first_loss": loss, "most_loss": most}, text=text)


def small_first_weights(case: Case) -> Finding | None:
    """Find an untrained network through which hardly anything passes, where it does not fit.

    Its gradients are products of its weights: with those of several layers small, plain steps lead nowhere for long. A
    network that fits all the same has got over it, as with steps that do not go by the size of the gradient.
    """
    scale, found = case.metrics.get("untrained_activation_scale"), figures(case)
    if scale is None or scale >= FAINT or found is None or Condition.HIGH_BIAS not in conditions(found):
        return None
    text = (
        f"before the first step the activations of the last hidden layer have a scale of {scale:.1e}, where first "
        "weights of the right scale keep it near 1: hardly anything passes through the network, and it learns next to "
        "nothing for long; begin with larger first weights, normalise features or activations"
    )
    return Finding(code=FindingCode.SMALL_FIRST_WEIGHTS, figures={"activation_scale": scale}, text=text)


def exploding(case: Case) -> Finding | None:
    """Find gradients that grew beyond measure."""
    norms = [point["gradient_norm"] for point in case.curve if "gradient_norm" in point]
    growth = max(norms) / norms[0] if norms and norms[0] > 0 else 0.0
    ratio = _first_over_last(case)
    is_steep = ratio is not None and ratio > 1 / VANISHING
    if growth <= EXPLODING and not is_steep:
        return None
    text = (
        f"gradients grew to {growth:.3g} times those of the first epoch"
        if growth > EXPLODING
        else f"the first layer's gradient is {ratio:.3g} times the last layer's"
    )
    text += ": begin with weights of the right scale, normalise activations, take smaller steps"
    return Finding(
        code=FindingCode.EXPLODING,
        figures={"growth": growth} | ({"first_over_last": ratio} if ratio else {}),
        text=text,
    )


def vanishing(case: Case) -> Finding | None:
    """Find a first layer that hardly learns."""
    ratio = _first_over_last(case)
    if ratio is None or ratio >= VANISHING:
        return None
    text = (
        f"the first layer's gradient is {ratio:.1e} of the last layer's: it hardly learns; take an activation that "
        "does not saturate, with weights that begin at the right scale for it, or normalise activations"
    )
    return Finding(code=FindingCode.VANISHING, figures={"first_over_last": ratio}, text=text)


def dead_units(case: Case) -> Finding | None:
    """Find layers of which more than half is never active, in a network that does not fit."""
    share, found = case.metrics.get("dead_units", 0.0), figures(case)
    if share <= DEAD_SHARE or found is None or Condition.HIGH_BIAS not in conditions(found):
        return None
    text = (
        f"of a hidden layer {share:.0%} of the units are active on no training example and learn nothing any more: "
        "take smaller steps, or an activation that is never flat"
    )
    return Finding(code=FindingCode.DEAD_UNITS, figures={"dead_units": share}, text=text)


def _first_over_last(case: Case) -> float | None:
    """Return the gradient of the first layer over that of the last, in the middle of the training; None: not known.

    Over all epochs: at the end of a good training both are next to nothing, and their ratio is chance.
    """
    points = case.curve or [case.metrics]
    ratios = [
        point["first_gradient_norm"] / point["last_gradient_norm"]
        for point in points
        if point.get("last_gradient_norm", 0.0) > 0 and "first_gradient_norm" in point
    ]
    return median(ratios) if ratios else None
