"""What a study has taught: which parameters mattered, how it went on, and what its sampler gained."""

from enum import StrEnum
from typing import Annotated

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
