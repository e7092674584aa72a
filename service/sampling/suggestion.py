"""A suggestion, and the seed that it was made from."""

from dataclasses import dataclass, field

import numpy as np

from service.storage.dimensions import Point
from service.storage.finished import Attributes
from trimtab.states import Origin


@dataclass(frozen=True)
class Suggestion:
    """A point for a trial.

    Args:
        point: As it is stored.
        attributes: What the sampler wants to find with the trial later: plain JSON.
        fallback: Why the point is a random one, where the sampler gave none.
        origin: Whether the sampler chose it, or chance, for comparison.
    """

    point: Point
    attributes: Attributes = field(default_factory=dict)
    fallback: str | None = None
    origin: Origin = Origin.SAMPLED


def seed_of(study_seed: int, number: int, *, salt: int | None = None) -> int:
    """Return the seed of trial `number`, in [0, 2^32): NumPy's SeedSequence of (study seed, number[, salt])."""
    entropy = (study_seed, number) if salt is None else (study_seed, number, salt)
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def training_seed(study_seed: int, number: int) -> int:
    """Return the seed that trial `number` is trained with, in [0, 2^32), unrelated to the sampler's."""
    return int(np.random.SeedSequence((study_seed, number), spawn_key=(1,)).generate_state(1)[0])
