"""What a chaos run comes to: counted from the record, the journals and the log of what was done."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tests.reliability.auditor import Breach, audit
from tests.reliability.chaos.aim import LEASE_SECONDS, Aim
from tests.reliability.chaos.log import Log
from tests.reliability.chaos.losses import losses, percentile, recoveries, without_cause
from tests.reliability.chaos.proxy import Proxy
from tests.reliability.journal import Late, Surprise, read

RECOVERY_SECONDS = LEASE_SECONDS + 2.0
"""A dead worker's trial runs again within so many seconds, in 99 of 100 cases."""

REFUSED = "lease_lost"

_TRIALS = sa.text("""
    SELECT lower(CAST(state AS text)) AS state, count(*) AS trials FROM trials GROUP BY 1
""")
_FAILED = sa.text("""
    SELECT count(*) FILTER (WHERE u.outcome = 'lost'), count(*) FILTER (WHERE u.outcome <> 'lost')
    FROM trimtab_trials u JOIN trials t USING (trial_id) WHERE t.state = 'FAIL'
""")


@dataclass(frozen=True)
class Result:
    """The figures, by name, and what should never be."""

    figures: Mapping[str, object]
    breaches: list[str]


def result(engine: sa.Engine, folder: Path, aim: Aim, log: Log, proxy: Proxy, *, seconds: float) -> Result:
    """Count and audit what is left when everything has stopped."""
    audited = audit(engine, read(folder))
    lost = losses(engine)
    plain, delayed = recoveries(lost, log)
    late = _late(folder, {loss.lease for loss in lost})
    states, failed = _trials(engine)
    figures = {
        "seed": aim.seed,
        "seconds": round(seconds, 1),
        "kills": sum(blow.is_kill for blow in log.blows),
        "stops": sum(not blow.is_kill for blow in log.blows),
        "database_crashes": log.crashes,
        "replicas_killed": log.replicas_killed,
        "blackholes": log.blackholes,
        "requests": {str(mishap): count for mishap, count in sorted(proxy.counted.items())},
        "zombie_writes": late.total(),
        "zombie_writes_refused": late.total() - sum(n for (_, code), n in late.items() if code != REFUSED),
        "zombie_writes_by_call": {call: n for (call, _), n in sorted(late.items())},
        "trials": sum(states.values()),
        "trials_by_state": states,
        "lost": _count(audited, "I1", "I5"),
        "doubled": _count(audited, "I2", "I3", "I4", "I8", "I9"),
        "stuck": aim.trials - sum(states.get(state, 0) for state in ("complete", "pruned", "fail")),
        "leases_lost": len(lost),
        "failed_of_lost_leases": failed[0],
        "failed_otherwise": failed[1],
        "recovery_seconds": _spread(plain),
        "recovery_seconds_with_outage": _spread(delayed),
    }
    breaches = [*map(str, audited), *log.wrong, *proxy.differences, *_surprises(folder), *without_cause(lost, log)]
    return Result(figures, [*breaches, *_missed(figures, late, plain)])


def _missed(figures: Mapping[str, object], late: Counter[tuple[str, str]], plain: list[float]) -> Iterator[str]:
    for (call, code), count in sorted(late.items()):
        if code != REFUSED:
            yield f"{count} writes of zombies were answered otherwise than {REFUSED}: {call}: {code}"
    for name in ("stuck", "failed_otherwise"):
        if figures[name]:
            yield f"{figures[name]} trials {name.replace('_', ' ')}"
    p99 = percentile(plain, 0.99)
    if p99 and p99 > RECOVERY_SECONDS:
        yield f"a trial runs again {p99:.2f} s after the kill of its worker at p99, promised are {RECOVERY_SECONDS:g} s"


def _late(folder: Path, lost: set[int]) -> Counter[tuple[str, str]]:
    """Count the writes on leases that are lost by call and code."""
    return Counter(
        (entry.call, entry.code) for entry in read(folder) if isinstance(entry, Late) and entry.lease in lost
    )


def _surprises(folder: Path) -> Iterable[str]:
    return (f"lease {entry.lease}: {entry.text}" for entry in read(folder) if isinstance(entry, Surprise))


def _trials(engine: sa.Engine) -> tuple[dict[str, int], tuple[int, int]]:
    with engine.connect() as connection:
        states = {row.state: row.trials for row in connection.execute(_TRIALS)}
        lost, otherwise = connection.execute(_FAILED).one()
    return states, (lost, otherwise)


def _count(breaches: Iterable[Breach], *invariants: str) -> int:
    return sum(breach.invariant in invariants for breach in breaches)


def _spread(seconds: list[float]) -> dict[str, float | None]:
    return {
        "count": len(seconds),
        **{f"p{round(100 * share)}": percentile(seconds, share) for share in (0.5, 0.99)},
        "max": max(seconds, default=None),
    }
