"""Who works, on what, and who did lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.database import autocommit
from service.replica import Replica
from service.storage import stretches, trials
from service.storage import tasks as trained
from service.storage.stretches import Stretches
from trimtab.protocol import Page, Worker


def page(replica: Replica, *, cursor: str | None, limit: int) -> Page[Worker]:
    """Return a page of the workers that have asked for trials, by name.

    Raises:
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        rows = trials.workers(connection, after=cursor or "", limit=limit + 1, lease_seconds=replica.lease_seconds)
    items = [Worker.model_validate(row, strict=False) for row in rows[:limit]]
    return Page(items=items, next=items[-1].name if len(rows) > limit else None)


def tasks(replica: Replica) -> frozenset[str]:
    """Return the tasks of the workers that are alive.

    Raises:
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        return trained.alive(connection, lease_seconds=replica.lease_seconds)


DAY_SECONDS = 24 * 3600.0

MOST_WORKERS = 200
"""That are shown at once."""


@dataclass(frozen=True)
class Lately:
    """Who worked within a day.

    Args:
        workers: Who is alive first, then by name.
        has_more: There are others, which are not shown.
    """

    workers: Sequence[Worker]
    has_more: bool


@dataclass(frozen=True)
class Day:
    """What workers did within a day.

    Args:
        stretches: By name; one that did nothing is left out.
        is_cut: They did more than is looked at; the oldest of it is left out.
    """

    stretches: Mapping[str, Stretches]
    is_cut: bool


def lately(replica: Replica) -> Lately:
    """Return the workers that were heard of within a day.

    Raises:
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        rows = trials.seen_lately(
            connection, seconds=DAY_SECONDS, limit=MOST_WORKERS + 1, lease_seconds=replica.lease_seconds
        )
    workers = [Worker.model_validate(row, strict=False) for row in rows[:MOST_WORKERS]]
    return Lately(workers, has_more=len(rows) > MOST_WORKERS)


def day(replica: Replica, workers: Sequence[Worker]) -> Day:
    """Return what workers did within a day.

    Raises:
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        did = stretches.lately(connection, [worker.name for worker in workers], seconds=DAY_SECONDS)
    return Day(did, is_cut=sum(each.trials for each in did.values()) >= stretches.MOST_LEASES)
