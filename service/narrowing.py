"""In which round a trial of a study is that goes from coarse to fine, and what is searched there."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from service.history import Observations
from service.memory import StudyMemory
from service.sampling import rounds as sampled
from service.sampling.coarse_to_fine import Narrowed
from service.sampling.control import controlled
from service.sampling.rounds import has_rounds
from service.storage import rounds
from service.storage.asks import NewTrial, Place
from service.storage.dimensions import Dimension
from service.storage.rounds import Round
from trimtab.space import Space
from trimtab.states import Origin

__all__ = ["Current", "draft", "has_rounds", "keep"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Current:
    """The round that a trial is in.

    Args:
        round: The round.
        dimensions: Of its space, as its trials are stored.
        is_new: It begins with this trial.
    """

    round: Round
    dimensions: Sequence[Dimension]
    is_new: bool


def draft(
    connection: sa.Connection, study: StudyMemory, observations: Observations, place: Place
) -> tuple[NewTrial, Current]:
    """Return the trial that comes next, and its round.

    Args:
        connection: In the transaction that holds the study's row.
        study: Whose trial it is.
        observations: All its trials that have ended.
        place: Of the trial.
    """
    index = sampled.round_at(study.spec, place.sequence)
    before = rounds.last(connection, study.study_id, until=index)
    current = before if before and before.index == index else _next(study, observations, before, index, place)
    suggestion = sampled.in_round(study.spec, study.dimensions, current.space, sequence=place.sequence)
    suggestion = controlled(study.spec, study.dimensions, suggestion, number=place.number)
    # A control is drawn from the whole space, whatever the round.
    space = study.spec.searched if suggestion.origin is Origin.CONTROL else current.space
    dimensions = sampled.dimensions_of(study.dimensions, space)
    trial = NewTrial(point=suggestion.point, sampled_for=place.number, origin=suggestion.origin)
    return trial, Current(current, dimensions, is_new=current is not before)


def keep(connection: sa.Connection, study: StudyMemory, current: Current) -> None:
    """Store the round, if it is new: all its trials have the same space, whoever asks."""
    if current.is_new:
        rounds.insert(connection, study.study_id, current.round)


def _next(study: StudyMemory, observations: Observations, before: Round | None, index: int, place: Place) -> Round:
    if before is None:
        return Round(index, study.spec.searched, (), place.number)
    after = _narrowed(study, observations, before.space)
    return Round(index, after.space, after.alarms, place.number)


def _narrowed(study: StudyMemory, observations: Observations, before: Space) -> Narrowed:
    """Return the space after `before`; where it cannot be found the search goes on in the same one."""
    try:
        return sampled.next_space(study.spec, study.dimensions, observations, current=before)
    except Exception:  # noqa: BLE001  # it would fail again at each ask: the study would have no trial any more
        said = {"study": study.spec.name}
        _log.exception("study %(study)s: its space could not be narrowed; the next round has the same one", said)
        return Narrowed(before, ())
