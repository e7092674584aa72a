"""The complete trials of a study, which importances are measured on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """The complete trials of a study, as they can be sent to another process.

    Args:
        distributions: Of each parameter, by stored name, as JSON.
        points: Of each trial: stored values by stored name.
        losses: Of each trial; less is better.
    """

    distributions: Mapping[str, str]
    points: Sequence[Mapping[str, float]]
    losses: Sequence[float]
