"""The finished runs of the suite, one line each in a file: whoever starts again goes on where the last one stopped."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One method on one problem with one seed, still to be played."""

    method: str
    problem: str
    seed: int
    trials: int


@dataclass(frozen=True)
class Result:
    """A run that was played.

    Args:
        run: Which.
        regret: Best loss of all its trials above the least one of the problem.
        seconds: For all its suggestions, about: the losses cost next to nothing.
    """

    run: Run
    regret: float
    seconds: float


def read(path: Path) -> list[Result]:
    """Return the results that are on file; a last line that was cut off is none."""
    if not path.exists():
        return []
    results = []
    for line in path.read_text().splitlines():
        try:
            stored = json.loads(line)
        except ValueError:
            continue
        results.append(Result(Run(**stored["run"]), stored["regret"], stored["seconds"]))
    return results


def append(path: Path, result: Result) -> None:
    """Add a result to the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        # On a line of its own, also after one that was cut off.
        file.write(f"\n{json.dumps(asdict(result))}")


def missing(wanted: Iterable[Run], results: Iterable[Result]) -> list[Run]:
    """Return the runs that are not among the results, in their order."""
    played = {result.run for result in results}
    return [run for run in wanted if run not in played]
