"""What a trial writes, on its way to the service and into the worker's log, beside the training.

Whatever becomes of it, the training and the tell go on: lines that are lost are no error.
"""

import logging
import threading
from concurrent.futures import Future
from typing import Self

from trimtab.client import Client
from trimtab.errors import TrimtabError
from trimtab.patience import PASSING
from trimtab.protocol import Lease
from workers.output import Output
from workers.transfers import beside, is_over_within
from workers.window import Lines, Window

EVERY_SECONDS = 1.0

CLOSE_SECONDS = 2.0
"""For the last lines to be sent. A service that takes longer has the tell first, and never has them."""

_log = logging.getLogger(__name__)


class Delivery:
    """Sends the lines of a trial as long as its block lasts.

    Args:
        client: To the service.
        lease: Of the trial.
        output: Of the child that trains it.
    """

    def __init__(self, client: Client, lease: Lease, output: Output) -> None:
        self._client = client
        self._lease = lease
        self._output = output
        self._is_over = threading.Event()
        self._is_refused = False
        self._waiting: list[Lines] = []
        self._window: Window
        self._sending: Future[None]

    def __enter__(self) -> Self:
        self._window = self._output.record()
        self._sending = beside(self._send)
        return self

    def __exit__(self, *_: object) -> None:
        self._output.stop()
        self._is_over.set()
        if not is_over_within(CLOSE_SECONDS, self._sending):
            _log.warning("trial %s of %s: its last lines are late, and left", self._lease.trial, self._lease.study)

    def _send(self) -> None:
        while not self._is_over.wait(EVERY_SECONDS):
            self._look(is_over=False)
        self._look(is_over=True)
        self._look(is_over=True)  # What came while a service that is back was still had earlier lines.

    def _look(self, *, is_over: bool) -> None:
        if not self._waiting:
            self._waiting = self._window.take(is_over=is_over)
            self._pass_on()
        while self._waiting and self._is_done_with(self._waiting[0]):
            del self._waiting[0]

    def _is_done_with(self, lines: Lines) -> bool:
        """Send lines, if they are wanted; return False where that may succeed later.

        What comes meanwhile is in the window, which knows what to leave out.
        """
        if self._is_refused:
            return True
        try:
            self._client.keep_lines(self._lease, lines.texts, first=lines.first)
        except PASSING:
            return False
        except TrimtabError as error:
            self._is_refused = True
            _log.info("trial %s of %s: its lines are not kept: %s", self._lease.trial, self._lease.study, error)
        return True

    def _pass_on(self) -> None:
        for lines in self._waiting:
            for text in lines.texts:
                _log.info("trial %s of %s: | %s", self._lease.trial, self._lease.study, text)
