"""One trial through HTTP against one trial of plain Optuna, in studies of growing size, on one PostgreSQL.

    python -m benchmarks.trial [--trials 40] [--sizes 100,1000,10000]

Ours: a real `python -m service` and `trimtab.Client` in another process. Theirs: RDBStorage, TPE and MedianPruner
called directly, as a script would, in a database of its own on the same server. Each trial asks for 8 parameters,
reports 20 steps with a verdict after each, and tells. The two take turns of ten trials; the first trial of a turn, when
the caches hold the other system, is not counted. Last, a service that has just started is asked once.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import optuna
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from benchmarks import history, running
from service import embedded
from service.migrate import migrate
from trimtab.client import Client

TURN = 10
VERBS = ("ask", "report", "tell", "trial")


@dataclass
class Times:
    """Seconds that each verb took, by verb; `trial` is a whole trial."""

    by_verb: dict[str, list[float]] = field(default_factory=lambda: {verb: [] for verb in VERBS})

    @contextmanager
    def measured(self, verb: str) -> Iterator[None]:
        """Add what happens inside to the times of `verb`."""
        start = time.perf_counter()
        yield
        self.by_verb[verb].append(time.perf_counter() - start)

    def median(self, verb: str) -> float:
        """Return the median, in milliseconds."""
        return 1e3 * statistics.median(self.by_verb[verb])

    def p99(self, verb: str) -> float:
        """Return the 99th percentile, in milliseconds."""
        ordered = sorted(self.by_verb[verb])
        return 1e3 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


def main() -> int:
    """Measure, print, and return 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=40, help="trials measured for each size and system")
    parser.add_argument("--sizes", default="100,1000,10000", help="finished trials in the study before")
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    ours, theirs, cold = {}, {}, {}
    with tempfile.TemporaryDirectory(prefix="trimtab-bench-") as folder, embedded.start(Path(folder)) as database:
        for size in map(int, given.sizes.split(",")):
            urls = _filled(database.url, size, given.trials)
            ours[size], theirs[size] = _compare(*urls, size=size, trials=given.trials)
            cold[size] = _cold_ask(urls[0], size)
            _print_size(size, ours[size], theirs[size], cold[size])
    return _print_verdicts(ours, theirs, cold)


def _filled(server: str, size: int, trials: int) -> tuple[str, str]:
    """Return the URLs of two databases that hold the same `size` finished trials: ours and plain Optuna's."""
    past = history.random_history(size, seed=0)
    study = f"study-{size}"
    ours, theirs = (_create(server, f"{name}_{size}") for name in ("ours", "theirs"))
    migrate(ours)
    optuna.create_study(storage=theirs, study_name=study)
    with running.service(ours) as url, Client(url, running.TOKEN) as client:
        client.create_study(history.spec(study, size + 2 * trials + 10))
    for url in (ours, theirs):
        engine = sa.create_engine(url, poolclass=NullPool)
        history.fill(engine, study, past)
        if url is ours:
            history.fill_ours(engine, study)
    return ours, theirs


def _create(server: str, name: str) -> str:
    engine = sa.create_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


def _compare(ours: str, theirs: str, *, size: int, trials: int) -> tuple[Times, Times]:
    study = optuna.load_study(
        study_name=f"study-{size}",
        storage=theirs,
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=4),
    )
    # Better than any median, so that no verdict is stop and every trial runs to its end.
    curves = (history.random_history(trials, seed=1).curves_TS - 1).tolist()
    our_times, their_times = Times(), Times()
    with running.service(ours) as url, Client(url, running.TOKEN) as client:
        for start in range(0, trials, TURN):
            for position, curve in enumerate(curves[start : start + TURN]):
                _our_trial(client, f"study-{size}", curve, our_times if position else Times())
            for position, curve in enumerate(curves[start : start + TURN]):
                _their_trial(study, curve, their_times if position else Times())
    return our_times, their_times


def _our_trial(client: Client, study: str, curve: list[float], times: Times) -> None:
    with times.measured("trial"):
        with times.measured("ask"):
            (lease,) = client.ask(worker="benchmark", study=study).leases
        for step, value in enumerate(curve, start=1):
            with times.measured("report"):
                client.report(lease, step=step, metrics={history.METRIC: value})
        with times.measured("tell"):
            client.tell(lease, "complete", metrics={history.METRIC: curve[-1]})


def _their_trial(study: optuna.Study, curve: list[float], times: Times) -> None:
    space = {dimension.stored_name: dimension.distribution for dimension in history.DIMENSIONS}
    with times.measured("trial"):
        with times.measured("ask"):
            trial = study.ask(space)
        for step, value in enumerate(curve, start=1):
            with times.measured("report"):
                trial.report(value, step)
                trial.should_prune()
        with times.measured("tell"):
            study.tell(trial, curve[-1])


def _cold_ask(database_url: str, size: int) -> float:
    """Return the seconds that the first ask takes in a replica that has just started."""
    with running.service(database_url) as url, Client(url, running.TOKEN) as client:
        start = time.perf_counter()
        (lease,) = client.ask(worker="benchmark", study=f"study-{size}").leases
        seconds = time.perf_counter() - start
        client.tell(lease, "released")
    return seconds


def _print_size(size: int, ours: Times, theirs: Times, cold: float) -> None:
    print(f"\n{size} finished trials; milliseconds, median (p99)")
    print(f"{'':8}{'Trimtab, HTTP':>20}{'Optuna, direct':>20}{'ratio':>8}")
    for verb in VERBS:
        cells = [f"{times.median(verb):.1f} ({times.p99(verb):.1f})" for times in (ours, theirs)]
        print(f"{verb:8}{cells[0]:>20}{cells[1]:>20}{ours.median(verb) / theirs.median(verb):>8.2f}")
    print(f"first ask of a replica that has just started: {cold:.2f} s", flush=True)


def _print_verdicts(ours: dict[int, Times], theirs: dict[int, Times], cold: dict[int, float]) -> int:
    """Print each target with what was measured; return 1 if one is missed."""
    targets = [
        (f"whole trial at {size}, share of Optuna's", ours[size].median("trial") / theirs[size].median("trial"), most)
        for size, most in ((1_000, 1 / 4), (10_000, 1 / 5))
        if size in ours
    ]
    if {100, 10_000} <= ours.keys():
        growth = ours[10_000].median("trial") / ours[100].median("trial")
        targets += [("whole trial at 10000, times that at 100", growth, 3.0)]
        targets += [("first ask of a cold replica at 10000, seconds", cold[10_000], 3.0)]
    print()
    for name, measured, most in targets:
        print(f"{'reached' if measured <= most else 'MISSED '}  {name}: {measured:.3f} (at most {most:.3g})")
    return int(any(measured > most for _, measured, most in targets))


if __name__ == "__main__":
    sys.exit(main())
