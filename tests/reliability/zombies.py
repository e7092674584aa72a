"""Every way to lose a lease, and every call that who has lost it may go on with, through two replicas that know it."""

from collections.abc import Callable, Iterator, Sequence

from service.sweep import sweep
from tests.reliability.caller import Answer, Caller, Lease
from tests.reliability.summary import summary
from tests.service import record
from tests.service.served import Served
from tests.service.specs import METRIC, body

REFUSED = {"lease_lost", "lease_ended", "study_deleted"}


def _told(outcome: str) -> Callable[[Served, Lease], None]:
    def tell(served: Served, lease: Lease) -> None:
        Caller(served.http).tell(lease, outcome)

    return tell


def _run_out(served: Served, _: Lease) -> None:
    record.let_leases_run_out(served.replica.engine)


def _swept(served: Served, lease: Lease) -> None:
    _run_out(served, lease)
    assert sweep(served.replica) == 1


def _given_to_another(served: Served, lease: Lease) -> None:
    _swept(served, lease)
    assert Caller(served.http).lease()["trial"] == lease["trial"]


def _deleted(served: Served, _: Lease) -> None:
    Caller(served.http).send("DELETE", "/v1/studies/study")


def _forged(_: Served, lease: Lease) -> None:
    lease["fence"] += 1


LOSSES: dict[str, Callable[[Served, Lease], None]] = {
    **{f"told {outcome}": _told(outcome) for outcome in ("complete", "pruned", "released", "error")},
    "run out": _run_out,
    "swept": _swept,
    "given to another": _given_to_another,
    "deleted": _deleted,
    "of another fence": _forged,
}


def _report_one_of_many(caller: Caller, lease: Lease) -> Answer:
    one = {"lease": lease["id"], "fence": lease["fence"], "step": 3, "metrics": {METRIC: 0.125}}
    status, answer = caller.send("POST", "/v1/reports", {"reports": [one]})
    return status, answer["results"][0]


WRITES: dict[str, Callable[[Caller, Lease], Answer]] = {
    "report": lambda caller, lease: caller.report(lease, 3, 0.125),
    "report again": lambda caller, lease: caller.report(lease, 2, 0.125),
    "one of many": _report_one_of_many,
    "heartbeat": lambda caller, lease: caller.heartbeat(lease),
    "checkpoint": lambda caller, lease: caller.put_checkpoint(lease, 2),
    "lines": lambda caller, lease: caller.keep_lines(lease),
    "suggestion": lambda caller, lease: caller.suggest(lease, "y", {"type": "int", "low": 1, "high": 9}),
    "suggestion again": lambda caller, lease: caller.suggest(lease, "x", {"type": "int", "low": 1, "high": 9}),
    "attribute": lambda caller, lease: caller.put_attribute(lease, 0.5),
    "tell": lambda caller, lease: caller.tell(lease, "diverged"),
}


def complaint_of_zombies(replicas: Sequence[Served]) -> str | None:
    """Lose a lease in every way and go on with it in every way; return which call was not refused or left a trace."""
    return "; ".join(found for loss in LOSSES for found in _accepted(replicas, loss)) or None


def _accepted(replicas: Sequence[Served], loss: str) -> Iterator[str]:
    callers = [Caller(one.http) for one in replicas]
    callers[0].send("POST", "/v1/studies", body(space=None))
    lease = callers[0].lease()
    callers[0].suggest(lease, "x", {"type": "int", "low": 1, "high": 9})
    for step, caller in enumerate(callers, start=1):
        caller.report(lease, step, 0.25)
    LOSSES[loss](replicas[0], lease)
    for write, call in WRITES.items():
        for number, caller in enumerate(callers):
            before = summary(replicas[0].replica.engine)
            _, answer = call(caller, lease)
            if answer.get("code") not in REFUSED or summary(replicas[0].replica.engine) != before:
                yield f"a lease that was {loss}: {write} through replica {number} was answered {answer}"
    callers[0].send("DELETE", "/v1/studies/study")
