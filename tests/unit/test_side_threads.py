"""Few threads do what takes long, and nobody waits for them at the end."""

import subprocess
import sys
import threading

import pytest

from service.side_threads import SideThreads
from trimtab.errors import Unavailable

# Two pieces, of which one is not begun when the process ends.
LONG_WORK = """
import time
from service.side_threads import SideThreads
threads = SideThreads(1, name="long")
for _ in range(2):
    threads.submit(lambda: time.sleep(600))
"""


def test_as_many_pieces_as_allowed_are_done_at_once_and_no_more() -> None:
    threads = SideThreads(2, name="side")
    both, may_end = threading.Barrier(3), threading.Event()

    def work() -> None:
        both.wait(60)
        may_end.wait(60)

    pieces = [threads.submit(work) for _ in range(2)]
    third = threads.submit(threading.get_ident)
    both.wait(60)

    assert not third.running()
    may_end.set()
    assert [piece.result(60) for piece in pieces] == [None, None]
    assert third.result(60) != threading.get_ident()


def test_what_work_raises_is_for_who_waits_and_the_next_is_done() -> None:
    threads = SideThreads(1, name="side")

    failed = threads.submit(lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        failed.result(60)
    assert threads.submit(lambda: 1).result(60) == 1


def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    threads = SideThreads(1, name="side")
    may_end, done = threading.Event(), list[str]()
    first = threads.submit(lambda: may_end.wait(60))
    second = threads.submit(lambda: done.append("second"))

    second.cancel()

    may_end.set()
    assert first.result(60)
    assert threads.submit(lambda: "third").result(60) == "third"
    assert done == []


def test_closed_it_ends_what_it_has_begun_and_nothing_else() -> None:
    threads = SideThreads(1, name="side")
    both, may_end = threading.Barrier(2), threading.Event()
    first = threads.submit(lambda: (both.wait(60), may_end.wait(60))[1])
    second = threads.submit(lambda: "never")
    both.wait(60)

    threads.close()

    for piece in (second, threads.submit(lambda: "never")):
        with pytest.raises(Unavailable, match="the service is going down"):
            piece.result(60)
    may_end.set()
    assert first.result(60)


def test_a_process_ends_while_its_side_threads_work() -> None:
    subprocess.run([sys.executable, "-c", LONG_WORK], check=True, timeout=300)
