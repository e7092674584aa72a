"""Answers that took long and hold until another trial of their study has ended."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

MOST = 64
"""Answers, of at most 200 KB each: the oldest are forgotten."""

Answer = TypeVar("Answer")


@dataclass
class _Place:
    """Where an answer is: made by the first who asks, while the others wait."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    answer: Any = None
    is_made: bool = False


class Kept:
    """What a replica has made of studies, by whose it is and how far the study was. None of it is state."""

    def __init__(self) -> None:
        self._places: OrderedDict[tuple[str, int], tuple[int, _Place]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, kind: str, study_id: int, *, finished: int, make: Callable[[], Answer]) -> Answer:
        """Return an answer, made anew where trials of the study have ended since the last one was.

        Args:
            kind: Of the answer: its name.
            study_id: Of the study.
            finished: How many of its trials have ended.
            make: Makes the answer; whatever it raises, the next who asks makes it.
        """
        place = self._place((kind, study_id), finished)
        with place.lock:
            if not place.is_made:
                place.answer = make()
                place.is_made = True
        answer: Answer = place.answer
        return answer

    def _place(self, key: tuple[str, int], finished: int) -> _Place:
        with self._lock:
            known, place = self._places.get(key, (-1, _Place()))
            if known != finished:
                place = _Place()
            self._places[key] = (finished, place)
            self._places.move_to_end(key)
            while len(self._places) > MOST:
                self._places.popitem(last=False)
            return place
