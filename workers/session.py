"""One lease, from the order to the tell: reports after each epoch, heartbeats in longer ones, checkpoints at times."""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from trimtab import logs
from trimtab.client import Client
from trimtab.errors import BodyTooLarge, InternalError, Invalid, TrimtabError, Unauthorized
from trimtab.patience import PASSING
from trimtab.protocol import Lease, Verdict
from trimtab.spec import TaskSpec
from trimtab.states import Decision, Outcome, Purpose
from workers.allowance import Allowance
from workers.checkpoints import Checkpoints, Start
from workers.datasets import DatasetNotKept, Datasets, DatasetUnavailable
from workers.delivery import Delivery
from workers.drain import Drain
from workers.messages import (
    Begun,
    CheckpointFile,
    Ended,
    FromTraining,
    Measured,
    ModelOrder,
    Order,
    Saved,
    Unsaved,
    clipped,
)
from workers.patience import patiently
from workers.process import ChildDied, ChildProcess
from workers.transfers import beside, is_over_within

_HEARTBEATS_PER_LEASE = 3
"""Two may go astray."""

_LOOK_SECONDS = 0.5

MACHINE_PAUSE_SECONDS = 30.0
"""That a slot asks for nothing after a fault of its machine: what it gave back is another worker's first."""

CHECKED_TRIALS = 10
"""Of a study of a user's own task, the first: as many as stop it by default where they fail in a row."""

_NONE: Mapping[str, Path] = MappingProxyType({})

_log = logging.getLogger(__name__)


class Session:
    """A trial in training.

    Args:
        client: To the service.
        lease: What to train.
        child: Trains it, unless it has died while it was idle. If it is not idle afterwards it is of no more use.
        drain: Cuts the training short.
        checkpoints: Of the trial.
        datasets: Of this machine.
    """

    def __init__(
        self,
        client: Client,
        lease: Lease,
        child: ChildProcess,
        drain: Drain,
        *,
        checkpoints: Checkpoints,
        datasets: Datasets,
    ) -> None:
        self._client = client
        self._lease = lease
        self._child = child
        self._drain = drain
        self._checkpoints = checkpoints
        self._datasets = datasets
        self._files: dict[str, Path] = {}
        self._start = Start()
        self._split: str | None = None
        self._pause_seconds = 0.0
        self._renewed_at = time.monotonic()
        self._allowance = Allowance(lease.limits)
        self._about = logs.about(lease)

    def run(self) -> None:
        """Train the trial and tell how it ended; drop it where the service wants no more of it.

        Raises:
            Unauthorized: The token is not valid any more.
        """
        _log.info("trial %(trial)s of %(study)s: leased, attempt %(attempt)s", self._about)
        try:
            self._tell(self._sent(self._train()))
        except Unauthorized:
            raise
        except TrimtabError as error:
            _log.warning("trial %(trial)s of %(study)s: dropped: %(error)s", {**self._about, "error": error})
        finally:
            self._child.drop()
        self._drain.wait(self._pause_seconds)

    def _train(self) -> Ended:
        """Have the trial trained until something ends it."""
        ended = self._fetch()
        if ended or self._drain.has_begun or not self._child.is_idle:
            return ended or Ended(outcome=Outcome.RELEASED)
        try:
            with Delivery(self._client, self._lease, self._child.output):
                self._child.order(
                    order(self._lease, self._start.file, files=self._files, model_path=self._checkpoints.model_path)
                )
                while not ended:
                    ended = self._wait(self._child.heard_within) or self._heed(self._child.receive())
        except ChildDied as error:
            # Whoever ends the worker may have ended the child too, which is no fault of the trial.
            is_innocent = self._drain.has_begun or not self._child.has_begun
            return Ended(outcome=Outcome.RELEASED if is_innocent else Outcome.ERROR, message=str(error))
        return ended

    def _fetch(self) -> Ended | None:
        """Download what the trial is trained on and goes on from; return what ended it before that was there."""
        fetching = beside(
            lambda: (self._datasets.fetch(_task(self._lease).data, self._drain), self._checkpoints.fetch(self._drain))
        )
        if ended := self._wait(lambda seconds: is_over_within(seconds, fetching)):
            return ended
        try:
            self._files, self._start = fetching.result()
        except DatasetUnavailable as error:
            return Ended(outcome=Outcome.ERROR, message=clipped(str(error)))
        except DatasetNotKept as error:
            self._pause_seconds = MACHINE_PAUSE_SECONDS
            return Ended(outcome=Outcome.RELEASED, message=clipped(str(error)))
        if self._start.step:
            how = "from the checkpoint of" if self._start.file else "anew; on record up to"
            start = {**self._about, "how": how, "step": self._start.step}
            _log.info("trial %(trial)s of %(study)s: goes on %(how)s step %(step)s", start)
        return None

    def _wait(self, happened_within: Callable[[float], bool]) -> Ended | None:
        """Wait until something has happened and keep the lease meanwhile; return what ended the trial before."""
        while not happened_within(min(_LOOK_SECONDS, self._heartbeat_seconds)):
            if ended := self._interruption():
                return ended
        return None

    def _interruption(self) -> Ended | None:
        """Renew a lease that is due; return what ends the trial whatever its child is at."""
        if self._drain.is_overdue:
            return Ended(outcome=Outcome.RELEASED)
        if limit := self._allowance.exceeded():
            self._child.kill()
            return Ended(outcome=Outcome.TIMEOUT, message=limit)
        if time.monotonic() - self._renewed_at >= self._heartbeat_seconds and self._is_stopped():
            return Ended(outcome=Outcome.PRUNED)
        return None

    def _heed(self, heard: FromTraining) -> Ended | None:
        """Do what follows from what the child said; return what ends the training."""
        match heard:
            case Begun():
                return None
            case Measured():
                self._split = heard.split
                return self._go_on(heard) if heard.step > self._start.step else self._pass_over(heard)
            case Saved():
                self._checkpoints.send(heard)
                return self._leave() if self._drain.has_begun else None
            case Unsaved(message=message):
                self._checkpoints.give_up(message)
                return self._leave() if self._drain.has_begun else None
            case Ended():
                self._split = heard.split or self._split
                return heard

    def _go_on(self, measured: Measured) -> Ended | None:
        """Report an epoch; let the child go on, or return what ends the training."""
        verdict = self._report(measured)
        if verdict.verdict is Decision.STOP:
            return Ended(outcome=Outcome.PRUNED)
        if self._drain.has_begun:
            return self._save_and_leave()
        if limit := self._allowance.exceeded():
            return Ended(outcome=Outcome.TIMEOUT, message=limit)
        self._child.answer_go_on(save_to=self._checkpoints.path if self._checkpoints.is_due() else None)
        return None

    def _pass_over(self, measured: Measured) -> Ended | None:
        """Let the child go on from an epoch that is on record: it trains anew what its checkpoint could not give it."""
        if ended := Ended(outcome=Outcome.RELEASED) if self._drain.has_begun else self._interruption():
            return ended
        self._child.answer_go_on()
        return None

    def _save_and_leave(self) -> Ended | None:
        """Let the child write a last checkpoint, if it can be sent; else give the trial back."""
        if ended := self._wait(self._checkpoints.is_sent_within):
            return ended
        if not self._checkpoints.are_wanted:
            return Ended(outcome=Outcome.RELEASED)
        self._child.answer_go_on(save_to=self._checkpoints.path)
        return None

    def _leave(self) -> Ended:
        """Give the trial back as soon as its checkpoint is sent, or it is too late for that."""
        return self._wait(self._checkpoints.is_sent_within) or Ended(outcome=Outcome.RELEASED)

    def _report(self, measured: Measured) -> Verdict:
        reported_at = time.monotonic()
        verdict = patiently(
            lambda: self._client.report(self._lease, step=measured.step, metrics=measured.metrics), self._drain
        )
        self._renewed_at = time.monotonic()
        self._allowance.begin_step(reported_at=reported_at)
        return verdict

    def _is_stopped(self) -> bool:
        """Renew the lease; return whether the trial was told to stop. A service that is away is asked again later."""
        self._renewed_at = time.monotonic()
        try:
            return self._client.heartbeat(self._lease).verdict is Decision.STOP
        except (*PASSING, InternalError) as error:
            _log.warning("trial %(trial)s of %(study)s: no heartbeat: %(error)s", {**self._about, "error": error})
            return False

    def _sent(self, ended: Ended) -> Ended:
        """Send the final model that was made, if one was; return how the trial ended then."""
        if ended.model is None:
            return ended
        path, sha256 = Path(ended.model.path), ended.model.sha256
        sending = beside(
            lambda: patiently(lambda: self._client.put_model(self._lease, path, sha256=sha256), self._drain)
        )
        if interrupted := self._wait(lambda seconds: is_over_within(seconds, sending)):
            return interrupted
        try:
            sending.result()
        except (BodyTooLarge, Invalid, OSError) as error:
            return Ended(outcome=Outcome.ERROR, message=f"the model cannot be sent: {error}")
        finally:
            path.unlink(missing_ok=True)
        return ended

    def _tell(self, ended: Ended) -> None:
        told = patiently(
            lambda: self._client.tell(
                self._lease,
                outcome=ended.outcome,
                metrics=ended.metrics,
                step=ended.step,
                message=ended.message,
                split=self._split,
            ),
            self._drain,
        )
        end = {**self._about, "outcome": told.outcome, "said": f": {ended.message}" if ended.message else ""}
        _log.info("trial %(trial)s of %(study)s: %(outcome)s%(said)s", end)

    @property
    def _heartbeat_seconds(self) -> float:
        return self._lease.expires_in / _HEARTBEATS_PER_LEASE


def order(
    lease: Lease, checkpoint: CheckpointFile | None, *, model_path: Path, files: Mapping[str, Path] = _NONE
) -> Order:
    """Return what a child is told of a lease. What the space gives comes before what the task holds fixed."""
    task = _task(lease)
    is_final = lease.purpose is Purpose.FINAL
    return Order(
        task=task,
        params={**task.fixed, **lease.params},
        seed=lease.seed,
        purpose=lease.purpose,
        files={name: str(path) for name, path in files.items()},
        checkpoint=checkpoint,
        model=ModelOrder(path=str(model_path), study=lease.study, trial=lease.trial) if is_final else None,
        is_checked_first=checkpoint is None and _is_checked_first(lease, task.name),
    )


def _task(lease: Lease) -> TaskSpec:
    assert lease.task is not None, "only trials with a task are asked for"
    return lease.task


def _is_checked_first(lease: Lease, task: str) -> bool:
    """Return whether the gradients of a user's own task are checked before it trains."""
    return ":" in task and lease.trial < CHECKED_TRIALS and lease.purpose in {Purpose.SEARCH, Purpose.PRESCRIPTION}
