"""The end of a pipe in a child process of the service's."""

import os
import threading
from multiprocessing.connection import Connection
from queue import SimpleQueue


def received(pipe: Connection) -> "SimpleQueue[bytes]":
    """Return a queue of what comes through a pipe; when its other end is closed this process ends, busy or not."""
    inbox: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, inbox), daemon=True).start()
    return inbox


def _receive(pipe: Connection, inbox: "SimpleQueue[bytes]") -> None:
    try:
        while True:
            inbox.put(pipe.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)
