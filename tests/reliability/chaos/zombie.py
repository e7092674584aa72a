"""A worker that was told that its lease is lost and does not believe it: it tries every write, again and again."""

from collections.abc import Callable, Mapping

from tests.reliability.journal import Late, Reported, Sent, now
from tests.reliability.witness import COMES_BACK, Witness
from trimtab.errors import Refused
from trimtab.message import Metrics
from trimtab.protocol import Lease, LeaseReport
from trimtab.states import Outcome

ACCEPTED = "accepted"
_FAR = 1_000


def insist(witness: Witness, lease: Lease, metrics: Metrics, *, writes: int) -> None:
    """Try so many writes on a lease that is lost, and write down what came of each that was answered."""
    calls = _calls(witness, lease, metrics)
    names = list(calls)
    for position in range(writes):
        name = names[position % len(names)]
        sent_at = now()
        if code := _code(calls[name]):
            witness.write(Late(int(lease.id), name, sent_at, code))


def _calls(witness: Witness, lease: Lease, metrics: Metrics) -> Mapping[str, Callable[[], object]]:
    return {
        "report": lambda: witness.report(lease, _FAR, metrics),
        "repeated report": lambda: witness.report(lease, 1, metrics),
        "one of many": lambda: _one_of_many(witness, lease, metrics),
        "heartbeat": lambda: witness.client.heartbeat(lease),
        "complete": lambda: witness.tell(lease, Outcome.COMPLETE, metrics),
        "released": lambda: witness.tell(lease, Outcome.RELEASED, {}),
        "error": lambda: witness.tell(lease, Outcome.ERROR, {}),
    }


def _code(call: Callable[[], object]) -> str | None:
    """Return the code of the answer; None: there was none."""
    try:
        call()
    except COMES_BACK:
        return None
    except Refused as refused:
        return refused.code
    return ACCEPTED


def _one_of_many(witness: Witness, lease: Lease, metrics: Metrics) -> None:
    sent = Sent(int(lease.id), _FAR, metrics)
    witness.write(sent)
    report = LeaseReport(lease=lease.id, fence=lease.fence, step=_FAR, metrics=metrics)
    (answer,) = witness.client.report_many([report])
    if isinstance(answer, Refused):
        raise answer
    witness.write(Reported.of(sent, answer))
