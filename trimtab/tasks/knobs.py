"""What a built-in task has: hyperparameters, metrics, a default space."""

from dataclasses import dataclass

from trimtab.message import Scalar
from trimtab.space import Categorical, Float, Int, Space


@dataclass(frozen=True)
class Hyperparameter:
    """One knob of a task.

    Args:
        default: Its value where a study neither searches nor fixes it.
        allowed: Every value that it can have.
        meaning: What it is, for people.
        per: What counts its values where it may be a list; None: there is one value.
    """

    default: Scalar
    allowed: Float | Int | Categorical
    meaning: str
    per: str | None = None


@dataclass(frozen=True)
class Task:
    """What the service knows of a task.

    Args:
        hyperparameters: By name.
        metrics: What each epoch reports.
        space: The default space, what matters most first; None: there is none.
        needs_images: Whether its examples have to be images.
        is_open: Whether it may have hyperparameters beside these: a task of the user's own.
    """

    hyperparameters: dict[str, Hyperparameter]
    metrics: tuple[str, ...]
    space: Space | None
    needs_images: bool = False
    is_open: bool = False


POSITIVE = Float(low=1e-12, high=1e6)
BELOW_ONE = Float(low=0.0, high=1 - 1e-9)
RATE = Float(low=0.0, high=1e3)


def choice(*choices: str) -> Categorical:
    """Return a choice of words."""
    return Categorical(choices=choices)
