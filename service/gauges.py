"""How things are now, as Prometheus reads it: what is in the database, and the replica's connections to it."""

import threading
import time
from collections.abc import Callable, Iterator

import sqlalchemy as sa
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.registry import Collector
from sqlalchemy.pool import QueuePool

from service.database import autocommit
from service.storage.overview import QUANTILES, LiveWorker, Overview, overview
from trimtab.errors import Unavailable

KEPT_SECONDS = 5.0
"""How old what is shown may be: however often it is read, the database is asked no more often."""


class Gauges(Collector):
    """The gauges of one replica.

    Args:
        engine: To the database.
        lease_seconds: Within which a worker that lives is heard of.
        clock: Seconds that only go forward.
    """

    def __init__(self, engine: sa.Engine, *, lease_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._seen: Overview | None = None
        self._seen_at = float("-inf")
        self._lock = threading.Lock()

    def describe(self) -> list[Metric]:
        """Return nothing: the registry need not look into the database to know this collector."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every gauge; of a database that is away, that it is."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)
        yield Gauge("trimtab_database_connections_used", "Connections to the database in use.", pool.checkedout())
        yield Gauge("trimtab_database_connections_limit", "Connections that there may be.", pool.size())
        seen = self._look()
        yield Gauge("trimtab_database_up", "Whether the database answers: 1 or 0.", int(seen is not None))
        if seen:
            yield from _of(seen)
            yield from _of_workers(seen)

    def _look(self) -> Overview | None:
        with self._lock:
            if self._clock() - self._seen_at >= KEPT_SECONDS:
                self._seen = self._look_again()
                self._seen_at = self._clock()
            return self._seen

    def _look_again(self) -> Overview | None:
        try:
            with autocommit(self._engine) as connection:
                return overview(connection, lease_seconds=self._lease_seconds)
        except Unavailable:
            return None


def _of(seen: Overview) -> Iterator[Metric]:
    studies = Gauge("trimtab_studies", "Studies by state.", labels=["state"])
    for state, number in seen.studies.items():
        studies.add_metric([state], number)
    trials = Gauge("trimtab_trials", "Trials by state; all that have ended are finished.", labels=["state"])
    for name in ("waiting", "running", "finished"):
        trials.add_metric([name], getattr(seen, name))
    ages = Gauge("trimtab_lease_age_seconds", "Since live leases were last renewed.", labels=["quantile"])
    for quantile, age in zip(QUANTILES, seen.lease_ages, strict=False):
        ages.add_metric([f"{quantile:g}"], age)
    yield from (studies, trials, ages)


def _of_workers(seen: Overview) -> Iterator[Metric]:
    yield Gauge("trimtab_workers_alive", "Workers that were heard of within the time that a lease lives.", seen.alive)
    yield _each("trimtab_worker_slots_busy", "Trials that a worker is on.", seen, lambda worker: worker.busy)
    yield _each(
        "trimtab_worker_device_memory_bytes",
        "Memory of the device that a worker asked for last.",
        seen,
        lambda worker: worker.memory_total,
    )
    yield _each(
        "trimtab_worker_device_memory_used_bytes",
        "How much of it is taken, by whomever.",
        seen,
        lambda worker: worker.memory_used,
    )


def _each(name: str, meaning: str, seen: Overview, figure: Callable[[LiveWorker], int | None]) -> Metric:
    gauge = Gauge(name, meaning, labels=["worker"])
    for worker in seen.workers:
        value = figure(worker)
        if value is not None:
            gauge.add_metric([worker.name], value)
    return gauge
