"""A slot: one trial at a time, in a child process that is kept warm and renewed after a fault."""

import logging
import math
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from trimtab.client import Client
from trimtab.errors import InternalError
from trimtab.protocol import DeviceMemory, Lease, Leases
from trimtab.requests import new_key
from trimtab.settings import data_dir
from trimtab.states import Purpose
from workers.activity import Activity
from workers.checkpoints import Checkpoints
from workers.datasets import Datasets
from workers.drain import Drain
from workers.messages import Ready
from workers.patience import patiently
from workers.process import ChildProcess
from workers.session import Session
from workers.settings import Settings

FIRST_CONTACT_SECONDS = 60.0
"""A service that has not answered by then is not there; one that has may be away for longer."""

_ASK_SECONDS = 20.0
_PAUSE_SECONDS = 1.0
_LOOK_SECONDS = 0.2

_log = logging.getLogger(__name__)


class Slot:
    """Pulls trials.

    Args:
        number: Which of the worker's slots, counted from 0.
        settings: The worker's.
        client: To the service; shared by all slots.
        activity: Is told what the slot is at.
        drain: Ends it.
    """

    def __init__(self, number: int, settings: Settings, client: Client, activity: Activity, drain: Drain) -> None:
        self._number = number
        self._settings = settings
        self._client = client
        self._activity = activity
        self._drain = drain
        self._datasets = Datasets(client, data_dir(os.environ) / "datasets")
        self._has_met_service = False
        self._child: ChildProcess | None = None

    def run(self) -> None:
        """Pull trials until the worker drains.

        Raises:
            Misconfigured: The device cannot be used, or a task not imported.
            ChildDied: A child process ended while it started.
            Unauthorized: The token is not valid.
            Unreachable, Unavailable, InProgress, TooManyRequests: The service did not answer at first contact, or when
                the worker drained.
        """
        # A child whose worker was killed has removed it already.
        with TemporaryDirectory(prefix="trimtab-", ignore_cleanup_errors=True) as folder:
            while not self._drain.has_begun:
                with self._new_child(Path(folder)) as self._child:
                    if ready := self._started(self._child):
                        self._serve(self._child, ready, Path(folder))

    def kill_child(self) -> None:
        """End the child, in whatever it is. From another thread than the slot's."""
        if self._child:
            self._child.kill()

    def _new_child(self, folder: Path) -> ChildProcess:
        told = self._settings
        return ChildProcess(told.device, slot=self._number, folder=folder, environment=os.environ, allowed=told.allowed)

    def _started(self, child: ChildProcess) -> Ready | None:
        """Return what the child can do; None if the worker drains before it has started."""
        while not child.heard_within(_LOOK_SECONDS):
            if self._drain.has_begun:
                return None
        ready = child.wait_ready()
        _log.info("slot %(slot)s trains on %(device)s", {"slot": self._number, "device": ready.device})
        return ready

    def _serve(self, child: ChildProcess, ready: Ready, folder: Path) -> None:
        while child.is_idle and not self._drain.has_begun:
            self._activity.idle(self._number)
            if lease := self._ask(ready, child.device_memory):
                self._activity.busy(self._number)
                self._train(lease, child, folder)

    def _train(self, lease: Lease, child: ChildProcess, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)  # Machines sweep away temporary folders that nobody has used for long.
        with TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as own:
            every = self._settings.checkpoint_seconds
            checkpoints = Checkpoints(self._client, lease, Path(own), every=every)
            session = Session(self._client, lease, child, self._drain, checkpoints=checkpoints, datasets=self._datasets)
            session.run()

    def _ask(self, ready: Ready, device_memory: DeviceMemory | None) -> Lease | None:
        """Wait for a trial; return None where there is none yet."""
        asked_at = time.monotonic()
        try:
            found = self._leases(ready, device_memory)
        except InternalError as error:
            _log.warning("the service has failed: %(error)s", {"error": error})
        else:
            self._has_met_service = True
            if found.leases:
                return found.leases[0]
        if time.monotonic() - asked_at < _PAUSE_SECONDS:
            # A service that goes down lets nobody wait, and one that fails may do so for long.
            self._drain.wait(_PAUSE_SECONDS)
        return None

    def _leases(self, ready: Ready, device_memory: DeviceMemory | None) -> Leases:
        key = new_key()  # However often this is asked, it is one ask.
        return patiently(
            lambda: self._client.ask(
                worker=self._settings.name,
                tasks=ready.tasks,
                wait=_ASK_SECONDS,
                host=self._settings.host,
                device=ready.device,
                device_memory=device_memory,
                purposes=Purpose,
                key=key,
            ),
            self._drain,
            for_seconds=math.inf if self._has_met_service else FIRST_CONTACT_SECONDS,
        )
