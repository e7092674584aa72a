"""The workers, as those who kill and stop them see them: so many slots, in each a worker until it is killed."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Self

from tests.reliability.chaos.log import Blow, Log
from tests.reliability.chaos.replicas import REPOSITORY
from tests.reliability.chaos.worker import Habits

_TRAINING = ("Leased", "Reported")
"""Of a worker who has a lease these are the last words, but for the moments in which a call is under way."""


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
        self._journals = Path(habits.folder)
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
        """Stop any worker that trains and is not stopped, as far as they say; return its name."""
        name = self._any(chance, [name for name in self._up if self._trains(name)])
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

    def _any(self, chance: Random, among: Sequence[str] = ()) -> str:
        name = chance.choice(among or self._up)
        self._up.remove(name)
        return name

    def _trains(self, name: str) -> bool:
        journal = self._journals / f"{name}.jsonl"
        last = journal.read_text().splitlines()[-1:] if journal.exists() else []
        return any(f'"kind": "{kind}"' in line for line in last for kind in _TRAINING)

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
