"""Workers that run trials through whatever happens, and write down what they are told."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from tests.reliability.journal import Ended, Entry, Leased
from tests.reliability.witness import Witness
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.errors import InProgress, Unavailable, Unreachable
from trimtab.message import Metrics
from trimtab.protocol import Lease
from trimtab.states import Outcome

STEPS = 3
PATIENCE_SECONDS = 60.0

Found = TypeVar("Found")


@dataclass
class Load:
    """Workers on one study.

    Args:
        study: Its name.
        journal: What they were told.
        at_work: One for each worker.
    """

    study: str
    journal: list[Entry] = field(default_factory=list)
    at_work: list[Future[None]] = field(default_factory=list)

    def told(self) -> int:
        """Return how many trials were told."""
        return sum(isinstance(entry, Ended) for entry in self.journal)

    def has_told(self, trials: int) -> bool:
        """Return whether so many were."""
        return self.told() >= trials

    def leased(self) -> list[int]:
        """Return the leases that the workers know of."""
        return [entry.lease for entry in self.journal if isinstance(entry, Leased)]

    def finish(self) -> None:
        """Wait until all trials are told; raise what a worker raised."""
        for worker in self.at_work:
            worker.result(timeout=2 * PATIENCE_SECONDS)


@contextmanager
def load(client: Client, study: str, *, trials: int, workers: int = 6) -> Iterator[Load]:
    """Let workers run the trials of a new study while something else happens."""
    running = Load(study)
    client.create_study(spec(study, budget={"trials": trials}))
    with ThreadPoolExecutor(workers) as executor:
        for number in range(workers):
            witness = Witness(client, f"{study}-{number}", running.journal.append)
            running.at_work.append(executor.submit(_work, witness, study))
        yield running


def _work(witness: Witness, study: str) -> None:
    while lease := patiently(partial(witness.ask, study=study)):
        _train(witness, lease)


def _train(witness: Witness, lease: Lease) -> None:
    for step in range(1, STEPS + 1):
        patiently(partial(witness.report, lease, step, _measured(lease, step)))
    patiently(partial(witness.tell, lease, Outcome.COMPLETE, _measured(lease, STEPS)))


def _measured(lease: Lease, step: int) -> Metrics:
    return {METRIC: 1.0 / (lease.trial + step)}


def patiently(call: Callable[[], Found]) -> Found:
    """Call until there is an answer that is not to come back."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return call()
        except (Unavailable, Unreachable, InProgress):
            if time.monotonic() > deadline:
                raise
