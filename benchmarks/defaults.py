"""What somebody gets who says nothing but a name and a task: python -m benchmarks.defaults [--seeds 3].

Studies of 60 trials with all else by default, one after another, trained by a worker with two slots that has just
started: digits with several seeds of the sampler, and other data sets. Ends with 1 if a study of digits misses its
target.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import running
from service import embedded
from service.migrate import migrate
from trimtab.budget import Budget
from trimtab.client import Client
from trimtab.data import DataSpec
from trimtab.samplers import AutoSampler
from trimtab.spec import StudySpec, TaskSpec
from trimtab.states import StudyState, TrialState

TRIALS = 60
MOST_ERROR, MOST_SECONDS = 0.02, 180.0
"""Of digits."""

OTHERS = ("breast_cancer", "wine", "iris", "diabetes", "moons", "spirals")
_PATIENCE_SECONDS = 1800.0


@dataclass(frozen=True)
class Found:
    """What a study came to.

    Args:
        error: The best validation error.
        seconds: From its creation to its end.
        trials: How many ended how.
    """

    error: float
    seconds: float
    trials: dict[str, int]


def main() -> int:
    """Run the studies, print a line for each, and return 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="studies of digits")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trimtab-bench-") as folder, embedded.start(Path(folder)) as database:
        migrate(database.url)
        with (
            running.service(database.url) as url,
            Client(url, running.TOKEN) as client,
            running.worker(url, folder, "--slots", "2"),
        ):
            digits = [_run(client, "digits", seed) for seed in range(given.seeds)]
            for dataset in OTHERS:
                _run(client, dataset, seed=0)
    print(f"digits: at most {MOST_ERROR} in at most {MOST_SECONDS:.0f} s is the target")
    return int(any(one.error > MOST_ERROR or one.seconds > MOST_SECONDS for one in digits))


def _run(client: Client, dataset: str, seed: int) -> Found:
    name = f"{dataset}-{seed}"
    began_at = time.monotonic()
    client.create_study(
        StudySpec(
            name=name,
            task=TaskSpec(name="mlp", data=DataSpec(dataset=dataset)),
            sampler=AutoSampler(name="auto", seed=seed),
            budget=Budget(trials=TRIALS),
        )
    )
    running.wait_for(lambda: client.study(name).state is not StudyState.RUNNING, seconds=_PATIENCE_SECONDS)
    states = [trial.state for trial in client.trials(name)]
    best = client.best_trial(name)
    error = best.values["validation_error"]
    assert error is not None, "a complete trial has a value"
    found = Found(error, time.monotonic() - began_at, {state: states.count(state) for state in TrialState})
    counts = ", ".join(f"{count} {state}" for state, count in found.trials.items() if count)
    print(f"{name:16} validation_error {found.error:.4f} in {found.seconds:5.1f} s; {counts}", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
