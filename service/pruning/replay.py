"""Plays a study again with another pruner: a trial that it stops reports no more, and is not complete."""

from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from service import pruning
from service.curves import Curves
from service.pruning.judgement import Others, Standing
from trimtab.pruners import Pruner
from trimtab.states import Decision, Direction


@dataclass(frozen=True)
class Best:
    """The best complete trial, and its value."""

    number: int
    value: float


@dataclass
class _Trial:
    """A trial as far as it has come."""

    curve: dict[int, float | None] = field(default_factory=dict)
    last_step: int = 0
    best: float | None = None
    rungs: int = 0


@dataclass(frozen=True)
class _Ordered(Others):
    """All trials; their values at rungs are kept in order, since there may be a hundred thousand.

    Args:
        ordered: By rung and bracket, ascending.
        fresh: By rung, with the trial's number: not yet in order.
    """

    ordered: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    fresh: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def note(self, number: int, rungs: pruning.Rungs) -> None:
        """Take the rungs that a trial came to."""
        for rung, value in rungs.items():
            self.fresh.setdefault(rung, []).append((number, value))

    def at(self, rung: str, number: int, bracket_of: Callable[[int], int]) -> Sequence[float]:
        """Return the values of those that came to a rung and are in one bracket with a trial, ascending."""
        for other, value in self.fresh.pop(rung, []):
            insort(self.ordered.setdefault((rung, bracket_of(other)), []), value)
        return self.ordered.get((rung, bracket_of(number)), [])


class Simulation:
    """A study as it goes with a pruner, report by report.

    Args:
        study: Its name.
        pruner: Resolved.
        direction: Which values are better.
        is_mean: Whether each value is a mean over the steps so far.
    """

    def __init__(self, study: str, pruner: Pruner, direction: Direction, *, is_mean: bool = False) -> None:
        self.stopped: dict[int, int] = {}
        """Trial -> the step at which it was stopped."""
        self.best: Best | None = None
        """The best complete trial; None before the first."""
        self._study = study
        self._pruner = pruner
        self._direction = direction
        self._is_mean = is_mean
        self._looks_at_best = pruning.looks_at_best(pruner)
        self._trials: dict[int, _Trial] = {}
        self._curves = Curves()
        self._others = _Ordered(self._curves)

    def report(self, number: int, step: int, value: float | None) -> None:
        """Take a report, unless the trial is stopped."""
        if number in self.stopped:
            return
        trial = self._trials.setdefault(number, _Trial())
        trial.curve[step] = value
        if value is not None and (trial.best is None or self._direction.is_better(value, trial.best)):
            trial.best = value
        standing = Standing(
            self._study,
            number,
            step,
            value,
            trial.last_step,
            trial.best,
            trial.curve,
            trial.rungs,
            self._is_mean,
        )
        judgement = pruning.judge(self._pruner, standing, self._others, direction=self._direction)
        trial.last_step = step
        trial.rungs += len(judgement.rungs)
        self._others.note(number, judgement.rungs)
        if judgement.decision is Decision.STOP:
            self.stopped[number] = step

    def complete(self, number: int, value: float, *, is_feasible: bool) -> None:
        """Let a trial be complete, unless it is stopped."""
        if number in self.stopped:
            return
        curve = self._trials.setdefault(number, _Trial()).curve
        is_best = is_feasible and (self.best is None or self._direction.is_better(value, self.best.value))
        if is_best:
            self.best = Best(number, value)
        if not self._looks_at_best:
            self._curves.add([curve], known=self._curves.known + 1)
        elif is_best:
            self._curves.lead(curve, known=self._curves.known + 1)

    def give(self, number: int, step: int, value: float | None) -> None:
        """Take a point of a curve that was given with its trial: nobody could have stopped it."""
        self._trials.setdefault(number, _Trial()).curve[step] = value
