"""Who works, on what."""

from service.database import autocommit
from service.replica import Replica
from service.storage import trials
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
