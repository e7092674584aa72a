"""What has happened in a study between two looks at it, as the events that its readers are sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import sqlalchemy as sa

from service import answers, shown
from service.database import autocommit
from service.storage import happenings as stored
from service.storage import studies, trials
from service.storage.happenings import Look, Running
from service.storage.studies import StudyRow
from trimtab.events import EventKind, Sent, TrialReport
from trimtab.message import Message

PAGE = 100
"""Trials that are read at once."""

MOST_REPORTS = 64
"""That are told after one look, shared by the trials that run; of each at least the newest."""

_NONE: Mapping[int, int] = MappingProxyType({})


@dataclass(frozen=True)
class Happening:
    """An event as it is sent.

    Args:
        data: The whole of it.
        order: Of the trial that has ended with it: the n-th of its study; None: none has.
    """

    data: bytes
    order: int | None = None


@dataclass(frozen=True)
class Opening:
    """What a stream begins with.

    Args:
        happenings: The study, and the trials that run.
        missed: How many trials had ended when the reader was last there.
        finished: How many have ended by now.
    """

    happenings: list[Happening]
    missed: int
    finished: int


DELETED = Happening(Sent(EventKind.DELETED, "{}").text.encode())


def study_of(engine: sa.Engine, name: str) -> int:
    """Return the id of a study, which another one of that name will not have.

    Raises:
        StudyNotFound: There is none of that name.
        Unavailable: The database is away or busy.
    """
    with autocommit(engine) as connection:
        return studies.require(connection, name).study_id


def opening(engine: sa.Engine, study_id: int, *, last: int | None) -> Opening | None:
    """Return what a stream begins with; None if the study is gone.

    Args:
        engine: To the database.
        study_id: Of the study.
        last: How many of its trials had ended when the reader was last there; None: nothing is to be made up for.

    Raises:
        Unavailable: The database is away or busy.
    """
    with autocommit(engine) as connection:
        now = stored.look(connection, study_id)
        row = studies.get(connection, study_id)
        if now is None or row is None:
            return None
        # A study of another life of that name may have come further.
        missed = now.finished if last is None else last if last <= now.finished else 0
        study = _happening(EventKind.STUDY, shown.read(connection, row), last=missed)
        running = _trials(connection, row, [each.trial_id for each in now.running.values()])
        return Opening([study, *running], missed, now.finished)


def ended(engine: sa.Engine, study_id: int, *, after: int, until: int) -> list[Happening]:
    """Return some of the trials that ended after the n-th one, in their order.

    Raises:
        Unavailable: The database is away or busy.
    """
    with autocommit(engine) as connection:
        row = studies.get(connection, study_id)
        orders = _ended(connection, study_id, after=after, until=until)
        return list(_trials(connection, row, [*orders], orders)) if row else []


def since(engine: sa.Engine, study_id: int, before: Look | None) -> tuple[Look | None, list[Happening]]:
    """Return the study as it is, None if it is gone, and what has happened since a look before.

    Raises:
        Unavailable: The database is away or busy.
    """
    with autocommit(engine) as connection:
        now = stored.look(connection, study_id)
        if now is None:
            return None, [DELETED]
        return now, list(_between(connection, study_id, before, now)) if before else []


def _between(connection: sa.Connection, study_id: int, before: Look, now: Look) -> Iterator[Happening]:
    """Yield reports, trials that have begun, trials that have ended; the study last: it has the last word."""
    yield from _reports(connection, now.running, _new_steps(before.running, now.running))
    begun = [each.trial_id for lease_id, each in now.running.items() if lease_id not in before.running]
    row = studies.get(connection, study_id) if begun or now.facts != before.facts else None
    if row is None:
        return
    after = before.finished
    while begun or after < now.finished:
        orders = _ended(connection, study_id, after=after, until=now.finished)
        yield from _trials(connection, row, [*begun, *orders], orders)
        begun, after = [], after + PAGE
    if now.facts != before.facts:
        yield _happening(EventKind.STUDY, shown.read(connection, row))


def _new_steps(before: Mapping[int, Running], now: Mapping[int, Running]) -> dict[int, tuple[int, int]]:
    """Return after which step and up to which one leases have come, by lease."""
    known = {lease_id: before[lease_id].step if lease_id in before else 0 for lease_id in now}
    return {lease_id: (known[lease_id], each.step) for lease_id, each in now.items() if each.step > known[lease_id]}


def _reports(
    connection: sa.Connection, running: Mapping[int, Running], steps: Mapping[int, tuple[int, int]]
) -> Iterator[Happening]:
    most = max(1, MOST_REPORTS // max(1, len(steps)))
    for row in stored.reports(connection, steps, most=most) if steps else ():
        lease = running[row.pop("lease_id")]
        report = TrialReport.model_validate({"number": lease.number, "attempt": lease.attempt, **row})
        yield _happening(EventKind.REPORT, report)


def _ended(connection: sa.Connection, study_id: int, *, after: int, until: int) -> dict[int, int]:
    """Return the orders of some of the trials that ended after the n-th one, by id, in their order."""
    if after >= until:
        return {}
    return dict(stored.ended(connection, study_id, after=after, until=until, limit=PAGE))


def _trials(
    connection: sa.Connection, row: StudyRow, trial_ids: Sequence[int], orders: Mapping[int, int] = _NONE
) -> Iterator[Happening]:
    """Yield trials; those of which the order is given have ended.

    One of the others that has meanwhile is left out: it comes with its order after the next look.
    """
    found = trials.by_ids(connection, trial_ids, after=-1, limit=len(trial_ids)) if trial_ids else []
    by_id = {trial.trial_id: trial for trial in found}
    for trial_id in trial_ids:
        trial, order = by_id.get(trial_id), orders.get(trial_id)
        if trial and (order is not None or not trial.state.is_ended):
            yield _happening(EventKind.TRIAL, answers.trial(row, trial), last=order, order=order)


def _happening(kind: EventKind, message: Message, *, last: int | None = None, order: int | None = None) -> Happening:
    # ASCII alone: there are characters beyond it that end a line to some.
    data = message.model_dump_json(ensure_ascii=True)
    sent = Sent(kind, data, None if last is None else str(last))
    return Happening(sent.text.encode(), order)
