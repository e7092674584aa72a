"""Plays method x problem x seed on the suite: python -m benchmarks.search.

Each run is a study of its own through service.sampling, in memory, one ask at a time: no HTTP, no database, no pruner.
Finished runs are appended to a file, and a second start goes on after them: delete it after a change of a sampler.
Then the medians of the regret are printed: how far the best of a run's trials is above the least possible loss.
"""

import argparse
import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from pydantic import TypeAdapter
from threadpoolctl import threadpool_limits

from benchmarks.search import comparison, results
from benchmarks.search.functions import FUNCTIONS
from benchmarks.search.networks import networks
from benchmarks.search.play import play
from benchmarks.search.problems import Problem
from benchmarks.search.results import Result, Run
from trimtab.samplers import Sampler

METHODS = ("random", "qmc", "coarse_to_fine", "tpe", "cmaes", "nsga2", "auto", "gp")
"""Samplers as they are by default, the slowest last. A grid needs a finite space, and has no better or worse."""

_SAMPLER: TypeAdapter[Sampler] = TypeAdapter(Sampler)


def main() -> None:
    """Play what is missing and print the table."""
    given = _arguments()
    wanted = [
        Run(method, problem, seed, given.trials)
        for method, problem, seed in itertools.product(given.methods, given.problems, range(given.seeds))
    ]
    _play_all(results.missing(wanted, results.read(given.file)), given.file, processes=given.processes)
    found = [result for result in results.read(given.file) if result.run in set(wanted)]
    print("\n".join(comparison.table(comparison.regrets(found), problems=given.problems, methods=given.methods)))


def problems() -> dict[str, Problem]:
    """Return the ten problems, by name."""
    return {problem.name: problem for problem in (*FUNCTIONS, *networks())}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", type=_names(METHODS), default=METHODS, help="of " + ", ".join(METHODS))
    names = tuple(problems())
    parser.add_argument("--problems", type=_names(names), default=names, help="of " + ", ".join(names))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trials", type=int, default=60, help="of each run")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--file", type=Path, default=Path("benchmarks/results/search.jsonl"), help="of finished runs")
    return parser.parse_args()


def _names(known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """Return what reads a comma-separated list of names out of some."""

    def names(text: str) -> tuple[str, ...]:
        found = tuple(text.split(","))
        if unknown := [name for name in found if name not in known]:
            raise argparse.ArgumentTypeError(f"not among {', '.join(known)}: {', '.join(unknown)}")
        return found

    return names


def _play_all(runs: Sequence[Run], file: Path, *, processes: int) -> None:
    with ProcessPoolExecutor(processes) as pool:
        playing = [pool.submit(play_run, run) for run in runs]
        for position, played in enumerate(as_completed(playing), start=1):
            result = played.result()
            results.append(file, result)
            run = result.run
            print(f"{position}/{len(runs)} {run.method} {run.problem} {run.seed}: {result.regret:.3g}", flush=True)


def play_run(run: Run) -> Result:
    """Play one run."""
    problem = problems()[run.problem]
    start = time.perf_counter()
    # One run, one core.
    with threadpool_limits(1):
        played = play(problem, _SAMPLER.validate_python({"name": run.method, "seed": run.seed}), trials=run.trials)
    return Result(run, problem.regret(min(trial.loss for trial in played)), time.perf_counter() - start)


if __name__ == "__main__":
    main()
