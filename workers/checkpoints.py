"""The checkpoints of one trial: the one that it goes on from, and those that are made of it for the next attempt."""

import logging
import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from trimtab import logs
from trimtab.client import Client
from trimtab.errors import Damaged, InternalError, LeaseEnded, LeaseLost, StudyDeleted, TrimtabError
from trimtab.patience import PASSING
from trimtab.protocol import Lease
from workers.drain import Drain
from workers.messages import CheckpointFile, Saved
from workers.patience import patiently
from workers.transfers import beside, is_over_within

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """Where a lease starts.

    Args:
        step: What is on record up to this step is not reported again; 0: nothing is.
        file: What the training goes on from; None: it begins anew.
    """

    step: int = 0
    file: CheckpointFile | None = None


class Checkpoints:
    """Fetches and sends the checkpoints of a trial. Without them it trains on, and says once why.

    Args:
        client: To the service.
        lease: The trial.
        folder: Has two files at most: what the trial went on from, and the newest.
        every: Seconds from the beginning to the first, and from one to the next at least.
    """

    def __init__(self, client: Client, lease: Lease, folder: Path, *, every: float) -> None:
        self._client = client
        self._lease = lease
        self._folder = folder
        self._every = every
        self._due_at = time.monotonic() + every
        self._sending: Future[None] | None = None
        self._has_complained = False
        self.are_wanted = True
        """Whether the service takes any, as far as is known."""

    @property
    def path(self) -> Path:
        """Where the child writes the next one."""
        return self._folder / "newest"

    @property
    def model_path(self) -> Path:
        """Where the child writes a final model."""
        return self._folder / "model"

    def is_due(self) -> bool:
        """Return whether the child shall write one."""
        return self.are_wanted and self.is_sent_within(0) and time.monotonic() >= self._due_at

    def fetch(self, drain: Drain) -> Start:
        """Download what the trial goes on from, however long the service is away.

        Raises:
            TrimtabError: The service refused, or the worker drains and had no answer.
        """
        if self._lease.checkpoint is None:
            return Start()
        path = self._folder / "start"
        try:
            found = patiently(lambda: self._client.get_checkpoint(self._lease, path), drain)
        except (OSError, Damaged) as error:
            self._complain(error)
            return Start(self._lease.checkpoint.step)
        if found is None:
            return Start()
        return Start(found.step, CheckpointFile(path=str(path), sha256=found.sha256))

    def send(self, saved: Saved) -> None:
        """Begin to send what the child wrote, beside the training. The one before has been sent."""
        self._due_at = time.monotonic() + self._every
        self._sending = beside(lambda: self._send(saved))

    def is_sent_within(self, seconds: float) -> bool:
        """Wait for what is being sent; return whether there is nothing any more."""
        if self._sending and is_over_within(seconds, self._sending):
            sent, self._sending = self._sending, None
            sent.result()
        return self._sending is None

    def give_up(self, reason: object) -> None:
        """Ask for no more of them in this attempt."""
        self.are_wanted = False
        self._complain(reason)

    def _send(self, saved: Saved) -> None:
        path = Path(saved.path)
        try:
            self._client.put_checkpoint(self._lease, path, step=saved.step, sha256=saved.sha256)
        except (LeaseEnded, LeaseLost, StudyDeleted):
            self.are_wanted = False  # The session hears why at its next call.
        except (*PASSING, InternalError) as error:
            self._complain(error)
        except (TrimtabError, OSError) as error:
            self.give_up(error)
        else:
            kept = {**logs.about(self._lease), "step": saved.step}
            _log.info("trial %(trial)s of %(study)s: checkpoint of step %(step)s kept", kept)
        finally:
            path.unlink(missing_ok=True)

    def _complain(self, reason: object) -> None:
        if not self._has_complained:
            said = {**logs.about(self._lease), "reason": reason}
            _log.warning("trial %(trial)s of %(study)s: no checkpoint: %(reason)s", said)
        self._has_complained = True
