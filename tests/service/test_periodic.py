"""Work in the background is done again and again, whatever becomes of it once."""

import threading

import pytest

from service.periodic import Periodic
from trimtab.errors import Unavailable


@pytest.mark.parametrize("failure", [Unavailable("the database is away"), ValueError("a defect")])
def test_work_that_fails_is_done_again(failure: Exception) -> None:
    done = threading.Semaphore(0)

    def fail() -> None:
        done.release()
        raise failure

    work = Periodic("work", fail, seconds=0.001)
    work.start()

    assert all(done.acquire(timeout=60) for _ in range(3))
    work.stop()


def test_work_that_hangs_does_not_keep_a_replica_from_going_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.periodic.STOP_SECONDS", 0.01)
    is_over = threading.Event()
    work = Periodic("work", is_over.wait, seconds=1.0)
    work.start()

    work.stop()

    assert not is_over.is_set()
    is_over.set()
