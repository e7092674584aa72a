"""A study that somebody holds takes half of the connections at most, and its calls are soon refused."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from service import crowd as crowd_module
from service.crowd import LIMIT, PATIENCE_SECONDS, Crowd
from service.database import Held
from tests.service.long_polls import LONG, SOON, wait_until
from trimtab.errors import Unavailable

Call = Callable[[], Future[bool]]


class Clock:
    """Stands still until it is moved; counts how often somebody looks."""

    now = 1000.0
    looks = 0

    def __call__(self) -> float:
        self.looks += 1
        return self.now

    def be_looked_at(self) -> None:
        """Return when somebody has waited: who comes in looks once, who waits looks again and again."""
        before = self.looks
        wait_until(lambda: self.looks >= before + 2)


class Inside:
    """The calls that are inside until they are told to leave."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._calls: deque[ExitStack] = deque()

    def fill(self) -> None:
        for _ in range(LIMIT):
            self._come()

    def leave(self) -> None:
        while self._calls:
            self._calls.popleft().close()

    def change_places(self) -> None:
        """Let each leave, and another be faster than whoever waits."""
        for _ in range(LIMIT):
            with self._crowd._left:
                self._calls.popleft().close()
                self._come()

    def _come(self) -> None:
        call = ExitStack()
        call.enter_context(self._crowd.joined())
        self._calls.append(call)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def crowd(clock: Clock) -> Crowd:
    return Crowd(clock)


@pytest.fixture
def inside(crowd: Crowd) -> Iterator[Inside]:
    """Those who are inside; whatever becomes of the test, they leave."""
    inside = Inside(crowd)
    yield inside
    inside.leave()


@pytest.fixture
def call(crowd: Crowd, inside: Inside) -> Iterator[Call]:
    """Call from a thread of its own."""

    def join() -> bool:
        with crowd.joined():
            return True

    with ThreadPoolExecutor() as executor:
        yield lambda: executor.submit(join)
        inside.leave()


def fail(crowd: Crowd, failure: Exception) -> None:
    with pytest.raises(type(failure)), crowd.joined():
        raise failure


def test_a_call_that_finds_no_room_waits_for_it(clock: Clock, inside: Inside, call: Call) -> None:
    inside.fill()
    called = call()
    clock.be_looked_at()

    inside.leave()

    assert called.result(SOON)


def test_who_waits_is_let_in_as_soon_as_there_is_room(
    clock: Clock, inside: Inside, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd_module, "PATIENCE_SECONDS", LONG)
    inside.fill()
    before = clock.looks
    called = call()
    wait_until(lambda: clock.looks > before)

    inside.leave()

    assert called.result(SOON)


def test_a_call_that_finds_no_room_for_long_is_refused(clock: Clock, inside: Inside, call: Call) -> None:
    inside.fill()
    called = call()
    clock.now += PATIENCE_SECONDS * 0.9
    clock.be_looked_at()

    clock.now += PATIENCE_SECONDS * 0.2

    with pytest.raises(Held):
        called.result(SOON)


def test_a_call_is_not_refused_while_those_inside_come_and_go(clock: Clock, inside: Inside, call: Call) -> None:
    inside.fill()
    called = call()
    clock.be_looked_at()

    for _ in range(5):
        clock.now += PATIENCE_SECONDS * 0.9
        inside.change_places()
        clock.be_looked_at()
    inside.leave()

    assert called.result(SOON)


def test_once_those_inside_are_known_to_wait_nobody_waits_for_them(clock: Clock, inside: Inside, call: Call) -> None:
    inside.fill()

    clock.now += PATIENCE_SECONDS

    with pytest.raises(Held):
        call().result(SOON)


def test_while_the_study_is_held_nobody_waits_for_those_who_try_again(crowd: Crowd, inside: Inside, call: Call) -> None:
    fail(crowd, Held("somebody holds this study"))

    inside.fill()

    with pytest.raises(Held):
        call().result(SOON)


@pytest.mark.parametrize("failure", [Unavailable("the database is away"), ValueError()])
def test_another_failure_says_nothing_of_who_holds_the_study(
    crowd: Crowd, clock: Clock, inside: Inside, call: Call, failure: Exception
) -> None:
    fail(crowd, failure)
    inside.fill()
    called = call()
    clock.be_looked_at()

    inside.leave()

    assert called.result(SOON)


def test_many_short_calls_are_all_served_never_too_many_at_once(crowd: Crowd) -> None:
    inside = most = 0
    lock = threading.Lock()

    def call(_: int) -> None:
        nonlocal inside, most
        with crowd.joined():
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0)  # Let the others in, where they can.
            with lock:
                inside -= 1

    with ThreadPoolExecutor(40) as executor:
        list(executor.map(call, range(4000)))

    assert inside == 0
    assert most <= LIMIT
