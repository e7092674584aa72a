"""What a decision is made on, and what it says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from service.curves import Curve, Curves
from trimtab.states import Decision


@dataclass(frozen=True)
class Standing:
    """A trial that has just reported.

    Args:
        study: Its name.
        number: Of the trial.
        step: Of the report, from 1.
        value: Reported there; None is not finite.
        previous_step: The last step before; 0 if there is none.
        best: The best value that the trial has reported up to here; None: not one of them was finite.
        curve: All its reports with this one, by step; empty where the pruner does not look at it.
        rungs: How many rungs it had come through before this report.
        is_mean: Whether each value is a mean over the steps so far, as with folds and repeats.
    """

    study: str
    number: int
    step: int
    value: float | None
    previous_step: int = 0
    best: float | None = None
    curve: Curve = field(default_factory=dict)
    rungs: int = 0
    is_mean: bool = False


Rungs = Mapping[str, float]
"""The values of a trial at the rungs that it came to, by Optuna's name of each."""


@dataclass(frozen=True)
class Others:
    """What a trial is compared with.

    Args:
        curves: Of the complete trials of the study.
        rungs: Of all other trials of the study that came to a rung, by number.
    """

    curves: Curves
    rungs: Mapping[int, Rungs] = field(default_factory=dict)

    def at(self, rung: str, number: int, bracket_of: Callable[[int], int]) -> Sequence[float]:
        """Return the values of those that came to a rung and are in one bracket with a trial, ascending."""
        bracket = bracket_of(number)
        came = ((other, rungs[rung]) for other, rungs in self.rungs.items() if rung in rungs)
        return sorted(value for other, value in came if bracket_of(other) == bracket)


@dataclass(frozen=True)
class Judgement:
    """A decision, and why a trial is stopped.

    Args:
        decision: Whether the trial goes on.
        reason: Why it does not; None where it does.
        rungs: That the trial came to with this report.
    """

    decision: Decision
    reason: str | None = None
    rungs: Rungs = field(default_factory=dict)


GO_ON = Judgement(Decision.CONTINUE)


def stop(reason: str) -> Judgement:
    """Return the judgement that stops a trial."""
    return Judgement(Decision.STOP, reason)
