"""Whether the budget of a study lets it hand out more trials. Decisions on values only."""

from collections.abc import Iterator

from service.storage.closings import Usage
from service.storage.locks import LockedStudy
from trimtab.spec import StudySpec

_BUDGET = "budget."


def reason_to_close(study: LockedStudy, usage: Usage, spec: StudySpec) -> str | None:
    """Return why a study is to come to its end though trials may be open; None: it goes on.

    The number of trials is not among the reasons: those that there are go on to their end.

    Args:
        study: With its budget and its best value as they are.
        usage: Of the budget.
        spec: Of the study.
    """
    return next(_reasons(study, usage, spec), None)


def stops_trials(closing: str | None) -> bool:
    """Return whether that is why a study comes to its end, and no trial is to go on. A grid that is tried lets them."""
    return closing is not None and closing.startswith(_BUDGET)


def _reasons(study: LockedStudy, usage: Usage, spec: StudySpec) -> Iterator[str]:
    if study.target is not None and _is_met(study.target, study.best_value, spec):
        yield f"{_BUDGET}target: {spec.objectives[0].metric} is {study.best_value:.6g}"
    if study.patience is not None and usage.unimproved is not None and usage.unimproved >= study.patience:
        yield f"{_BUDGET}patience: {usage.unimproved} trials ended without a better one"
    if study.epochs is not None and usage.epochs >= study.epochs:
        yield f"{_BUDGET}epochs: {usage.epochs} were reported"
    if study.seconds is not None and usage.seconds is not None and usage.seconds >= study.seconds:
        yield f"{_BUDGET}seconds: the first lease was {study.seconds:g} s ago"
    if study.device_seconds is not None and usage.device_seconds >= study.device_seconds:
        yield f"{_BUDGET}device_seconds: all leases together had {study.device_seconds:g} s"


def _is_met(target: float, best: float | None, spec: StudySpec) -> bool:
    return best is not None and not spec.objectives[0].direction.is_better(target, best)
