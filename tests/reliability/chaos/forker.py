"""`python -m tests.reliability.chaos.forker HABITS`: forks workers, each in milliseconds, and sends them their signals.

It is their parent, so that no other process can have the number of one that is gone. Commands come on its standard
input, a line each: `start NAME`; `signal NAME NUMBER`, answered with the time; `dead`, answered with the names of those
that died by themselves. It ends with its input.
"""

import gc
import json
import os
import signal
import sys
import traceback

from tests.reliability.chaos.bound import bind
from tests.reliability.chaos.worker import Habits, work
from tests.reliability.journal import now
from trimtab.client import Client


def main() -> None:
    """Do as told until there is nobody left to tell."""
    bind()
    habits = Habits(**json.loads(sys.argv[1]))
    client = Client(habits.server, habits.token, timeout=habits.timeout)
    gc.freeze()
    children: dict[str, int] = {}
    for line in sys.stdin:
        match line.split():
            case ["start", name]:
                children[name] = _start(name, habits, client)
                answer = ""
            case ["dead"]:
                answer = " ".join(_dead(children))
            case ["signal", name, number]:
                answer = _signal(children, name, int(number))
            case words:
                raise ValueError(words)
        print(answer, flush=True)  # noqa: T201  # its protocol
    for name in list(children):
        _signal(children, name, signal.SIGKILL)


def _start(name: str, habits: Habits, client: Client) -> int:
    if pid := os.fork():
        return pid
    try:
        bind()
        os.close(sys.stdin.fileno())
        work(name, habits, client)
    finally:
        traceback.print_exc()
        os._exit(1)


def _dead(children: dict[str, int]) -> list[str]:
    dead = [name for name, pid in children.items() if os.waitpid(pid, os.WNOHANG)[0]]
    for name in dead:
        del children[name]
    return dead


def _signal(children: dict[str, int], name: str, number: int) -> str:
    # A child that died a moment ago keeps its number until it is waited for.
    sent_at = now()
    os.kill(children[name], number)
    if number == signal.SIGKILL:
        os.waitpid(children.pop(name), 0)
    return str(sent_at)


if __name__ == "__main__":
    main()
