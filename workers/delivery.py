r"""What a trial writes, on its way to the service and into the worker's log, beside the training.

Whatever becomes of it, the training and the tell go on: lines that are lost are no error.

Window --each second--> the worker's log
                   \--> Backlog --as soon as the service has what came before--> service
"""

import logging
import threading
from concurrent.futures import Future
from typing import Self

from trimtab import logs
from trimtab.client import Client
from trimtab.errors import TrimtabError
from trimtab.patience import PASSING
from trimtab.protocol import Lease
from workers.backlog import Backlog
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
        self._about = logs.about(lease)
        self._is_over = threading.Event()
        self._is_refused = False
        self._backlog = Backlog()
        self._in_hand: list[Lines] = []
        self._window: Window
        self._reading: Future[None]
        self._sending: Future[None]

    def __enter__(self) -> Self:
        self._window = self._output.record()
        self._reading = beside(self._read_on)
        self._sending = beside(self._send_on)
        return self

    def __exit__(self, *_: object) -> None:
        self._output.stop()
        self._is_over.set()
        if not is_over_within(CLOSE_SECONDS, self._sending):
            _log.warning("trial %(trial)s of %(study)s: its last lines are late, and left", self._about)

    def _read_on(self) -> None:
        while not self._is_over.wait(EVERY_SECONDS):
            self._read(is_over=False)
        self._read(is_over=True)

    def _read(self, *, is_over: bool) -> None:
        for lines in self._window.take(is_over=is_over):
            self._pass_on(lines)
            self._backlog.add(lines)

    def _pass_on(self, lines: Lines) -> None:
        for text in lines.texts:
            _log.info("trial %(trial)s of %(study)s: | %(text)s", {**self._about, "text": text})

    def _send_on(self) -> None:
        while not is_over_within(EVERY_SECONDS, self._reading):
            self._send()
        self._send()
        self._send()  # What came while a service that is back was still had earlier lines.

    def _send(self) -> None:
        self._in_hand = self._in_hand or self._backlog.take()
        while self._in_hand and self._is_done_with(self._in_hand[0]):
            del self._in_hand[0]

    def _is_done_with(self, lines: Lines) -> bool:
        """Send lines, if they are wanted; return False where that may succeed later."""
        if self._is_refused:
            return True
        try:
            self._client.keep_lines(self._lease, lines.texts, first=lines.first)
        except PASSING:
            return False
        except TrimtabError as error:
            self._is_refused = True
            refusal = {**self._about, "error": error}
            _log.info("trial %(trial)s of %(study)s: its lines are not kept: %(error)s", refusal)
        return True
