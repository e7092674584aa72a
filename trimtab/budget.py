"""When a study is complete, and how long an attempt of a trial may take."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from trimtab.message import Message

MAX_SECONDS = 1e9

Seconds = Annotated[float, Field(gt=0, le=MAX_SECONDS)]

DEFAULT_TRIALS = 100
"""Of a study that is given no budget at all."""


class Budget(Message):
    """What a study may use up, and when it has found enough. Whichever comes first ends it; null: no limit.

    Args:
        trials: Trials sampled or enqueued, in any state. Those that run go on to their end. Left out: 100, or no limit
            where another one is given; a grid has as many as it has points.
        epochs: Reports recorded, of all trials and attempts.
        seconds: From the first lease on.
        device_seconds: Of all leases together.
        target: A value of the one objective that is good enough.
        patience: So many trials ended one after another without a better complete one, after the first.
    """

    trials: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    epochs: Annotated[int, Field(ge=1, le=10**12)] | None = None
    seconds: Seconds | None = None
    device_seconds: Seconds | None = None
    target: float | None = None
    patience: Annotated[int, Field(ge=1, le=1_000_000)] | None = None

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if "trials" not in self.model_fields_set and all(limit is None for _, limit in self):
            # Not as if it were given: a grid has its own number.
            self.__dict__["trials"] = DEFAULT_TRIALS
        return self

    def is_bound_to_end(self, *, reports_epochs: bool) -> bool:
        """Whether a study of this budget comes to its end whatever its trials find.

        Args:
            reports_epochs: Each of its trials reports, for certain.
        """
        limits = (self.trials, self.seconds, self.device_seconds, self.epochs if reports_epochs else None)
        return any(limit is not None for limit in limits)


class Limits(Message):
    """How long an attempt of a trial may take. Past a limit it fails with the outcome `timeout`.

    Args:
        trial_seconds: From the lease to the tell; None: no limit.
        step_seconds: From the lease to the first report, and from each report to the next or to the tell; None: for
            a trial with a task an hour (an hour for each epoch where a step is a whole training), else no limit.
    """

    trial_seconds: Seconds | None = None
    step_seconds: Seconds | None = None
