"""A client whose every answer is written down before anybody goes on."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.reliability.journal import Ended, Entry, Leased, Reported, Sent
from trimtab.client import Client
from trimtab.errors import InProgress, TooManyRequests, Unavailable, Unreachable
from trimtab.message import Metrics
from trimtab.protocol import Lease, Told, Verdict
from trimtab.states import Outcome

COMES_BACK = (Unreachable, Unavailable, InProgress, TooManyRequests)
"""What is no answer, or none that lasts: the same call may succeed later."""


@dataclass(frozen=True)
class Witness:
    """The worker's verbs, as `trimtab.client.Client` has them; each raises what that raises.

    Args:
        client: What calls.
        worker: Who asks.
        write: Takes each entry.
    """

    client: Client
    worker: str
    write: Callable[[Entry], object]

    def ask(self, *, study: str | None = None, wait: float = 0.0, key: str | None = None) -> Lease | None:
        """Ask for one trial; None: there is none now."""
        leases = self.client.ask(self.worker, study=study, wait=wait, key=key).leases
        for lease in leases:
            self.write(Leased.of(lease, worker=self.worker))
        return leases[0] if leases else None

    def report(self, lease: Lease, step: int, metrics: Metrics) -> Verdict:
        """Report; what is about to be sent is written down too."""
        sent = Sent(int(lease.id), step, metrics)
        self.write(sent)
        answer = self.client.report(lease, step=step, metrics=metrics)
        self.write(Reported.of(sent, answer))
        return answer

    def tell(self, lease: Lease, outcome: Outcome, metrics: Metrics) -> Told:
        """Tell."""
        answer = self.client.tell(lease, outcome, metrics=metrics)
        self.write(Ended.of(lease, answer, metrics=metrics))
        return answer
