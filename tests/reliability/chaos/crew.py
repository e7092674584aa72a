"""The workers, as those who kill and stop them see them: so many slots, in each a worker until it is killed."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from random import Random
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Self

from tests.reliability.chaos.log import Blow, Log
from tests.reliability.chaos.replicas import REPOSITORY
from tests.reliability.chaos.worker import Habits


class Crew:
    """Workers of these habits.

    Args:
        habits: Of all of them.
        size: How many there are at a time.
        log: Where their kills and stops are noted, and deaths that nobody brought about.
        errors: A file for what they say.
    """

    def __init__(self, habits: Habits, size: int, log: Log, errors: Path) -> None:
        self._log = log
        with errors.open("ab") as said:
            self._forker = subprocess.Popen(
                [sys.executable, "-m", "tests.reliability.chaos.forker", json.dumps(asdict(habits))],
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        self._born = 0
        self._up = [self._start() for _ in range(size)]
        self._stopped: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Closes its input, with which it and all workers end, and waits.
        self._forker.__exit__(None, None, None)

    def kill(self, chance: Random) -> None:
        """Kill any worker that is not stopped, and start another in its place."""
        name = self._any(chance)
        self._log.blows.append(Blow(name, self._signal(name, SIGKILL)))
        self._up.append(self._start())

    def stop(self, chance: Random) -> str:
        """Stop any worker that is not stopped; return its name."""
        name = self._any(chance)
        self._stopped[name] = self._signal(name, SIGSTOP)
        return name

    def resume(self, name: str) -> None:
        """Let a worker go on that was stopped."""
        self._log.blows.append(Blow(name, self._stopped.pop(name), self._signal(name, SIGCONT)))
        self._up.append(name)

    def watch(self) -> None:
        """Start others for those that died by themselves, and note that they did."""
        for name in self._tell("dead").split():
            self._log.wrong.append(f"worker {name} died by itself")
            self._up[self._up.index(name)] = self._start()

    @property
    def is_whole(self) -> bool:
        """Whether nobody is stopped."""
        return not self._stopped

    def _any(self, chance: Random) -> str:
        return self._up.pop(chance.randrange(len(self._up)))

    def _start(self) -> str:
        self._born += 1
        name = f"w{self._born}"
        self._tell("start", name)
        return name

    def _signal(self, name: str, number: int) -> float:
        return float(self._tell("signal", name, str(int(number))))

    def _tell(self, *words: str) -> str:
        assert self._forker.stdin
        assert self._forker.stdout
        self._forker.stdin.write(" ".join(words) + "\n")
        self._forker.stdin.flush()
        return self._forker.stdout.readline().strip()
