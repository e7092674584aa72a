"""Which fault comes when: drawn from the seed alone, in order of progress, so that a slow machine has them all too."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tests.reliability.chaos.aim import Aim

LAST = 0.95
"""The share of the trials after which there are no more faults: what they did has to come to an end."""


class Fault(StrEnum):
    """What is done to the running system, beside what the proxy does to single requests."""

    KILL = "kill"
    STOP = "stop"
    CRASH = "crash"
    REPLICA = "replica"
    REPLICAS = "replicas"
    BLACKHOLE = "blackhole"


@dataclass(frozen=True, order=True)
class Due:
    """A fault.

    Args:
        progress: The share of the trials that have ended when it comes.
        fault: Which.
    """

    progress: float
    fault: Fault


def counts(aim: Aim) -> Mapping[Fault, int]:
    """Return how many faults of each kind there are to be."""
    return {
        Fault.KILL: aim.kills,
        Fault.STOP: aim.stops,
        Fault.CRASH: aim.crashes,
        Fault.REPLICA: aim.crashes,
        Fault.REPLICAS: max(1, aim.crashes // 5),
        Fault.BLACKHOLE: aim.crashes,
    }


def plan(aim: Aim) -> list[Due]:
    """Return all faults, the first first: of each kind one at a random place in each of equal stretches."""
    chance = Random(aim.seed)
    return sorted(
        Due(LAST * (position + chance.random()) / count, fault)
        for fault, count in counts(aim).items()
        for position in range(count)
    )
