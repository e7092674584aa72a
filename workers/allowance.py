"""How long an attempt and each of its steps may take, by the worker's own steady clock."""

import time
from collections.abc import Callable

from trimtab.budget import Limits


class Allowance:
    """What is left of the limits of a lease. Time that is spent waiting for the service does not count.

    Args:
        limits: Of the lease.
        clock: Seconds from some moment on; it never jumps, whatever is done to the time of day.
    """

    def __init__(self, limits: Limits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._trial_began_at = self._step_began_at = clock()

    def begin_step(self, *, reported_at: float) -> None:
        """Begin the time of the next step. The service has answered to a report that was sent at `reported_at`."""
        self._step_began_at = self._clock()
        self._trial_began_at += self._step_began_at - reported_at

    def exceeded(self) -> str | None:
        """Return which limit is passed, in words; None: neither is."""
        now = self._clock()
        trial, step = self._limits.trial_seconds, self._limits.step_seconds
        if trial is not None and now - self._trial_began_at >= trial:
            return f"the attempt took longer than {trial:g} s (limits.trial_seconds)"
        if step is not None and now - self._step_began_at >= step:
            return f"a step took longer than {step:g} s (limits.step_seconds)"
        return None
