"""Trials of every kind, each lived once through the real application."""

from service.sweep import sweep
from tests.reliability.journal import Entry
from tests.reliability.witness import Witness
from tests.service import record
from tests.service.served import Served
from tests.service.specs import METRIC, spec
from trimtab.protocol import Lease
from trimtab.states import Outcome

SPACE = {
    "rate": {"type": "float", "low": 1e-4, "high": 0.1, "scale": "log"},
    "momentum": {"type": "float", "low": 0.5, "high": 0.999, "scale": "reverse_log"},
    "units": {"type": "int", "low": 1, "high": 256, "scale": "log"},
    "optimizer": {"type": "categorical", "choices": ["adam", "momentum"]},
}
EAGER = {"name": "median", "startup_trials": 1, "warmup_steps": 0}


def live_every_life(served: Served) -> list[Entry]:
    """Fill a database; return what was told.

    Study `over` is complete: trial 0 is complete at once, 1 after a lease that was lost and one that was released,
    2 stopped and pruned, 3 stopped and then lost, 4 diverged, 5 failed with its last attempt. Of study `open` trial 0
    runs, 1 waits, and 2 came already finished.
    """
    journal: list[Entry] = []
    witness = Witness(served.client, "worker", journal.append)
    served.client.create_study(spec("over", space=SPACE, pruner=EAGER, budget={"trials": 6}, max_attempts=2))
    _complete(witness, _lease(witness, "over"), 0.5)
    _lose(served, _reported(witness, "over", 0.4))
    witness.tell(_reported(witness, "over", 0.3), Outcome.RELEASED, {})
    _complete(witness, _lease(witness, "over"), 0.2)
    witness.tell(_reported(witness, "over", 0.9), Outcome.PRUNED, {})
    _lose(served, _reported(witness, "over", 0.8))
    witness.tell(_lease(witness, "over"), Outcome.COMPLETE, {METRIC: None})
    for _ in range(2):
        _lose(served, _reported(witness, "over", 0.1))
    _leave_open(served, witness)
    return journal


def _leave_open(served: Served, witness: Witness) -> None:
    served.client.create_study(spec("open"))
    first, second = _lease(witness, "open"), _lease(witness, "open")
    witness.report(first, 1, {METRIC: 0.5})
    witness.tell(second, Outcome.RELEASED, {})
    served.client.add_trial("open", {"x": 0.5}, metrics={METRIC: 0.5}, curve={1: {METRIC: 0.75}, 2: {METRIC: 0.5}})
    # It is to live as long as the tests take.
    renew = "UPDATE trimtab_leases SET expires_at = now() + interval '1 day' WHERE lease_id = :lease_id"
    record.execute(served.replica.engine, renew, lease_id=int(first.id))


def _lease(witness: Witness, study: str) -> Lease:
    lease = witness.ask(study=study)
    assert lease, "the budget is not used up"
    return lease


def _reported(witness: Witness, study: str, error: float) -> Lease:
    lease = _lease(witness, study)
    witness.report(lease, 1, {METRIC: error})
    return lease


def _complete(witness: Witness, lease: Lease, error: float) -> None:
    for step in (1, 2):
        witness.report(lease, step, {METRIC: error / step})
    witness.tell(lease, Outcome.COMPLETE, {METRIC: error / 2})


def _lose(served: Served, _: Lease) -> None:
    record.let_leases_run_out(served.replica.engine)
    sweep(served.replica)
