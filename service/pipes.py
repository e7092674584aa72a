"""What a child process of the service's does at its end of the pipe; at the other one is `service.children`."""

import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import NoReturn

READY = b"ready"
"""What it says when it has started."""


def serve(pipe: Connection, answer: Callable[[bytes], bytes]) -> NoReturn:
    """Answer one order after another; when the other end is closed this process ends, busy or not."""
    orders: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, orders), daemon=True).start()
    pipe.send_bytes(READY)
    while True:
        pipe.send_bytes(answer(orders.get()))


def _receive(pipe: Connection, orders: "SimpleQueue[bytes]") -> None:
    try:
        while True:
            orders.put(pipe.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)
