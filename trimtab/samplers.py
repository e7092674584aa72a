"""What chooses the next point of a study: the samplers, by name, each with its settings."""

from typing import Annotated, Literal

from pydantic import Field

from trimtab.message import Message, Seed


class TpeSampler(Message):
    """Tree-structured Parzen estimator, Optuna's: multivariate, aware of running trials.

    Args:
        seed: With the number of a trial, all the randomness there is.
        startup_trials: Finished trials before the estimator takes over from random choice.
    """

    name: Literal["tpe"] = "tpe"
    seed: Seed = 0
    startup_trials: Annotated[int, Field(ge=1, le=100_000)] = 10


class RandomSampler(Message):
    """Each parameter independently, evenly on its scale.

    Args:
        seed: With the number of a trial, all the randomness there is.
    """

    name: Literal["random"]
    seed: Seed = 0


Sampler = Annotated[TpeSampler | RandomSampler, Field(discriminator="name")]
