"""Draws the figure that is wanted."""

from collections.abc import Mapping
from typing import assert_never

from service import importances, replays, rounds
from service.replica import Replica
from service.web.figures import contour, front, nested, parallel, replayed, shares, slices
from service.web.figures.drawn import Drawn
from service.web.figures.picked import Picked, pick
from service.web.figures.subject import Subject
from service.web.figures.wanted import FigureName, Wanted
from trimtab.learned import ImportanceMethod, Importances

FEWEST_TRIALS = 2


def draw(replica: Replica, subject: Subject, wanted: Wanted) -> Drawn:
    """Draw a figure of a study; without a picture, with the reason, where there is too little to draw.

    Raises:
        StudyNotFound: The study is gone.
        Invalid: It has no such objective, or no such parameter.
        Unavailable: The database is away or busy.
    """
    match wanted.figure:
        case FigureName.IMPORTANCES:
            return shares.draw(_importances(replica, subject, wanted.metric), list(subject.objectives))
        case FigureName.ROUNDS:
            return nested.draw(rounds.read(replica, subject.name).items)
        case FigureName.REPLAY:
            return replayed.draw(replays.replay(replica, subject.name))
        case FigureName.PARETO:
            return _reason(len(subject.best_first(0))) or front.draw(subject, wanted.x, wanted.y)
        case FigureName.SLICES | FigureName.CONTOUR | FigureName.PARALLEL:
            return _of_params(pick(subject, wanted.metric, _known(replica, subject, wanted.metric)), wanted)
        case _:
            assert_never(wanted.figure)


def _of_params(picked: Picked, wanted: Wanted) -> Drawn:
    if too_few := _reason(len(picked.best_first)):
        return too_few
    if not picked.axes:
        return Drawn("No complete trial has a parameter.")
    match wanted.figure:
        case FigureName.SLICES:
            return slices.draw(picked)
        case FigureName.CONTOUR:
            return contour.draw(picked, wanted.x, wanted.y)
        case _:
            return parallel.draw(picked)


def _reason(complete: int) -> Drawn | None:
    if complete >= FEWEST_TRIALS:
        return None
    return Drawn(f"Needs at least {FEWEST_TRIALS} complete trials, and there {_are(complete)}.")


def _are(count: int) -> str:
    return "is 1" if count == 1 else f"are {count}"


def _importances(replica: Replica, subject: Subject, metric: str | None) -> Importances:
    return importances.read(replica, subject.name, method=ImportanceMethod.PED_ANOVA, metric=metric)


def _known(replica: Replica, subject: Subject, metric: str | None) -> Mapping[str, float]:
    return _importances(replica, subject, metric).importances
