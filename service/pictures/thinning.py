"""Which trials are drawn, and in how many points: of ten thousand curves a few hundred say all. Decisions on values."""

from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest
from typing import TypeVar

from service.storage.pictures import Standing
from trimtab.states import TrialState

MOST_POINTS = 5_000
"""Of the curves of trials that have ended. With those that run, 24 bytes each at most, they are less than 200 KB."""

MOST_POINTS_RUNNING = 2_000
MOST_TRIALS = 300
MOST_RUNNING = 64

MOST_POINTS_OF_ONE = 500
"""More than that cannot be told apart on a screen."""

FEWEST_POINTS_OF_ONE = 32

MOST_READ = 200_000
"""Points that are gone through in the database to take these."""

_FURTHEST = 8
"""Trials of which one is taken to have the most reports."""

Item = TypeVar("Item")


def furthest(trials: Sequence[Standing]) -> list[int]:
    """Return the ids of the few trials that came farthest: where all report alike, one of them has the most reports."""
    return [trial.trial_id for trial in nlargest(_FURTHEST, trials, key=lambda trial: trial.last_step)]


def drawn(ended: Sequence[Standing], *, best: int | None, longest: int | None = None) -> dict[int, int]:
    """Return which trials that have ended are drawn, by id, each in how many points at most.

    The best one, and of the others as many as there is room for, from the best to the worst.

    Args:
        ended: Those that have reported, by number.
        best: The id of the best one; None: there is none.
        longest: Reports that make the longest curve; None: each step is one.
    """
    points = {trial.trial_id: min(trial.last_step, MOST_POINTS_OF_ONE) for trial in ended if trial.trial_id == best}
    others = sorted((trial for trial in ended if trial.trial_id != best), key=_rank)
    left = MOST_POINTS - sum(points.values())
    longest = max(1, longest or max((trial.last_step for trial in others), default=1))
    each = min(longest, MOST_POINTS_OF_ONE, max(FEWEST_POINTS_OF_ONE, left // max(1, len(others))))
    room = min(MOST_TRIALS, left // each, max(1, MOST_READ // longest))
    return points | {trial.trial_id: each for trial in spread(others, room)}


def drawn_running(running: Sequence[Standing]) -> dict[int, int]:
    """Return which trials that run are drawn, by id, each in how many points at most: the newest ones."""
    newest = running[-MOST_RUNNING:]
    each = min(MOST_POINTS_OF_ONE, MOST_POINTS_RUNNING // max(1, len(newest)))
    return {trial.trial_id: each for trial in newest}


def spread(ordered: Sequence[Item], most: int) -> list[Item]:
    """Return at most so many, evenly, the first and the last among them."""
    if len(ordered) <= most:
        return list(ordered)
    last = len(ordered) - 1
    return [ordered[round(place * last / max(1, most - 1))] for place in range(most)]


def rounded(values: Iterable[float | None]) -> list[float | None]:
    """Return values with the six digits that a picture shows, and not seventeen."""
    return [None if value is None else float(f"{value:.6g}") for value in values]


def saved_steps(trials: Iterable[Standing]) -> float | None:
    """Return how many steps were saved by stopping trials early, had they gone on as far as complete ones on average.

    None: none was stopped, or none is complete.
    """
    steps: Mapping[TrialState, list[int]] = {TrialState.COMPLETE: [], TrialState.PRUNED: []}
    for trial in trials:
        if trial.state in steps:
            steps[trial.state].append(trial.last_step)
    if not all(steps.values()):
        return None
    whole = sum(steps[TrialState.COMPLETE]) / len(steps[TrialState.COMPLETE])
    return sum(max(0.0, whole - step) for step in steps[TrialState.PRUNED])


def _rank(trial: Standing) -> tuple[bool, float, int]:
    """Return the place of a trial among the others: by its value, those without one last."""
    return (trial.value is None, trial.value or 0.0, trial.number)
