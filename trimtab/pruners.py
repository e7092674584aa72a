"""What stops trials that cannot win: the pruners, by name, each with its settings."""

from typing import Annotated, Literal

from pydantic import Field

from trimtab.message import Message


class MedianPruner(Message):
    """Stop a trial whose best value so far is worse than the median of the complete trials at its step.

    Args:
        startup_trials: Complete trials before anything is stopped.
        warmup_steps: Steps 1 to this one never stop a trial. Optuna's `n_warmup_steps` is one more.
    """

    name: Literal["median"] = "median"
    startup_trials: Annotated[int, Field(ge=0, le=100_000)] = 5
    warmup_steps: Annotated[int, Field(ge=0, lt=2**31)] = 3


class NoPruner(Message):
    """Every trial runs to its end."""

    name: Literal["none"]


Pruner = Annotated[MedianPruner | NoPruner, Field(discriminator="name")]
