"""What a chaos run comes to: the figures, and what is not as promised."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.reliability.auditor import Breach
from tests.reliability.chaos.aim import LEASE_SECONDS
from tests.reliability.chaos.log import ALL_REPLICAS, Log
from tests.reliability.chaos.losses import percentile, recoveries, without_cause
from tests.reliability.chaos.remains import Remains
from tests.reliability.journal import Late

RECOVERY_SECONDS = LEASE_SECONDS + 2.0
"""A dead worker's trial runs again within so many seconds, in 99 of 100 cases."""

ENOUGH = 100
"""Recoveries for a p99. Of fewer it is the longest, which one slow moment of the machine decides: then the median is
held to the promise."""

REFUSED = "lease_lost"

Figures = Mapping[str, object]


@dataclass(frozen=True)
class Result:
    """The figures, by name, and what should never be."""

    figures: Figures
    breaches: list[str]


def result(remains: Remains) -> Result:
    """Count and judge."""
    figures = {
        "seed": remains.aim.seed,
        "seconds": round(remains.seconds, 1),
        **_faults(remains.log),
        "requests": {str(mishap): count for mishap, count in sorted(remains.requests.items())},
        **_zombies(_on_lost_leases(remains)),
        **_trials(remains),
        **_recoveries(remains),
    }
    return Result(figures, list(_breaches(remains)))


def _faults(log: Log) -> Figures:
    return {
        "kills": sum(blow.is_kill for blow in log.blows),
        "stops": sum(not blow.is_kill for blow in log.blows),
        "database_crashes": log.crashes,
        "replicas_killed": log.replicas_killed,
        "blackholes": log.blackholes,
        "outages": len(log.outages),
        "outages_of_all_replicas": sum(outage.what == ALL_REPLICAS for outage in log.outages),
    }


def _zombies(late: Sequence[Late]) -> Figures:
    return {
        "zombie_writes": len(late),
        "zombie_writes_refused": sum(write.code == REFUSED for write in late),
        "zombie_writes_by_call": dict(sorted(Counter(write.call for write in late).items())),
    }


def _trials(remains: Remains) -> Figures:
    return {
        "trials": sum(remains.states.values()),
        "trials_by_state": remains.states,
        "lost": _count(remains.audited, "I1", "I5"),
        "doubled": _count(remains.audited, "I2", "I3", "I4", "I8", "I9"),
        "stuck": _stuck(remains),
        "leases_lost": len(remains.lost),
        "failed_of_lost_leases": remains.failed_of_lost_leases,
        "failed_otherwise": remains.failed_otherwise,
    }


def _recoveries(remains: Remains) -> Figures:
    plain, delayed = recoveries(remains.lost, remains.log)
    return {"recovery_seconds": _spread(plain), "recovery_seconds_with_outage": _spread(delayed)}


def _breaches(remains: Remains) -> Iterator[str]:
    yield from map(str, remains.audited)
    yield from remains.log.wrong
    yield from remains.differences
    yield from (f"lease {surprise.lease}: {surprise.text}" for surprise in remains.surprises)
    yield from without_cause(remains.lost, remains.log)
    yield from _accepted(_on_lost_leases(remains))
    yield from _told_wrongly(remains)
    if stuck := _stuck(remains):
        yield f"{stuck} trials stuck"
    if remains.failed_otherwise:
        yield f"{remains.failed_otherwise} trials failed otherwise than of lost leases"
    yield from _slow(remains)


def _accepted(late: Iterable[Late]) -> Iterator[str]:
    for (call, code), count in sorted(Counter((write.call, write.code) for write in late).items()):
        if code != REFUSED:
            yield f"{count} writes of zombies were answered otherwise than {REFUSED}: {call}: {code}"


def _told_wrongly(remains: Remains) -> Iterator[str]:
    """Say which workers were told that their lease is lost, when on record it never was."""
    lost = {loss.lease for loss in remains.lost}
    told: dict[int, list[str]] = defaultdict(list)
    for write in remains.late:
        if write.lease not in lost:
            told[write.lease].append(f"{write.call}: {write.code}")
    for lease, answers in sorted(told.items()):
        yield f"lease {lease} is not lost, and its worker was told that it is: {', '.join(answers)}"


def _slow(remains: Remains) -> Iterator[str]:
    plain, _ = recoveries(remains.lost, remains.log)
    share = 0.99 if len(plain) >= ENOUGH else 0.5
    seconds = percentile(plain, share)
    if seconds is None and any(blow.is_kill for blow in remains.log.blows):
        yield "workers were killed, and no trial of theirs is known to have run again but after an outage"
    if seconds is not None and seconds > RECOVERY_SECONDS:
        yield (
            f"a trial runs again {seconds:.2f} s after the kill of its worker at p{round(100 * share)} "
            f"of {len(plain)}, promised are {RECOVERY_SECONDS:g} s"
        )


def _on_lost_leases(remains: Remains) -> list[Late]:
    lost = {loss.lease for loss in remains.lost}
    return [write for write in remains.late if write.lease in lost]


def _stuck(remains: Remains) -> int:
    return remains.aim.trials - sum(remains.states.get(state, 0) for state in ("complete", "pruned", "fail"))


def _count(breaches: Iterable[Breach], *invariants: str) -> int:
    return sum(breach.invariant in invariants for breach in breaches)


def _spread(seconds: Sequence[float]) -> dict[str, float | None]:
    return {
        "count": len(seconds),
        **{f"p{round(100 * share)}": percentile(seconds, share) for share in (0.5, 0.99)},
        "max": max(seconds, default=None),
    }
