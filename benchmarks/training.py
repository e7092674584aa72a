"""What training through the worker costs over a loop written by hand, and whether its figures are the same each time.

    python -m benchmarks.training [--turns 7] [--cases 20,50,200]

The same work three times, in turns: by hand (benchmarks.by_hand), the trial's training alone in this process, and the
trial in full: `python -m service`, embedded PostgreSQL, `python -m workers`, a report after each epoch. An epoch's time
is the mean over a training's epochs without the first; of a trial, from its first report to its last as the database
dates them. Medians over the turns, each turn compared with its own loop by hand. Torch has one thread everywhere.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import torch

from benchmarks import by_hand, running
from service import embedded
from service.migrate import migrate
from service.sampling.suggestion import training_seed
from trimtab.budget import Budget
from trimtab.client import Client
from trimtab.message import Params
from trimtab.protocol import TrialHistory
from trimtab.pruners import NoPruner
from trimtab.samplers import RandomSampler
from trimtab.space import Float, Space
from trimtab.spec import StudySpec, TaskSpec
from trimtab.states import Purpose, StudyState
from workers.child import THREADS
from workers.tasks import begin

Curve = list[tuple[int, dict[str, float | None]]]


@dataclass(frozen=True)
class Case:
    """A network whose epochs take about so long on one core of the machine of LOG.md.

    Args:
        milliseconds: That an epoch takes there, about.
        hidden_layers: Of the network.
        hidden_units: Of each.
        epochs: Of a training.
        most: What the trial may cost over the loop by hand, as a share.
    """

    milliseconds: int
    hidden_layers: int
    hidden_units: int
    epochs: int
    most: float

    @property
    def params(self) -> dict[str, int]:
        """The hyperparameters that are not left to their defaults."""
        return {
            "hidden_layers": self.hidden_layers,
            "hidden_units": self.hidden_units,
            "batch_size": 32,
            "epochs": self.epochs,
        }


CASES = [Case(20, 2, 280, 100, most=0.10), Case(50, 2, 560, 50, most=0.03), Case(200, 5, 560, 15, most=0.03)]


@dataclass
class Times:
    """Milliseconds of an epoch, turn by turn."""

    hand: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    trial: list[float] = field(default_factory=list)

    def over_hand(self, times: list[float]) -> float:
        """Return what these cost over the loop by hand, as a share: the median over the turns."""
        return statistics.median(one / hand for one, hand in zip(times, self.hand, strict=True)) - 1


class Trials:
    """Studies of one trial each, all alike but for their names.

    Args:
        client: To the service.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._numbers = count()

    def create(self, params: Params) -> str:
        """Create a study; return its name."""
        name = f"study-{next(self._numbers)}"
        # Something must be searched: a learning rate next to the default one, the same in each study.
        spec = StudySpec(
            name=name,
            task=TaskSpec(name="mlp", fixed=params),
            space=Space({"learning_rate": Float(low=1e-3, high=1.001e-3)}),
            sampler=RandomSampler(name="random"),
            pruner=NoPruner(name="none"),
            budget=Budget(trials=1),
        )
        self._client.create_study(spec)
        return name

    def trained(self, name: str) -> TrialHistory:
        """Return the trial as soon as it is over."""
        running.wait_for(lambda: self._client.study(name).state is not StudyState.RUNNING, seconds=600)
        return self._client.trial(name, 0)


def main() -> int:
    """Measure, print, and return 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=7, help="of each of the three")
    parser.add_argument("--cases", default="20,50,200", help="milliseconds of an epoch: 20, 50, 200")
    given = parser.parse_args()
    cases = [case for case in CASES if str(case.milliseconds) in given.cases.split(",")]
    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory(prefix="trimtab-bench-") as folder, embedded.start(Path(folder)) as database:
        migrate(database.url)
        with running.service(database.url) as url, Client(url, running.TOKEN) as client:
            trials = Trials(client)
            with running.worker(url, folder):
                is_reached = [_measured(case, trials, given.turns) for case in cases]
            with running.worker(url, folder, "--slots", "2"):
                is_reached += [_is_same_beside_others(trials)]
    return int(not all(is_reached))


def _measured(case: Case, trials: Trials, turns: int) -> bool:
    """Measure a case and print it; return whether its target is reached."""
    times = Times()
    trials.trained(trials.create(case.params | {"epochs": 2}))  # The child has started and has the data.
    curves: list[Curve] = []
    for _ in range(turns):
        by_hand_seconds = by_hand.train(**case.params)
        times.hand.append(1e3 * statistics.fmean(by_hand_seconds[1:]))
        trial = trials.trained(trials.create(case.params))
        seconds = (trial.reports[-1].reported_at - trial.reports[0].reported_at).total_seconds()
        times.trial.append(1e3 * seconds / (case.epochs - 1))
        alone, milliseconds = _alone({**case.params, **trial.params}, trial.number)
        times.alone.append(milliseconds)
        curves += [alone, _curve(trial)]
    print(f"\nepochs of about {case.milliseconds} ms, {turns} turns", flush=True)
    for name, of_turns in vars(times).items():
        over = "" if name == "hand" else f"  {times.over_hand(of_turns):+.1%}"
        print(f"  {name:6} {statistics.median(of_turns):7.2f} ms ({min(of_turns):.2f} to {max(of_turns):.2f}){over}")
    cost, is_same = times.over_hand(times.trial), _are_equal(curves)
    print(f"{_word(cost <= case.most)}  a trial's cost over the loop by hand: {cost:.3f} (at most {case.most:g})")
    print(f"{_word(is_same)}  figures of {len(curves)} trainings, bit for bit equal: {is_same}", flush=True)
    return cost <= case.most and is_same


def _alone(params: Params, number: int) -> tuple[Curve, float]:
    """Train what a trial trained without service and worker; return its figures and the milliseconds of an epoch."""
    seed = training_seed(study_seed=0, number=number)
    task, device = TaskSpec(name="mlp"), torch.device("cpu")
    training = begin(task, params, seed=seed, purpose=Purpose.SEARCH, files={}, device=device)
    ends: list[float] = []
    curve: Curve = []
    for epoch in training.epochs():
        ends.append(time.perf_counter())
        curve.append((epoch.step, dict(epoch.metrics)))
    return curve, 1e3 * (ends[-1] - ends[0]) / (len(ends) - 1)


def _is_same_beside_others(trials: Trials) -> bool:
    """Train the same trial in two slots at once, again and again; return whether the figures are the same."""
    params = CASES[0].params | {"epochs": 20, "dropout": 0.3}
    names = [trials.create(params) for _ in range(6)]
    is_same = _are_equal([_curve(trials.trained(name)) for name in names])
    print(f"\n{_word(is_same)}  figures of {len(names)} trials in two slots, bit for bit equal: {is_same}")
    return is_same


def _curve(trial: TrialHistory) -> Curve:
    return [(report.step, dict(report.metrics)) for report in trial.reports]


def _are_equal(curves: Sequence[Curve]) -> bool:
    return all(curve == curves[0] for curve in curves)


def _word(is_reached: bool) -> str:
    return "reached" if is_reached else "MISSED "


if __name__ == "__main__":
    sys.exit(main())
