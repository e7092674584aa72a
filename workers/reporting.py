"""What a child says after each epoch and hears about it, one epoch ahead where epochs are short.

child     epoch 1 >  epoch 2             >  epoch 3             > epoch 4
                   |           ^          |           ^
          measured 1           answer 1   measured 2  answer 2
                   v           |          v           |
worker             report 1 ...           report 2 ...
"""

import time
from collections.abc import Callable

from trimtab.message import Message
from workers.messages import Answer, Measured

AHEAD_SECONDS = 0.1
"""The next epoch is not begun unasked where the last took longer: waiting for the answer, 2 ms, is next to nothing of
it, and a trial that is stopped has trained its epoch ahead in vain."""

Say = Callable[[Message], None]
Hear = Callable[[], bytes]

_GO_ON = Answer(go_on=True)


class Reporting:
    """A trial's epochs on their way to the worker. Of two reports the second waits for the first one's answer.

    Args:
        say: Sends to the worker.
        hear: Waits for what the worker says next.
        clock: Seconds from some moment on.
    """

    def __init__(self, say: Say, hear: Hear, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._hear = hear
        self._clock = clock
        self._is_unheard = False
        self._began_at = clock()

    def report(self, measured: Measured) -> Answer:
        """Say what an epoch led to; return what to do, which for a short epoch is to go on until more is known.

        Nobody is asked to save the state of an epoch while the next one is trained: who wants it saved asks again after
        the next one, and that answer is waited for.
        """
        is_short = self._clock() - self._began_at < AHEAD_SECONDS
        answer = self.settle()
        if answer.go_on:
            self._say(measured)
            self._is_unheard = is_short and answer.save_to is None
            answer = _GO_ON if self._is_unheard else self._answer()
        self._began_at = self._clock()
        return answer

    def settle(self) -> Answer:
        """Wait for the answer that has not been waited for yet; return it, or to go on where there is none."""
        if not self._is_unheard:
            return _GO_ON
        self._is_unheard = False
        return self._answer()

    def _answer(self) -> Answer:
        return Answer.model_validate_json(self._hear())
