"""When a study is complete, and how long an attempt of a trial may take."""

from typing import Annotated

from pydantic import Field

from trimtab.message import Message

Seconds = Annotated[float, Field(gt=0, le=1e9)]


class Budget(Message):
    """What a study may use up.

    Args:
        trials: Trials sampled, in any state.
    """

    trials: Annotated[int, Field(ge=1, le=1_000_000)] = 100


class Limits(Message):
    """How long an attempt of a trial may take. Past a limit it fails with the outcome `timeout`.

    Args:
        trial_seconds: From the lease to the tell; None: no limit.
        step_seconds: From the lease to the first report, and from each report to the next or to the tell; None: for
            a trial with a task an hour, else no limit.
    """

    trial_seconds: Seconds | None = None
    step_seconds: Seconds | None = None
