"""A study that somebody holds takes half of the connections at most, and its calls are soon refused."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from service.crowd import LIMIT, PATIENCE_SECONDS, Crowd
from service.database import Held
from trimtab.errors import Unavailable


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


@pytest.fixture
def full(crowd: Crowd) -> Iterator[ExitStack]:
    """The calls that fill the crowd, until it is closed."""
    with ExitStack() as inside:
        for _ in range(LIMIT):
            inside.enter_context(crowd.joined())
        yield inside


def refused_after(crowd: Crowd) -> float:
    """Return how many seconds a call waits until it is refused."""
    begin = time.monotonic()
    with pytest.raises(Held), crowd.joined():
        pass
    return time.monotonic() - begin


def test_a_call_that_finds_no_room_waits_for_it(crowd: Crowd, full: ExitStack) -> None:
    threading.Timer(PATIENCE_SECONDS / 10, full.close).start()

    with crowd.joined():
        waited = True

    assert waited


@pytest.mark.usefixtures("full")
def test_a_call_that_finds_no_room_for_long_is_refused(crowd: Crowd) -> None:
    assert refused_after(crowd) >= PATIENCE_SECONDS * 0.9


@pytest.mark.usefixtures("full")
def test_once_those_inside_are_known_to_wait_nobody_waits_for_them(crowd: Crowd) -> None:
    refused_after(crowd)

    assert refused_after(crowd) < PATIENCE_SECONDS / 2


def test_while_the_study_is_held_nobody_waits_for_those_who_try_again(crowd: Crowd) -> None:
    fail(crowd, Held("somebody holds this study"))

    with ExitStack() as inside:
        for _ in range(LIMIT):
            inside.enter_context(crowd.joined())

        assert refused_after(crowd) < PATIENCE_SECONDS / 2


@pytest.mark.parametrize("failure", [Unavailable("the database is away"), ValueError()])
def test_another_failure_says_nothing_of_who_holds_the_study(crowd: Crowd, failure: Exception) -> None:
    fail(crowd, failure)

    with ExitStack() as inside:
        for _ in range(LIMIT):
            inside.enter_context(crowd.joined())

        assert refused_after(crowd) > PATIENCE_SECONDS / 2


def fail(crowd: Crowd, failure: Exception) -> None:
    with pytest.raises(type(failure)), crowd.joined():
        raise failure


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
