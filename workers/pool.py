"""The slots of a worker: started, watched and drained."""

import logging
import signal
import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType

from trimtab.client import Client
from workers.activity import Activity
from workers.drain import Drain
from workers.settings import Settings
from workers.slot import Slot

ASK_GRACE_SECONDS = 1.0
"""An ask that is not answered by then has met no trial, and is given up when the worker ends."""

_LOOK_SECONDS = 0.1
_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_log = logging.getLogger(__name__)


class Pool:
    """A worker: a thread and a child process for each slot.

    Args:
        settings: How many, on what.
        client: To the service.
    """

    def __init__(self, settings: Settings, client: Client) -> None:
        self._exit_when_idle = settings.exit_when_idle
        self._activity = Activity(settings.slots)
        self._drain = Drain()
        self._slots = [Slot(slot, settings, client, self._activity, self._drain) for slot in range(settings.slots)]
        # Signals that came, and slots that ended, each with its error or None. A signal's handler may interrupt
        # any line of the main thread: of all ways to pass a word on only this queue's put is safe there.
        self._news: SimpleQueue[signal.Signals | Exception | None] = SimpleQueue()

    def run(self) -> int:
        """Work until told to stop, or idle for as long as the settings say; return the exit code.

        Raises:
            Exception: What ended a slot (see Slot.run). The others were drained.
        """
        for wanted in _SIGNALS:
            signal.signal(wanted, self._on_signal)
        for number, slot in enumerate(self._slots):
            threading.Thread(target=self._run_slot, args=(number, slot), name=f"slot-{number}", daemon=True).start()
        cause = self._wait_for_cause()
        reason = cause.name if isinstance(cause, signal.Signals) else cause
        _log.info("draining: %(reason)s", {"reason": reason})
        self._drain.begin()
        second = self._wait_for_slots(len(self._slots) - isinstance(cause, Exception))
        for slot in self._slots:
            slot.kill_child()
        if isinstance(cause, Exception):
            raise cause
        return 128 + second if second else 0

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._news.put(signal.Signals(number))

    def _run_slot(self, number: int, slot: Slot) -> None:
        try:
            slot.run()
        except Exception as error:  # noqa: BLE001  # the main thread raises it
            self._news.put(error)
        else:
            self._news.put(None)
        finally:
            self._activity.idle(number)

    def _wait_for_cause(self) -> signal.Signals | Exception | str:
        """Return why the worker is to end."""
        limit = self._exit_when_idle
        while limit is None or self._activity.idle_seconds < limit:
            with suppress(Empty):
                left = None if limit is None else max(0.0, limit - self._activity.idle_seconds)
                news = self._news.get(timeout=left)
                assert news is not None, "no slot ends by itself"
                return news
        return f"idle for {limit:g} s"

    def _wait_for_slots(self, left: int) -> signal.Signals | None:
        """Return when no trial is under way any more; or, with the signal, when another one comes."""
        grace_ends_at = time.monotonic() + ASK_GRACE_SECONDS
        while left and (self._activity.idle_seconds == 0 or time.monotonic() < grace_ends_at):
            with suppress(Empty):
                news = self._news.get(timeout=_LOOK_SECONDS)
                if isinstance(news, signal.Signals):
                    return news
                if news is not None:
                    _log.warning("while draining: %(error)s", {"error": news})
                left -= 1
        return None
