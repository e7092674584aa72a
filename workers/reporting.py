"""What a child says after each epoch and hears about it, while it trains the next one where epochs are short.

child     epoch 1 >  epoch 2             >  epoch 3             > epoch 4
                   |           ^          |           ^
          measured 1           answer 1   measured 2  answer 2
                   v           |          v           |
worker             report 1 ...           report 2 ...
"""

import time
from collections.abc import Callable
from queue import SimpleQueue

from trimtab.message import Message
from workers.messages import Answer, Measured

LONG_SECONDS = 2.0
"""The next epoch is not begun unasked where the last took longer: waiting for the answer, some milliseconds, is next to
nothing of it, and so a state that is wanted is saved at once and not an epoch later."""

Say = Callable[[Message], None]

Inbox = SimpleQueue[bytes]
"""What the worker says."""


class Dropped(Exception):
    """The worker wants no more of the trial."""


class Reporting:
    """A trial's epochs on their way to the worker. Of two reports the second waits for the first one's answer.

    Args:
        say: Sends to the worker.
        inbox: Gets the answers.
        clock: Seconds from some moment on.
    """

    def __init__(self, say: Say, inbox: Inbox, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._inbox = inbox
        self._is_unheard = False
        self._save_to: str | None = None
        self._clock = clock
        self._began_at = clock()

    def report(self, measured: Measured) -> str | None:
        """Say what an epoch led to; return where its state is to be saved, None: nowhere.

        Nobody is asked to save the state of an epoch while the next one is trained: who wants it saved asks again after
        the next one, and that answer is waited for.

        Raises:
            Dropped: The worker wants no more.
        """
        is_long = self._clock() - self._began_at > LONG_SECONDS
        self.settle()
        is_awaited, self._save_to = is_long or self._save_to is not None, None
        self._say(measured)
        self._is_unheard = True
        if is_awaited:
            self.settle()
        save_to, self._save_to = self._save_to, None
        self._began_at = self._clock()
        return save_to

    def heed(self) -> None:
        """Hear the answer if it is here. Called between batches: it takes less than a microsecond.

        Raises:
            Dropped: The worker wants no more.
        """
        if self._is_unheard and not self._inbox.empty():
            self.settle()

    def settle(self) -> None:
        """Wait for the answer that has not been heard yet, if there is one.

        Raises:
            Dropped: The worker wants no more.
        """
        if not self._is_unheard:
            return
        self._is_unheard = False
        answer = Answer.model_validate_json(self._inbox.get())
        self._save_to = answer.save_to
        if not answer.go_on:
            raise Dropped
