"""The leases that were lost: each of them by a kill or a stop of the worker that held it, or it is a breach."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from tests.reliability.chaos.log import Blow, Log


@dataclass(frozen=True)
class Loss:
    """A lease that ran out. Times are seconds of the time of day.

    Args:
        again_at: When the trial was leased again; None: it never was.
    """

    lease: int
    study: str
    trial: int
    worker: str
    leased_at: float
    ended_at: float
    again_at: float | None

    def is_of(self, blow: Blow) -> bool:
        """Whether the worker could do nothing while it held the lease."""
        return blow.begin <= self.ended_at and blow.end >= self.leased_at

    def __str__(self) -> str:
        return f"lease {self.lease} of {self.worker} on {self.study}, trial {self.trial}"


_LOST = sa.text("""
    SELECT l.lease_id, o.study_name, t.number, l.worker,
      CAST(extract(epoch FROM l.leased_at) AS float8), CAST(extract(epoch FROM l.ended_at) AS float8),
      CAST(extract(epoch FROM n.leased_at) AS float8)
    FROM trimtab_leases l
    JOIN trimtab_trials t USING (trial_id)
    JOIN studies o ON o.study_id = l.study_id
    LEFT JOIN trimtab_leases n ON n.trial_id = l.trial_id AND n.fence = l.fence + 1
    WHERE l.outcome = 'lost' ORDER BY l.lease_id
""")


def losses(engine: sa.Engine) -> list[Loss]:
    """Return all of them."""
    with engine.connect() as connection:
        return [Loss(*row) for row in connection.execute(_LOST)]


def without_cause(lost: Iterable[Loss], log: Log) -> Iterator[str]:
    """Say which were lost although their workers were well."""
    blows = _by_worker(log.blows)
    for loss in lost:
        if not any(loss.is_of(blow) for blow in blows[loss.worker]):
            outage = ", after an outage" if log.is_outage(loss.leased_at, loss.ended_at) else ""
            yield f"{loss} was lost, and its worker was well{outage}"


def recoveries(lost: Iterable[Loss], log: Log) -> tuple[list[float], list[float]]:
    """Return how many seconds after the kill of its worker each trial ran again; apart, those with an outage."""
    killed = {blow.worker: blow.begin for blow in log.blows if blow.is_kill}
    plain: list[float] = []
    delayed: list[float] = []
    for loss in lost:
        at = killed.get(loss.worker)
        if at is None or loss.again_at is None or not loss.leased_at <= at <= loss.ended_at:
            continue
        (delayed if log.is_outage(at, loss.again_at) else plain).append(loss.again_at - at)
    return plain, delayed


def percentile(seconds: Sequence[float], share: float) -> float | None:
    """Return the value that so large a share of them does not exceed; None of none."""
    return sorted(seconds)[max(0, math.ceil(share * len(seconds)) - 1)] if seconds else None


def _by_worker(blows: Iterable[Blow]) -> Mapping[str, list[Blow]]:
    found: dict[str, list[Blow]] = defaultdict(list)
    for blow in blows:
        found[blow.worker].append(blow)
    return found
