"""What a replica counts and times of its own work since it started, as Prometheus reads it."""

from contextlib import AbstractContextManager
from datetime import timedelta

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.process_collector import ProcessCollector

from trimtab.states import Outcome, TrialState

_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""From the time of a report to what a client has the patience for."""

_DECISION_SECONDS = (0.0001, 0.001, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
"""From a point drawn at random to the limit of a sampler."""


class Meters:
    """The meters of one replica, each in its own registry: there may be several replicas in a process.

    No label has a value that a caller can make up, so that their number is bounded.
    """

    def __init__(self) -> None:
        # When each of them was made is of no use to anybody, and as much again to be read.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # it is not annotated
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "trimtab_http_request_seconds",
            "From a request to the beginning of its answer, without the wait that it asked for.",
            ("method", "route", "status"),
            buckets=_REQUEST_SECONDS,
            registry=self.registry,
        )
        self._sampler = Histogram(
            "trimtab_sampler_seconds",
            "What it took a sampler to choose the points of an ask.",
            ("sampler",),
            buckets=_DECISION_SECONDS,
            registry=self.registry,
        )
        self._fallbacks = self._counter(
            "trimtab_sampler_fallbacks", "Random points in place of a sampler's.", "sampler"
        )
        self._pruner = Histogram(
            "trimtab_pruner_seconds",
            "What it took a pruner to judge a report.",
            ("pruner",),
            buckets=_DECISION_SECONDS,
            registry=self.registry,
        )
        self._pruner_failures = self._counter("trimtab_pruner_failures", "Reports that a pruner failed at.", "pruner")
        self._leases_ended = self._counter("trimtab_leases_ended", "Leases that ended, by how.", "outcome")
        self._trials_ended = self._counter("trimtab_trials_ended", "Trials that ended with a lease, by how.", "state")
        self._outages = self._counter("trimtab_outages", "Times that neither a replica nor its database was there.")
        self._outage_seconds = self._counter("trimtab_outage_seconds", "How long these were, together.")
        ProcessCollector(registry=self.registry)

    def answered(self, method: str, route: str, status: str, *, seconds: float) -> None:
        """Note that the answer to a request began."""
        self._requests.labels(method, route, status).observe(seconds)

    def sampling(self, sampler: str) -> AbstractContextManager[object]:
        """Time a sampler that chooses."""
        return self._sampler.labels(sampler).time()

    def fell_back(self, sampler: str) -> None:
        """Note that a trial gets a random point in place of the sampler's."""
        self._fallbacks.labels(sampler).inc()

    def pruning(self, pruner: str) -> AbstractContextManager[object]:
        """Time a pruner that judges."""
        return self._pruner.labels(pruner).time()

    def pruner_failed(self, pruner: str) -> None:
        """Note that a pruner failed, and the trial goes on."""
        self._pruner_failures.labels(pruner).inc()

    def lease_ended(self, outcome: Outcome, state: TrialState) -> None:
        """Note that a lease ended, and the state that its trial is in then."""
        self._leases_ended.labels(outcome.value).inc()
        if state.is_ended:
            self._trials_ended.labels(state.value).inc()

    def was_away(self, gap: timedelta | None) -> None:
        """Note an outage that is over; None: there was none."""
        if gap:
            self._outages.inc()
            self._outage_seconds.inc(gap.total_seconds())

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)
