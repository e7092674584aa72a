"""Calls beside the training: what is sent and fetched may take longer than a lease lives without a sign."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

Answer = TypeVar("Answer")


def beside(call: Callable[[], Answer]) -> Future[Answer]:
    """Call in a thread of its own, which keeps no worker from ending. The future has what it returned or raised."""
    future: Future[Answer] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except Exception as error:  # noqa: BLE001  # whoever asks for the result gets it
            future.set_exception(error)

    threading.Thread(target=run, name="transfer", daemon=True).start()
    return future


def is_over_within(seconds: float, future: Future[Answer]) -> bool:
    """Wait for a call; return whether it is over."""
    return not wait([future], seconds).not_done
