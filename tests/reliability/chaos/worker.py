"""A light simulated worker: it asks, reports a curve that follows from the params, tells, and is there to be killed."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeVar

from tests.reliability.chaos.zombie import insist
from tests.reliability.journal import Journal, Late, Surprise, now
from tests.reliability.witness import COMES_BACK, Witness
from tests.service.specs import number
from trimtab.client import Client
from trimtab.errors import LeaseLost, Refused
from trimtab.message import Metrics, Params
from trimtab.protocol import Lease, Told, Verdict
from trimtab.requests import new_key
from trimtab.states import Decision, Outcome

METRIC = "error"
WAIT_SECONDS = 1.0
PAUSE_SECONDS = 0.05

# Shares of the steps at which a worker is drained, asks for time, reports twice, or does as it is told.
_RELEASED = 0.02
_HEARTBEAT = 0.1
_OBEDIENT = 0.8
_TWICE = 0.95

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Habits:
    """What all workers have in common.

    Args:
        server: The URL that they call.
        token: Their token.
        folder: Where their journals are.
        steps: Reports of a trial.
        epoch_seconds: How long a step takes on average.
        late_writes: Writes that are tried on a lease that is lost.
        timeout: Seconds until a request is given up.
    """

    server: str
    token: str
    folder: str
    steps: int
    epoch_seconds: float
    late_writes: int
    timeout: float


def work(name: str, habits: Habits, client: Client) -> None:
    """Work until killed."""
    witness = Witness(client, name, Journal(Path(habits.folder) / f"{name}.jsonl").write)
    chance = Random(name)
    while True:
        if lease := _next(witness, new_key()):
            _live(_Life(witness, lease, habits, chance))


def error_of(params: Params, step: int) -> float:
    """Return what a trial of these params reports at a step: a rate of 0.01 is best, and curves cross."""
    rate, momentum = number(params["rate"]), number(params["momentum"])
    return abs(math.log10(rate) + 2) + (1 - momentum) + 1 / (step * (0.5 + momentum))


@dataclass(frozen=True)
class _Life:
    """A trial in the hands of its worker."""

    witness: Witness
    lease: Lease
    habits: Habits
    chance: Random

    def run(self) -> None:
        """Train and report, until the last step or until told to stop."""
        for step in range(1, self.habits.steps + 1):
            time.sleep(self.habits.epoch_seconds * (0.5 + self.chance.random()))
            drawn = self.chance.random()
            if drawn < _RELEASED:
                self._tell(Outcome.RELEASED, {})
                return
            if self._step(step, drawn) is Decision.STOP and drawn < _OBEDIENT:
                self._tell(Outcome.PRUNED, {})
                return
        self._tell(Outcome.COMPLETE, self._metrics(self.habits.steps))

    def _step(self, step: int, drawn: float) -> Decision:
        if drawn < _HEARTBEAT:
            persist(lambda: self.witness.client.heartbeat(self.lease))
        verdict = self._report(step)
        if drawn > _TWICE:
            self._report(step)
        return verdict.verdict

    def _report(self, step: int) -> Verdict:
        return persist(lambda: self.witness.report(self.lease, step, self._metrics(step)))

    def _tell(self, outcome: Outcome, metrics: Metrics) -> Told:
        return persist(lambda: self.witness.tell(self.lease, outcome, metrics))

    def _metrics(self, step: int) -> Metrics:
        return {METRIC: error_of(self.lease.params, step)}


def persist(call: Callable[[], Answer]) -> Answer:
    """Call until there is an answer that is final."""
    while True:
        try:
            return call()
        except COMES_BACK:
            time.sleep(PAUSE_SECONDS)


def _next(witness: Witness, key: str) -> Lease | None:
    # With the same key until there is an answer: the lease of an answer that was lost is found again.
    return persist(lambda: witness.ask(wait=WAIT_SECONDS, key=key))


def _live(life: _Life) -> None:
    lease_id = int(life.lease.id)
    try:
        life.run()
    except LeaseLost as refused:
        life.witness.write(Late(lease_id, "first", now(), refused.code))
        insist(life.witness, life.lease, life._metrics(1), writes=life.habits.late_writes)
    except Refused as refused:
        life.witness.write(Surprise(lease_id, f"{refused.code}: {refused}"))
