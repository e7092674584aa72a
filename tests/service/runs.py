"""Runs trials as a worker would."""

from collections.abc import Sequence

from tests.service.specs import METRIC
from trimtab.client import Client
from trimtab.protocol import Lease, Verdict

EAGER = {"name": "median", "startup_trials": 1, "warmup_steps": 0}
"""A pruner that stops whatever is worse than the median, from the first step and the second trial on."""


def lease_of(client: Client, study: str = "study") -> Lease:
    """Ask for one trial."""
    (lease,) = client.ask("worker", study=study).leases
    return lease


def report(client: Client, lease: Lease, step: int, error: float | None) -> Verdict:
    return client.report(lease, step=step, metrics={METRIC: error})


def complete(client: Client, curve: Sequence[float], study: str = "study") -> Lease:
    """Run a trial to its end, whatever it is told."""
    lease = lease_of(client, study)
    for step, error in enumerate(curve, start=1):
        report(client, lease, step, error)
    client.tell(lease, "complete", metrics={METRIC: curve[-1]})
    return lease
