"""What an ask costs in studies of 10,000 finished trials, and the memory of a replica that serves ten of them.

    python -m benchmarks.asks [--trials 10000] [--studies 10]

The calls of the service in one process, on an embedded PostgreSQL, TPE on 8 parameters, the median pruner: one worker
whose trials take no time, then eight whose trials take 0.3 s, with and without points chosen ahead, in turns. Beside
them Optuna's own sampler alone, in memory, on the same trials. Each study is asked, reported to and told once first:
then the replica holds all its trials and all their curves.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
import psutil

from benchmarks import history
from service import asks, embedded, leases, reports, studies
from service.database import connect
from service.migrate import migrate
from service.replica import Replica
from service.sampling import stock
from service.storage.leases import Reference
from trimtab.message import Metrics
from trimtab.protocol import Ask, Report, Tell
from trimtab.states import Outcome

ROUNDS = 3
ALONE = 25
WORKERS = 8
TRIAL_SECONDS = 0.3
EACH = 10
NEVER = 1e9
MEGABYTE = 1e6


def main() -> None:
    """Measure, and print what came out."""
    given = _arguments()
    past = history.random_history(given.trials, seed=1)
    with _replica(past, given.studies) as replica:
        before = _resident()
        for number in range(given.studies):
            Worker(replica, "first", f"study-{number}").run(reported=4)
        print(f"replica with {given.studies} studies: {_resident():.0f} MB ({before:.0f} before)")
        asked = [_in_turns(replica, measure) for measure in (_alone, _together)]
    optunas = _optunas(past)
    for name, (now, ahead) in zip(("one worker", "eight workers"), asked, strict=True):
        print(f"ask, {name}: {now:.1f} ms, with points chosen ahead {ahead:.1f} ms")
    print(f"Optuna's sampler alone: {optunas:.1f} ms")


@dataclass(frozen=True)
class Worker:
    """Somebody who asks and tells, in the process of the service."""

    replica: Replica
    name: str
    study: str = "study-0"

    def run(self, *, seconds: float = 0.0, reported: int | None = None) -> float:
        """Run a trial of so many seconds; return those that its ask took."""
        start = time.perf_counter()
        (lease,) = asks.ask(self.replica, Ask(worker=self.name, study=self.study)).leases
        taken = time.perf_counter() - start
        time.sleep(seconds)
        reference = Reference(int(lease.id), lease.fence)
        metrics: Metrics = {history.METRIC: 0.5}
        if reported:
            reports.report(self.replica, reference, Report(step=reported, metrics=metrics))
        leases.tell(self.replica, reference, Tell(outcome=Outcome.COMPLETE, metrics=metrics))
        return taken


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000, help="finished ones, of each study")
    parser.add_argument("--studies", type=int, default=10)
    return parser.parse_args()


@contextmanager
def _replica(past: history.History, count: int) -> Iterator[Replica]:
    with tempfile.TemporaryDirectory(prefix="trimtab-benchmark-") as folder:
        # As root the embedded PostgreSQL runs as another user, who has to get there.
        Path(folder).chmod(0o711)
        with embedded.start(Path(folder)) as database:
            migrate(database.url)
            replica = Replica(connect(database.url), 300.0)
            for number in range(count):
                studies.create(replica, history.spec(f"study-{number}", len(past.points_TP) + 10_000))
                history.fill(replica.engine, f"study-{number}", past)
                history.fill_ours(replica.engine, f"study-{number}")
            yield replica
            replica.close()
            replica.engine.dispose()


def _in_turns(replica: Replica, measure: Callable[[Replica], list[float]]) -> tuple[float, float]:
    """Return the median of asks, in ms, without and with points chosen ahead."""
    worth = stock.WORTH_SECONDS
    now: list[float] = []
    ahead: list[float] = []
    for _ in range(ROUNDS):
        stock.WORTH_SECONDS = NEVER
        now += measure(replica)
        stock.WORTH_SECONDS = worth
        ahead += measure(replica)
    return 1e3 * statistics.median(now), 1e3 * statistics.median(ahead)


def _alone(replica: Replica) -> list[float]:
    return [Worker(replica, "alone").run() for _ in range(ALONE)]


def _together(replica: Replica) -> list[float]:
    taken: list[float] = []

    def work(number: int) -> None:
        worker = Worker(replica, f"worker-{number}")
        # Not in step: each at its own pace, and the first ask, when nothing can be ready, is not counted.
        mine = [worker.run(seconds=TRIAL_SECONDS * (0.8 + 0.05 * number)) for _ in range(EACH)]
        taken.extend(mine[1:])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def _optunas(past: history.History) -> float:
    """Return the median of Optuna's own suggestions for the same trials in memory, in ms."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(multivariate=True, seed=0)
    study = optuna.create_study(sampler=sampler)
    study.add_trials(list(_frozen(past)))
    taken = []
    for _ in range(ALONE):
        start = time.perf_counter()
        study.ask({each.stored_name: each.distribution for each in history.DIMENSIONS})
        taken.append(time.perf_counter() - start)
    return 1e3 * statistics.median(taken)


def _frozen(past: history.History) -> Iterator[optuna.trial.FrozenTrial]:
    distributions = {each.stored_name: each.distribution for each in history.DIMENSIONS}
    for point_P, curve_S, is_pruned, last in zip(
        past.points_TP, past.curves_TS, past.is_pruned_T, past.last_step_T, strict=True
    ):
        stored = zip(history.DIMENSIONS, point_P, strict=True)
        yield optuna.trial.create_trial(
            state=optuna.trial.TrialState.PRUNED if is_pruned else optuna.trial.TrialState.COMPLETE,
            params={each.stored_name: each.distribution.to_external_repr(float(value)) for each, value in stored},
            distributions=distributions,
            value=float(curve_S[last - 1]),
            intermediate_values={step: float(value) for step, value in enumerate(curve_S[:last], start=1)},
        )


def _resident() -> float:
    resident: float = psutil.Process().memory_info().rss / MEGABYTE
    return resident


if __name__ == "__main__":
    main()
