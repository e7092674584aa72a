"""Findings on the errors: bias, variance, mismatch."""

from service.diagnosis.case import Case
from service.diagnosis.conditions import conditions, figures
from service.diagnosis.fitting import strong
from trimtab.diagnosis import Condition, Figures, Finding, FindingCode


def bias(case: Case) -> Finding | None:
    """Find a training error that is far above what can be reached."""
    found = _suffers(case, Condition.HIGH_BIAS)
    if found is None:
        return None
    less = f"regularise less ({', '.join(strong(case))}), " if strong(case) else ""
    text = (
        f"the training error, {found.training_error:.3g}, is {found.bias:.3g} above the target of "
        f"{found.target_error:.3g}: the network does not fit what it is trained on; {less}make it larger, train "
        "longer, or try another optimiser or architecture. If nobody could do better, say so (diagnosis.target_error)"
    )
    return _finding(FindingCode.BIAS, found, "bias", found.bias, text)


def variance(case: Case) -> Finding | None:
    """Find an error that is far greater on what was held out than on what was trained on."""
    found = _suffers(case, Condition.HIGH_VARIANCE)
    if found is None:
        return None
    held_out = found.validation_error if found.train_dev_error is None else found.train_dev_error
    text = (
        f"the error on what was held out, {held_out:.3g}, is {found.variance:.3g} above the training error, "
        f"{found.training_error:.3g}: the network knows its examples by heart; more data helps most, then regularising"
    )
    return _finding(FindingCode.VARIANCE, found, "variance", found.variance, text)


def mismatch(case: Case) -> Finding | None:
    """Find an error that is far greater where the validation set comes from than where the training set does."""
    found = _suffers(case, Condition.HIGH_MISMATCH)
    if found is None or found.mismatch is None:
        return None
    text = (
        f"the validation error, {found.validation_error:.3g}, is {found.mismatch:.3g} above that of held-out examples "
        "like those of the training: train on data that is more like what the model will meet"
    )
    return _finding(FindingCode.MISMATCH, found, "mismatch", found.mismatch, text)


def _suffers(case: Case, condition: Condition) -> Figures | None:
    found = figures(case)
    return found if found and condition in conditions(found) else None


def _finding(code: FindingCode, found: Figures, name: str, amount: float, text: str) -> Finding:
    return Finding(
        code=code, figures={name: amount, "noise": found.noise[name], "tolerance": found.tolerance}, text=text
    )
