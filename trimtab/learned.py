"""What a study has taught: which parameters mattered, how it went on, and what its sampler gained."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trimtab.message import Lax, Message


class ImportanceMethod(StrEnum):
    """How importance is measured.

    ped_anova   what sets the best tenth of the trials apart from all of them
    fanova      how much of the variance of the values each parameter explains, alone
    """

    PED_ANOVA = "ped_anova"
    FANOVA = "fanova"


class Importances(Message):
    """How much each parameter mattered.

    Args:
        method: How it was measured.
        metric: For which objective.
        trials: Complete ones that it was measured on.
        reason: Why there are no importances; None: there are.
        importances: The share of each parameter, the greatest first; they add to 1.
    """

    method: Annotated[ImportanceMethod, Lax]
    metric: str
    trials: int
    reason: str | None = None
    importances: dict[str, float]


class Gain(Message):
    """What the sampler gained over chance: how much better its median trial is than that of the control arm.

    Args:
        value: Median of the control's final values minus that of the sampler's, the other way round where more is
            better: above zero the sampler's are better. Pruned trials count by their last value.
        low: Of the 95 % bootstrap interval of `value`.
        high: Likewise.
        sampled: Trials of the sampler that count: those after its start-up that ended with a value.
        control: Trials of the control arm that ended with a value.
        reason: Why there is no gain to tell; None: there is.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    sampled: int = 0
    control: int = 0
    reason: str | None = None


class ProgressPoint(Message):
    """A trial that made the study better.

    Args:
        number: Of the trial.
        finished: It was the n-th to end, from 1.
        seconds: From the study's first lease to its end; None: it came already finished.
        value: Best value so far; with several objectives the hypervolume so far.
    """

    number: int
    finished: int
    seconds: float | None
    value: float


class Progress(Message):
    """How a study went on.

    Args:
        measure: What the values are of: the metric of the objective, or `hypervolume`.
        points: Each trial that made it better, in the order in which they ended.
        control: Likewise of the control arm's trials alone; with several objectives none.
        finished: Trials that have ended.
        reference: Of the hypervolume: the point that it is measured from, by metric.
        reason: Why there are no points; None: there are.
        gain: Of the sampler over the control arm.
    """

    measure: str
    points: list[ProgressPoint]
    control: list[ProgressPoint] = Field(default_factory=list)
    finished: int
    reference: dict[str, float] | None = None
    reason: str | None = None
    gain: Gain
