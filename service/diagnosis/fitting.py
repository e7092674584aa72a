"""Edits against bias and against variance, each in the order in which the practice tries them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from service.diagnosis.amended import is_possible
from service.diagnosis.case import Case
from service.diagnosis.knobs import (
    Change,
    is_choice,
    is_fixed,
    is_lowest,
    moved,
    offered,
    searched,
    searched_instead,
    was_tried,
)
from trimtab.diagnosis import Edit
from trimtab.space import Categorical, Float, Int, Scale
from trimtab.tasks.knobs import choice
from trimtab.tasks.usual import usual

TIMES = 2
"""As many units, channels or epochs: they act by factors."""

OPTIMIZERS = {"sgd": "momentum", "momentum": "adam", "nesterov": "adam", "rmsprop": "adam", "adam": "momentum"}
"""What is tried beside an optimiser that leaves bias."""


@dataclass(frozen=True)
class Regulariser:
    """How a hyperparameter that regularises is made stronger.

    Args:
        usual: The range in which it is searched.
        least: What is ruled out of a range lies below it.
        first: The first value that is tried where it is held fixed at less.
        stronger: From one value to the next.
    """

    usual: Float
    least: float
    first: float
    stronger: Change

    def after(self, strength: float) -> float:
        """Return the strength that is tried after one; of the greatest that is usual, the same."""
        return self.first if strength < self.first else max(strength, min(self.stronger(strength), self.usual.high))


L2 = Regulariser(
    Float(low=1e-6, high=1e-1, scale=Scale.LOG), least=1e-4, first=1e-4, stronger=lambda strength: strength * 10
)
DROPOUT = Regulariser(Float(low=0.2, high=0.6), least=0.2, first=0.2, stronger=lambda share: share + 0.1)
LITTLE_DROPOUT = Regulariser(Float(low=0.0, high=0.6), least=0.0, first=0.1, stronger=DROPOUT.stronger)

LARGE = 3
"""Tolerances: so much variance calls for all that regularises, and for much dropout. Against less it is one at a time,
and little dropout stays among the choices: all at once may cost more than there is to win."""

MOST = 0.5
"""Of the first loss: a training that leaves so much of it has hardly begun, or its steps are too large."""

FEW_UNITS = 24
"""In a hidden layer: without a fifth of them a network may no longer fit, so little dropout stays among its choices."""

STRONG = {"dropout": 0.3, "input_dropout": 0.3, "l1": 1e-2, "l2": 1e-2, "weight_decay": 1.0}
"""From there on a network may not fit because of it: half of what is usual, and of what shrinks weights the last tenth.
`weight_decay` is taken times the learning rate, so there it is more."""

AUGMENTATION = {"crop": Float(low=0.0, high=0.1), "rotation": Float(low=0.0, high=10.0)}
"""Up to a tenth of the sides, and degrees: both leave digits and letters what they are."""

PATIENCE_SHARE = 0.2
"""Of the epochs: as long as the stretch over which the doctor itself compares errors."""


def rate_searched(case: Case, reason: str) -> Iterator[Edit | None]:
    """Give the edits that search the learning rate, where the one that every trial has leaves most of the loss."""
    first, last = case.metrics.get("first_loss", 0.0), case.metrics.get("training_loss", 0.0)
    if case.task is None or "learning_rate" in case.spec.declared.root or first <= 0 or last <= MOST * first:
        return
    reason = f"all trials have one learning rate, and with it {last / first:.0%} of the first loss is left; {reason}"
    found = searched_instead(case, "learning_rate", usual("learning_rate", case.task), reason=reason)
    if is_possible(case.spec, found, case.datasets):
        yield from found


def larger(case: Case, reason: str) -> Iterator[Edit | None]:
    """Give the edits that make the network larger: more units, then more layers.

    Of a range on whose low end the trial lies the high end stays: there the study itself says that fewer are better.
    """
    for units, layers in (("hidden_units", "hidden_layers"), ("channels", "conv_blocks")):
        if case.settled.get(layers) != 0 and not is_lowest(case, units):
            yield moved(case, units, lambda number: number * TIMES, bound="high", reason=reason)
    deeper = "conv_blocks" if "conv_blocks" in case.settled else "hidden_layers"
    if not is_lowest(case, deeper):
        yield moved(case, deeper, lambda number: number + 1, bound="high", reason=reason)


def weaker(case: Case, reason: str) -> Iterator[Edit | None]:
    """Give the edits that let a network be regularised less, where it cannot be but strongly."""
    for name in strong(case):
        yield moved(case, name, _weakened(name), bound="low", reason=f"{name} is strong, and {reason}")


def strong(case: Case) -> list[str]:
    """Return what regularises every network of the study strongly: where weak ones may be, they were no better."""
    return [name for name, from_there in STRONG.items() if _least(case, name) >= from_there]


def longer(case: Case, reason: str) -> Edit | None:
    """Return the edit that trains longer: more epochs or, where patience ended the training before, more of that."""
    epochs, trained = case.settled.get("epochs"), case.metrics.get("epochs_trained")
    if case.settled.get("patience") and isinstance(epochs, int) and trained is not None and trained < epochs:
        reason = f"{reason}, and patience ended the training after {trained:.0f} of {epochs} epochs"
        return moved(case, "patience", lambda patience: patience * TIMES, bound="high", reason=reason)
    return moved(case, "epochs", lambda epochs: epochs * TIMES, bound="high", reason=reason)


def other_optimizer(case: Case, reason: str) -> Edit | None:
    """Return the edit that tries another optimiser, beside the one that is left to its default.

    None where a study that this one follows tried it.
    """
    now = str(case.settled.get("optimizer"))
    other = OPTIMIZERS.get(now)
    if other is None or was_tried(case, "optimizer", other):
        return None
    if not is_fixed(case, "optimizer") and (added := searched(case, "optimizer", choice(now, other), reason=reason)):
        return added
    return offered(case, "optimizer", other, reason=reason)


def regularised(case: Case, reason: str, *, is_large: bool) -> Iterator[Edit | None]:
    """Give the edits that regularise: L2, dropout, and of images augmentation.

    Args:
        case: What was looked at.
        reason: Why.
        is_large: Whether variance is so large that all are needed; else it is one at a time.
    """
    every = filter(None, _regularising(case, reason, is_large=is_large))
    yield from every if is_large else islice(every, 1)


def _regularising(case: Case, reason: str, *, is_large: bool) -> Iterator[Edit | None]:
    yield _more(case, "l2", L2, reason)
    yield _more(case, "dropout", DROPOUT if is_large and not _has_few_units(case) else LITTLE_DROPOUT, reason)
    for name, parameter in AUGMENTATION.items() if case.has_images else ():
        yield _augmented(case, name, parameter, reason)


def stopped_early(case: Case, reason: str) -> Edit | None:
    """Return the edit that ends trials which get no better; None where they end already."""
    epochs, patience = case.settled.get("epochs"), case.settled.get("patience")
    if patience != 0 or not isinstance(epochs, int):
        return None
    return moved(case, "patience", lambda most: max(most, 3, PATIENCE_SHARE * epochs), bound="high", reason=reason)


def _weakened(name: str) -> Change:
    """Return what makes a regulariser weaker: shares go by halves, what shrinks weights by tenths."""
    return lambda strength: strength / 2 if name.endswith("dropout") else strength / 10


def _least(case: Case, name: str) -> float:
    """Return how little of a regulariser a trial may have; of a list that is fixed, of what has most."""
    parameter = case.spec.declared.root.get(name)
    if parameter is not None:
        return min((one for one in parameter.extremes() if isinstance(one, int | float)), default=0.0)
    value = case.settled.get(name)
    values = value if isinstance(value, tuple) else (value,)
    return max((one for one in values if isinstance(one, int | float)), default=0.0)


def _has_few_units(case: Case) -> bool:
    """Return whether a hidden layer has so few units that it hardly spares a fifth of them."""
    units = case.settled.get("hidden_units")
    numbers = [one for one in (units if isinstance(units, tuple) else (units,)) if isinstance(one, int)]
    return min(numbers, default=math.inf) <= FEW_UNITS


def _augmented(case: Case, name: str, usual: Float, reason: str) -> Edit | None:
    if added := searched(case, name, usual, reason=reason):
        return added
    return moved(case, name, lambda most: max(most, usual.high), bound="high", reason=reason)


def _more(case: Case, name: str, regulariser: Regulariser, reason: str) -> Edit | None:
    """Return the edit that searches a regulariser, or the next that makes it stronger; None: it is as strong as usual.

    Of a range first the weak part is ruled out, if any is left then; else it is made to reach as far as is usual. Of
    choices likewise, but that the next stronger one joins them.
    """
    usual, least = regulariser.usual, regulariser.least
    parameter = case.spec.declared.root.get(name)
    if parameter is None and not is_fixed(case, name):
        return searched(case, name, usual, reason=reason)
    if parameter is None:
        return moved(case, name, regulariser.after, bound="high", reason=reason)
    without = None
    if _strongest(parameter) > least:
        without = moved(case, name, lambda low: max(low, least), bound="low", reason=reason)
    reach = regulariser.after if is_choice(case, name) else lambda high: max(high, usual.high)
    return without or moved(case, name, reach, bound="high", reason=reason)


def _strongest(parameter: Float | Int | Categorical) -> float:
    return max((value for value in parameter.extremes() if isinstance(value, int | float)), default=-math.inf)
