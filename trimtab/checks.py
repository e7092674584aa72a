"""The gradient check of a study: what is asked for, and what came of it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trimtab.message import Lax, Message, Metrics, Params, StudyName, Text
from trimtab.states import Outcome, TrialState

FIGURE = "gradient_check"
"""The metric that holds the figure over all parameters."""

TENSOR = "figure."
"""What metrics begin with that hold the figure of one tensor: its name follows."""


TensorName = Annotated[Text, Field(min_length=1, max_length=200)]
"""As torch names it: in a sequence its modules are numbered, as in `1.weight`."""

UNCOMPARED = "uncompared"
"""The metric that counts tensors of which less than half could be compared; absent where there are none."""

UNCOMPARED_FIGURE = 1e-5
"""The least figure that such a tensor is rated by: nobody knows that it is right."""


class Rating(StrEnum):
    """What a figure says of a backward pass.

    right        below 1e-7
    look         below 1e-5: code that is right, at a point that float64 hardly resolves, or nearly right
    suspicious   below 1e-3; or less than half of a tensor could be compared
    wrong        from there on
    """

    RIGHT = "right"
    LOOK = "look"
    SUSPICIOUS = "suspicious"
    WRONG = "wrong"

    @classmethod
    def of(cls, figure: float) -> "Rating":
        """Return the rating of a figure."""
        below = {1e-7: cls.RIGHT, 1e-5: cls.LOOK, 1e-3: cls.SUSPICIOUS}
        return next((rating for bound, rating in below.items() if figure < bound), cls.WRONG)

    @property
    def is_passed(self) -> bool:
        """Whether there is nothing to mend."""
        return self in {Rating.RIGHT, Rating.LOOK}


class CheckRequest(Message):
    """A gradient check that is asked for.

    Args:
        params: Hyperparameters of the network and its loss. What is left out is as the study holds it fixed, or as
            the task has it by default, as near as the space allows.
    """

    params: Params = Field(default_factory=dict)


class Check(Message):
    """A gradient check, as far as it is.

    Args:
        study: That does it, with one trial.
        params: With which hyperparameters, beside those that the study holds fixed.
        state: Of that trial. A check that found something wrong is a trial that failed.
        outcome: How it ended; None while it lives.
        rating: By the worst of the figures; None: there is none yet, or there never was.
        figure: ||d_approx - d|| / (||d_approx|| + ||d||) over all parameters that were looked at.
        tensors: The same of each tensor by itself, by its name; of very many the worst fifty.
        metrics: What else was counted: parameters, those `checked`, and those left out for `kinks`.
        reason: Why it failed: the tensors at fault, and their worst entries.
    """

    study: StudyName
    params: Params
    state: Annotated[TrialState, Lax]
    outcome: Annotated[Outcome, Lax] | None = None
    rating: Annotated[Rating, Lax] | None = None
    figure: float | None = None
    tensors: dict[TensorName, float | None] = Field(default_factory=dict)
    metrics: Metrics = Field(default_factory=dict)
    reason: str | None = None
    created_at: datetime
    completed_at: datetime | None = None
