"""A suggestion in time: a study does not stand still for its sampler, and no other study waits for it."""

import logging
import math
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from service.children import Children, NoAnswer, TooLate
from service.sampling import (
    Suggestion,
    View,
    is_slow,
    random_one,
    random_points,
    suggest_many,
    suggest_one,
    will_be_slow,
)
from service.sampling.orders import Order, suggestions
from service.storage.dimensions import Dimension
from trimtab.spec import StudySpec

LIMIT_SECONDS = 5.0
"""What a sampler may take: half of what a client waits for an answer."""

REST_SECONDS = 60.0
"""A sampler that was late is left alone for so long: whoever asks meanwhile need not wait for nothing."""

PLACES = 8
"""Asks of a study that wait for its sampler at once. Python runs one at a time, and a replica has 40 threads."""

PLACE_SECONDS = 1.0
"""How long an ask waits for one of them. Where a point takes 10 ms, a hundred asks had theirs by then."""

TURN_SECONDS = 2.5
"""How long an ask waits for its study's turn in a child process: with `LIMIT_SECONDS`, less than a client waits."""

MOST_CHILDREN = 2
"""Processes of a replica for slow samplers. Each takes 300 MB."""

_CHILD = (sys.executable, "-m", "service.sampling.child")
_CHILD_IDLE_SECONDS = 3600.0

_MAX_REASON = 200
"""Characters of what a sampler said."""

_log = logging.getLogger(__name__)

Sample = Callable[[], list[Suggestion]]


def sampler_children() -> Children:
    """Return the processes that the slow samplers of a replica share: none yet."""
    return Children(_CHILD, most=MOST_CHILDREN, idle_seconds=_CHILD_IDLE_SECONDS)


class Suggester:
    """The sampler of one study, as one replica uses it, from any thread.

    Args:
        children: Of the replica.
        clock: Seconds from some moment on.
    """

    def __init__(self, children: Children, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._children = children
        self._clock = clock
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(PLACES)
        self._lock = threading.Lock()
        self._late = 0
        self._rests_until = -math.inf

    def suggest(self, spec: StudySpec, view: View, *, number: int, salt: int | None = None) -> Suggestion:
        """Return the sampler's point for trial `number`, or a random one where it fails or takes too long."""
        return self.suggest_many(spec, view, number=number, count=1, salt=salt)[0]

    def suggest_many(
        self, spec: StudySpec, view: View, *, number: int, count: int, salt: int | None = None
    ) -> list[Suggestion]:
        """Return the sampler's points for `count` trials from `number` on, or random ones likewise."""

        def sample() -> list[Suggestion]:
            if is_slow(spec, view):
                return self._from_child(Order(spec, view, number, count, salt))
            if will_be_slow(spec):
                self._children.prepare()
            return self._sampled(lambda: suggest_many(spec, view, number=number, count=count, salt=salt))

        return self._in_any_case(
            sample, lambda: random_points(spec, view, number=number, count=count, salt=salt), spec=spec, number=number
        )

    def suggest_one(self, spec: StudySpec, view: View, dimension: Dimension, *, number: int) -> Suggestion:
        """Return the sampler's value of one parameter for trial `number`, or a random one likewise."""
        return self._in_any_case(
            lambda: self._sampled(lambda: [suggest_one(spec, view, dimension, number=number)]),
            lambda: [random_one(spec, view, dimension, number=number)],
            spec=spec,
            number=number,
        )[0]

    def _in_any_case(self, sample: Sample, chance: Sample, *, spec: StudySpec, number: int) -> list[Suggestion]:
        """Return what `sample` gives; what `chance` gives, with the reason, where it does not."""
        try:
            return sample()
        except NoAnswer as error:
            reason = str(error)
            said = {"study": spec.name, "trial": number, "reason": reason}
            _log.warning("study %(study)s: trial %(trial)d gets a random point: %(reason)s", said)
        except Exception as error:  # noqa: BLE001  # whatever fails in it, the study goes on
            reason = f"the sampler failed: {type(error).__name__}: {error}"[:_MAX_REASON]
            said = {"study": spec.name, "trial": number, "reason": reason}
            _log.exception("study %(study)s: trial %(trial)d gets a random point: the sampler failed", said)
        return [replace(point, fallback=reason) for point in chance()]

    def _from_child(self, order: Order) -> list[Suggestion]:
        """Return what a child answers. A study has one call in a child at a time: others have theirs as well."""
        self._check_rest()
        if not self._turn.acquire(timeout=TURN_SECONDS):
            raise NoAnswer("the sampler was busy with other trials")
        try:
            return suggestions(self._children.answer(order.to_bytes(), seconds=LIMIT_SECONDS))
        except NoAnswer as error:
            if isinstance(error, TooLate):
                with self._lock:
                    self._rests_until = self._clock() + REST_SECONDS
            raise NoAnswer(f"the sampler gave no point: {error}") from error
        finally:
            self._turn.release()

    def _check_rest(self) -> None:
        with self._lock:
            if self._late or self._clock() < self._rests_until:
                raise NoAnswer(f"the sampler took longer than {LIMIT_SECONDS:g} s lately")

    def _sampled(self, sample: Sample) -> list[Suggestion]:
        self._check_rest()
        if not self._places.acquire(timeout=PLACE_SECONDS):
            raise NoAnswer("the sampler was busy with other trials")
        try:
            return self._within_limit(sample)
        finally:
            self._places.release()

    def _within_limit(self, sample: Sample) -> list[Suggestion]:
        """Return what `sample` gives; one that takes too long is left to itself."""
        sampled: Future[list[Suggestion]] = Future()
        threading.Thread(target=_run, args=(sample, sampled), name="sampler", daemon=True).start()
        try:
            return sampled.result(LIMIT_SECONDS)
        except TimeoutError:
            if sampled.done():
                raise
        with self._lock:
            self._late += 1
            self._rests_until = self._clock() + REST_SECONDS
        sampled.add_done_callback(self._came_back)
        raise NoAnswer(f"the sampler took longer than {LIMIT_SECONDS:g} s")

    def _came_back(self, _: Future[list[Suggestion]]) -> None:
        with self._lock:
            self._late -= 1


def _run(sample: Sample, sampled: Future[list[Suggestion]]) -> None:
    try:
        sampled.set_result(sample())
    except BaseException as error:  # noqa: BLE001  # it is raised where the point is waited for
        sampled.set_exception(error)
