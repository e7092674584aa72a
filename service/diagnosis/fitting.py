"""Edits against bias and against variance, each in the order in which the practice tries them."""

from collections.abc import Iterator

from service.diagnosis.case import Case
from service.diagnosis.knobs import is_fixed, moved, offered, searched
from trimtab.diagnosis import Edit
from trimtab.space import Float, Scale

TIMES = 2
"""As many units, channels or epochs: they act by factors."""

OPTIMIZERS = {"sgd": "momentum", "momentum": "adam", "nesterov": "adam", "rmsprop": "adam", "adam": "momentum"}
"""What is tried beside an optimiser that leaves bias."""

L2 = Float(low=1e-6, high=1e-1, scale=Scale.LOG)
"""The usual range."""

LEAST_L2, LEAST_DROPOUT, MOST_DROPOUT = 1e-4, 0.2, 0.6
"""Where strong regularisation begins, and where dropout ends in its usual range."""

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
    """Return the edit that tries another optimiser."""
    other = OPTIMIZERS.get(str(case.settled.get("optimizer")))
    return offered(case, "optimizer", other, reason=reason) if other else None


def regularised(case: Case, reason: str) -> Iterator[Edit | None]:
    """Give the edits that regularise: L2, dropout, and of images augmentation."""
    yield _more(case, "l2", L2, reason, least=LEAST_L2)
    yield _more(case, "dropout", Float(low=LEAST_DROPOUT, high=MOST_DROPOUT), reason, least=LEAST_DROPOUT)
    if case.has_images:
        yield moved(case, "crop", lambda share: max(share, CROP), bound="high", reason=reason)
        yield moved(case, "rotation", lambda degrees: max(degrees, ROTATION), bound="high", reason=reason)


def stopped_early(case: Case, reason: str) -> Edit | None:
    """Return the edit that ends trials which get no better; None where they end already."""
    epochs, patience = case.settled.get("epochs"), case.settled.get("patience")
    if patience != 0 or not isinstance(epochs, int):
        return None
    return moved(case, "patience", lambda _: max(3, PATIENCE_SHARE * epochs), bound="high", reason=reason)


def _more(case: Case, name: str, usual: Float, reason: str, *, least: float) -> Edit | None:
    """Return the edit that searches a regulariser, or one that rules out little of it."""
    if not is_fixed(case, name) and (added := searched(case, name, usual, reason=reason)):
        return added
    return moved(case, name, lambda strength: max(strength, least), bound="low", reason=reason)
