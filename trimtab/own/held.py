"""A lease in the hands of somebody's own code: renewed by a thread beside the training, and told once how it ended."""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self, SupportsIndex, TypeVar

from trimtab.client import Client
from trimtab.errors import Invalid, LeaseEnded, LeaseLost, Refused, StudyDeleted, TrimtabError
from trimtab.own.outcomes import kept, message_of, outcome_of
from trimtab.patience import patiently
from trimtab.protocol import Lease, Told, Verdict
from trimtab.requests import Figures
from trimtab.states import Decision, Outcome

HEARTBEATS_PER_LEASE = 3
"""Two may go astray."""

JOIN_SECONDS = 0.5
"""Whoever leaves a block does not wait for a heartbeat that nobody answers; one that comes late does no harm."""

GONE = (LeaseLost, LeaseEnded, StudyDeleted)
"""What is said of a lease that is over: nobody waits for what comes of its training."""

Answer = TypeVar("Answer")

_log = logging.getLogger("trimtab")


def give_back(client: Client, lease: Lease) -> None:
    """Give a trial back to the queue. Whoever does so wants to end: it is said once, and else the lease runs out."""
    try:
        client.tell(lease, Outcome.RELEASED)
    except TrimtabError as error:
        _log.warning("trial %s of %s: not given back, its lease runs out: %s", lease.trial, lease.study, error)
    else:
        _log.info("trial %s of %s: %s", lease.trial, lease.study, Outcome.RELEASED)


class HeldLease:
    """A lease that is held while its block runs, whose end is told where the block is left.

    ==============================  ===================================================
    the block                       the trial
    ==============================  ===================================================
    has called `complete`           complete, or diverged where the figure is not finite
    is left by Pruned, TrialPruned  pruned; the block's end hides the exception
    finds that the lease is over    is not this one's any more; hidden likewise
    is left by an error             error, or out_of_memory
    is left by an interrupt         goes back to the queue
    ==============================  ===================================================

    Args:
        client: To the service. A service that is away is waited for.
        lease: Nobody else holds it.
    """

    def __init__(self, client: Client, lease: Lease) -> None:
        self.lease = lease
        self._client = client
        self._name = f"trial {lease.trial} of {lease.study}"
        self._is_told = False
        self._is_left = threading.Event()
        self._gone: Refused | None = None
        self._verdict: Verdict | None = None
        self._thread = threading.Thread(target=self._renew, name=f"trimtab: {self._name}", daemon=True)

    def __enter__(self) -> Self:
        _log.info("%s: begun, attempt %s", self._name, self.lease.attempt)
        self._thread.start()
        return self

    def __exit__(self, _: object, error: BaseException | None, trace: TracebackType | None) -> bool:
        self._is_left.set()
        self._thread.join(JOIN_SECONDS)
        if error is None or self._is_told:
            return False
        if self._gone and isinstance(error, GONE):
            _log.warning("%s: dropped: %s", self._name, error)
            return True
        outcome = outcome_of(error)
        if outcome is Outcome.RELEASED:
            self.release()
        else:
            self._tell(lambda client, lease: client.tell(lease, outcome, message=message_of(error)))
        return outcome is Outcome.PRUNED

    @property
    def is_begun(self) -> bool:
        """Whether its block was entered."""
        return self._thread.ident is not None

    @property
    def is_told(self) -> bool:
        """Whether the trial has its end."""
        return self._is_told

    @property
    def verdict(self) -> Verdict | None:
        """What was heard last: to go on, or to stop; None: nothing yet.

        Raises:
            LeaseLost, LeaseEnded, StudyDeleted: The lease is over.
        """
        if self._gone:
            raise self._gone
        return self._verdict

    def call(self, verb: Callable[[Client, Lease], Answer]) -> Answer:
        """Call the service on the lease, as often as it takes.

        Raises:
            LeaseLost, LeaseEnded, StudyDeleted: The lease is over.
            Refused: The service says no for good.
        """
        if self._gone:
            raise self._gone
        try:
            return patiently(lambda: verb(self._client, self.lease))
        except GONE as error:
            self._gone = error
            raise

    def report(self, step: SupportsIndex, metrics: Figures) -> Verdict:
        """Report a measurement and hear whether to go on.

        Raises:
            LeaseLost, LeaseEnded, StudyDeleted: The lease is over.
            StepConflict: The step was reported with other metrics, or is behind one that was.
        """
        self._verdict = self.call(lambda client, lease: client.report(lease, step=step, metrics=metrics))
        return self._verdict

    def complete(self, metrics: Figures, *, step: int | None = None) -> None:
        """Tell the final figures, and the step that they belong to; None: the last one reported.

        Raises:
            Invalid: They lack a metric that the study needs, which is the end of the trial too.
        """
        try:
            self._tell(lambda client, lease: client.tell(lease, Outcome.COMPLETE, metrics=metrics, step=step))
        except Invalid as error:
            self.fail(str(error))
            raise

    def fail(self, message: str) -> None:
        """Tell that the training came to no figures, and why."""
        _log.warning("%s: %s", self._name, message)
        self._tell(lambda client, lease: client.tell(lease, Outcome.ERROR, message=kept(message)))

    def release(self) -> None:
        """Give the trial back to the queue, where the service is there to take it."""
        give_back(self._client, self.lease)
        self._is_told = True

    def _tell(self, verb: Callable[[Client, Lease], Told]) -> None:
        """Tell how the lease ended, unless it is over: then there is nobody to hear it."""
        try:
            told = self.call(verb)
        except GONE as error:
            _log.warning("%s: dropped: %s", self._name, error)
        else:
            _log.info("%s: %s", self._name, told.outcome)
        self._is_told = True

    def _renew(self) -> None:
        """Keep the lease alive until the block is left. A service that is away is asked again later."""
        while not self._is_left.wait(self.lease.expires_in / HEARTBEATS_PER_LEASE):
            try:
                verdict = self._client.heartbeat(self.lease)
            except GONE as error:
                self._gone = error
                return
            except TrimtabError as error:
                _log.warning("%s: no heartbeat: %s", self._name, error)
            else:
                if verdict.verdict is Decision.STOP:
                    self._verdict = verdict
