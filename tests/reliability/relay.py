"""A TCP relay that can fall silent without a word, and can lose the answer to what it has passed on."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Connect = Callable[[], socket.socket]
"""Connects to who is called, anew for each caller."""


class Relay:
    """Stands between callers and who is called.

    Args:
        connect: To who is called.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._passes = threading.Event()
        self._passes.set()
        self._unanswered: bytes | None = None
        self._sockets: set[socket.socket] = set()
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def vanish(self) -> None:
        """Pass nothing on any more, and end no connection."""
        self._passes.clear()

    def come_back(self) -> None:
        """Pass on again, also what has come meanwhile."""
        self._passes.set()

    def lose_answer_to(self, words: bytes) -> None:
        """Pass on the next message with these words, and end its connection when the answer comes."""
        self._unanswered = words

    def close(self) -> None:
        """End all connections, and listen no more."""
        self._listener.close()
        self._passes.set()
        for each in list(self._sockets):
            _end(each)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        try:
            called = self._connect()
        except OSError:
            _end(caller)
            return
        self._sockets |= {caller, called}
        is_lost = threading.Event()
        threading.Thread(target=self._pass_on, args=(caller, called, is_lost, False), daemon=True).start()
        self._pass_on(called, caller, is_lost, True)
        self._sockets -= {caller, called}

    def _pass_on(self, source: socket.socket, target: socket.socket, is_lost: threading.Event, is_answer: bool) -> None:
        with suppress(OSError):
            while message := source.recv(65536):
                self._passes.wait()
                if self._unanswered and not is_answer and self._unanswered in message:
                    self._unanswered = None
                    is_lost.set()
                if is_answer and is_lost.is_set():
                    break
                target.sendall(message)
        _end(source)
        _end(target)


@contextmanager
def relay(connect: Connect) -> Iterator[Relay]:
    """Relay to who is called, until the end."""
    made = Relay(connect)
    try:
        yield made
    finally:
        made.close()


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
