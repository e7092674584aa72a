"""From findings to edits of the spec, in the recipe's order: what is wrong first, then bias, then variance.

Three pieces of advice are never given: to regularise while bias is high, to enlarge a network that suffers from
variance alone, and to enlarge one that learns nothing while trials diverge.
"""

from collections.abc import Callable, Iterator, Sequence

from service.diagnosis.amended import is_possible
from service.diagnosis.case import Case
from service.diagnosis.conditions import has_learned_nothing
from service.diagnosis.fitting import (
    LARGE,
    larger,
    longer,
    other_optimizer,
    rate_searched,
    regularised,
    stopped_early,
    weaker,
)
from service.diagnosis.knobs import is_choice, moved, settled
from trimtab.diagnosis import Condition, Edit, Finding, FindingCode

FOLDS = 5
"""Each example validates once, and four fifths of them train."""

SMALLER_RATE = 0.1
"""A step on the scale on which learning rates are searched."""

Remedy = Callable[[Case, Finding], Iterator[Edit | None]]


def edits(case: Case, findings: Sequence[Finding], conditions: Sequence[Condition]) -> list[Edit]:
    """Return the edits that the findings call for; of several to one field the first, and none that no study can have.

    Args:
        case: What was looked at.
        findings: What was seen, first what is to be mended first.
        conditions: What the trial suffers from.
    """
    kept: list[Edit] = []
    is_diverging = any(finding.code is FindingCode.DIVERGING for finding in findings)
    for finding in findings:
        if finding.code is FindingCode.VARIANCE and Condition.HIGH_BIAS in conditions:
            continue
        if finding.code is FindingCode.VALIDATION_TURNING_UP and Condition.HIGH_BIAS in conditions:
            continue
        if finding.code is FindingCode.BIAS and has_learned_nothing(case) and is_diverging:
            continue
        for edit in _REMEDIES[finding.code](case, finding):
            if (
                edit
                and edit.path not in {one.path for one in kept}
                and is_possible(case.spec, [*kept, edit], case.datasets)
            ):
                kept.append(edit)
    return kept


def _none(_: Case, __: Finding) -> Iterator[Edit | None]:
    """Give advice in words alone: the remedy is other data."""
    yield from ()


def _fold(case: Case, finding: Finding) -> Iterator[Edit | None]:
    if case.spec.task is None:
        return
    data = case.spec.task.data
    if data.validation_dataset is None and data.split.validation is None and data.split.folds is None:
        reason = f"{finding.figures['validation_examples']:.0f} validation examples: let each example validate in turn"
        yield Edit(path="task.data.split.folds", was=None, to=FOLDS, reason=reason)


def _weaken(case: Case, finding: Finding) -> Iterator[Edit | None]:
    yield from _rescale(case, f"the first loss was {finding.figures['first_loss']:.3g}")


def _strengthen(case: Case, finding: Finding) -> Iterator[Edit | None]:
    reason = f"the activations of the last hidden layer began with a scale of {finding.figures['activation_scale']:.1e}"
    rescaled = list(filter(None, _rescale(case, reason)))
    yield from rescaled
    if not rescaled:
        # Features and first weights are as they should be: it is the activation that lets so little through.
        yield settled(case, "normalization", "batch", reason=reason)


def _rescale(case: Case, reason: str) -> Iterator[Edit | None]:
    if case.spec.task and case.spec.task.data.normalization == "none":
        yield Edit(path="task.data.normalization", was="none", to="standard", reason=reason)
    yield from _first_weights(case, reason)


def _first_weights(case: Case, reason: str) -> Iterator[Edit | None]:
    yield settled(case, "initialization", "auto", reason=reason)
    yield settled(case, "initialization_gain", 1.0, reason=reason)


def _slow_down(case: Case, finding: Finding) -> Iterator[Edit | None]:
    reason = f"{finding.figures['failed']:.0f} of {finding.figures['ended']:.0f} trials diverged"
    yield from _rescale(case, reason)
    yield from _smaller_steps(case, reason)


def _smaller_steps(case: Case, reason: str) -> Iterator[Edit | None]:
    # To choices there is one edit: those that diverge leave. A range has to make room at its low end first.
    for bound in ("high", "low") if is_choice(case, "learning_rate") else ("low", "high"):
        yield moved(case, "learning_rate", lambda rate: rate * SMALLER_RATE, bound=bound, reason=reason)


def _shrink(case: Case, finding: Finding) -> Iterator[Edit | None]:
    reason = f"{finding.figures['failed']:.0f} of {finding.figures['ended']:.0f} trials ran out of memory"
    for name in ("batch_size", "hidden_units", "channels"):
        yield moved(case, name, lambda size: max(1, size // 2), bound="high", reason=reason)


def _widen(case: Case, finding: Finding) -> Iterator[Edit | None]:
    side = str(finding.figures["side"])
    reason = f"the best learning rate, {finding.figures['learning_rate']:.3g}, lies at the {side} end of its range"
    factor = 1 / SMALLER_RATE if side == "high" else SMALLER_RATE
    yield moved(case, "learning_rate", lambda rate: rate * factor, bound=side, reason=reason)


def _calm(case: Case, _: Finding) -> Iterator[Edit | None]:
    reason = "gradients explode"
    yield from _first_weights(case, reason)
    yield settled(case, "normalization", "batch", reason=reason)
    yield moved(case, "learning_rate", lambda rate: rate * SMALLER_RATE, bound="high", reason=reason)


def _let_through(case: Case, finding: Finding) -> Iterator[Edit | None]:
    reason = f"the first layer's gradient is {finding.figures['first_over_last']:.1e} of the last layer's"
    yield from _first_weights(case, reason)
    if case.settled.get("activation") in {"sigmoid", "tanh"}:
        yield settled(case, "activation", "relu", reason=reason)
    yield settled(case, "normalization", "batch", reason=reason)


def _revive(case: Case, finding: Finding) -> Iterator[Edit | None]:
    reason = f"{finding.figures['dead_units']:.0%} of a layer's units are never active"
    if case.settled.get("activation") == "relu":
        yield settled(case, "activation", "leaky_relu", reason=reason)
    yield moved(case, "learning_rate", lambda rate: rate * SMALLER_RATE, bound="high", reason=reason)


def _fit(case: Case, finding: Finding) -> Iterator[Edit | None]:
    reason = f"the training error is {finding.figures['bias']:.3g} above the target"
    yield from rate_searched(case, reason)
    yield from weaker(case, reason)
    yield from larger(case, reason)
    yield longer(case, reason)
    yield other_optimizer(case, reason)


def _regularise(case: Case, finding: Finding) -> Iterator[Edit | None]:
    variance = finding.figures["variance"]
    assert isinstance(variance, float), "it is a difference of errors"
    is_large = variance > LARGE * float(finding.figures["tolerance"])
    yield from regularised(case, f"the held-out error is {variance:.3g} above the training error", is_large=is_large)


def _stop_early(case: Case, finding: Finding) -> Iterator[Edit | None]:
    reason = f"the validation error rose by {finding.figures['rise']:.3g} from its least"
    yield stopped_early(case, reason)


def _go_on(case: Case, finding: Finding) -> Iterator[Edit | None]:
    yield longer(case, f"the validation error still fell by {finding.figures['fall']:.3g} at the end")


_REMEDIES: dict[FindingCode, Remedy] = {
    FindingCode.LABEL_LEAK: _none,
    FindingCode.DUPLICATES: _none,
    FindingCode.SHIFT: _none,
    FindingCode.SMALL_HOLD_OUT: _fold,
    FindingCode.FIRST_LOSS: _weaken,
    FindingCode.SMALL_FIRST_WEIGHTS: _strengthen,
    FindingCode.DIVERGING: _slow_down,
    FindingCode.OUT_OF_MEMORY: _shrink,
    FindingCode.LEARNING_RATE_ON_BOUND: _widen,
    FindingCode.EXPLODING: _calm,
    FindingCode.VANISHING: _let_through,
    FindingCode.DEAD_UNITS: _revive,
    FindingCode.BIAS: _fit,
    FindingCode.VARIANCE: _regularise,
    FindingCode.MISMATCH: _none,
    FindingCode.VALIDATION_TURNING_UP: _stop_early,
    FindingCode.STILL_IMPROVING: _go_on,
}
