"""An ask on its way through the studies that have a trial to give, and its answer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from service import sampling
from service.memory import StudyMemory
from service.once import Once
from service.replica import Replica
from service.storage import asks
from service.storage.asks import Granted, Holder
from service.storage.dimensions import written
from trimtab.budget import Limits
from trimtab.protocol import Lease, Leases


@dataclass(frozen=True)
class Asking:
    """An ask on its way through the studies that have a trial to give."""

    replica: Replica
    holder: Holder
    count: int
    once: Once

    @contextmanager
    def granting(self, study: StudyMemory) -> Iterator[tuple[sa.Connection, list[Granted]]]:
        """Give a transaction, and a list for what it grants; the answer is kept with it."""
        granted: list[Granted] = []
        with study.crowd.joined(), self.once.transaction(self.replica.engine) as connection:
            yield connection, granted
            asks.seen(connection, self.holder)
            if granted:
                self.once.keep(connection, self.answer(study, granted))

    def answer(self, study: StudyMemory, granted: Sequence[Granted]) -> Leases:
        """Return what was granted as it is answered."""
        return Leases(leases=[_lease(study, lease, self.replica.lease_seconds) for lease in granted])


def _lease(study: StudyMemory, granted: Granted, lease_seconds: float) -> Lease:
    return Lease(
        id=str(granted.lease_id),
        fence=granted.fence,
        study=study.spec.name,
        trial=granted.number,
        attempt=granted.attempt,
        task=study.spec.task,
        params=written(study.spec.declared, granted.point),
        seed=sampling.training_seed(study.spec.sampler.seed, granted.number),
        limits=Limits(trial_seconds=granted.trial_seconds, step_seconds=granted.step_seconds),
        expires_in=lease_seconds,
        expires_at=granted.expires_at,
        checkpoint=granted.checkpoint,
        purpose=study.purpose,
    )
