"""Edits against bias and against variance, each in the order in which the practice tries them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from service.diagnosis.case import Case
from service.diagnosis.knobs import Change, is_fixed, moved, offered, searched, was_tried
from trimtab.diagnosis import Edit
from trimtab.space import Categorical, Float, Scale

TIMES = 2
"""As many units, channels or epochs: they act by factors."""

OPTIMIZERS = {"sgd": "momentum", "momentum": "adam", "nesterov": "adam", "rmsprop": "adam", "adam": "momentum"}
"""What is tried beside an optimiser that leaves bias."""


@dataclass(frozen=True)
class Regulariser:
    """How a hyperparameter that regularises is made stronger.

    Args:
        usual: Its usual range.
        least: Where strong regularisation begins.
        stronger: From one value to the next.
    """

    usual: Float
    least: float
    stronger: Change

    def after(self, strength: float) -> float:
        """Return the strength that is tried after one; of the greatest that is usual, the same."""
        return self.least if strength < self.least else max(strength, min(self.stronger(strength), self.usual.high))


L2 = Regulariser(Float(low=1e-6, high=1e-1, scale=Scale.LOG), least=1e-4, stronger=lambda strength: strength * 10)
DROPOUT = Regulariser(Float(low=0.2, high=0.6), least=0.2, stronger=lambda share: share + 0.1)
DROPOUT_OF_FEW = Regulariser(Float(low=0.0, high=0.6), least=0.0, stronger=DROPOUT.stronger)

FEW_UNITS = 24
"""In a hidden layer: without a fifth of them a network may no longer fit, so little dropout stays among its choices."""

CROP, ROTATION = 0.1, 10.0
"""Of augmentation: a tenth of the sides, and degrees; both leave digits and letters what they are."""

PATIENCE_SHARE = 0.2
"""Of the epochs: as long as the stretch over which the doctor itself compares errors."""


def larger(case: Case, reason: str) -> Iterator[Edit | None]:
    """Give the edits that make the network larger: more units, then more layers."""
    for units, layers in (("hidden_units", "hidden_layers"), ("channels", "conv_blocks")):
        if case.settled.get(layers) != 0:
            yield moved(case, units, lambda number: number * TIMES, bound="high", reason=reason)
    deeper = "conv_blocks" if "conv_blocks" in case.settled else "hidden_layers"
    yield moved(case, deeper, lambda number: number + 1, bound="high", reason=reason)


def longer(case: Case, reason: str) -> Edit | None:
    """Return the edit that trains longer."""
    return moved(case, "epochs", lambda epochs: epochs * TIMES, bound="high", reason=reason)


def other_optimizer(case: Case, reason: str) -> Edit | None:
    """Return the edit that tries another optimiser; None where a study that this one follows tried it."""
    other = OPTIMIZERS.get(str(case.settled.get("optimizer")))
    if other is None or was_tried(case, "optimizer", other):
        return None
    return offered(case, "optimizer", other, reason=reason)


def regularised(case: Case, reason: str) -> Iterator[Edit | None]:
    """Give the edits that regularise: L2, dropout, and of images augmentation."""
    yield _more(case, "l2", L2, reason)
    yield _more(case, "dropout", DROPOUT_OF_FEW if _has_few_units(case) else DROPOUT, reason)
    if case.has_images:
        yield moved(case, "crop", lambda share: max(share, CROP), bound="high", reason=reason)
        yield moved(case, "rotation", lambda degrees: max(degrees, ROTATION), bound="high", reason=reason)


def stopped_early(case: Case, reason: str) -> Edit | None:
    """Return the edit that ends trials which get no better; None where they end already."""
    epochs, patience = case.settled.get("epochs"), case.settled.get("patience")
    if patience != 0 or not isinstance(epochs, int):
        return None
    return moved(case, "patience", lambda _: max(3, PATIENCE_SHARE * epochs), bound="high", reason=reason)


def _has_few_units(case: Case) -> bool:
    """Return whether a hidden layer has so few units that it hardly spares a fifth of them."""
    units = case.settled.get("hidden_units")
    numbers = [one for one in (units if isinstance(units, tuple) else (units,)) if isinstance(one, int)]
    return min(numbers, default=math.inf) <= FEW_UNITS


def _more(case: Case, name: str, regulariser: Regulariser, reason: str) -> Edit | None:
    """Return the edit that searches a regulariser, or the next that makes it stronger; None: it is as strong as usual.

    Of a range first the weak part is ruled out, if any is left then; else it is made to reach as far as is usual.
    """
    usual, least = regulariser.usual, regulariser.least
    parameter = case.spec.declared.root.get(name)
    if parameter is None and not is_fixed(case, name):
        return searched(case, name, usual, reason=reason)
    if parameter is None:
        return moved(case, name, regulariser.after, bound="high", reason=reason)
    strong = None
    if not isinstance(parameter, Categorical) and parameter.high > least:
        strong = moved(case, name, lambda low: max(low, least), bound="low", reason=reason)
    return strong or moved(case, name, lambda high: max(high, usual.high), bound="high", reason=reason)
