"""An objective through `trimtab.optimize` against the same objective through plain Optuna, on one PostgreSQL.

    python -m benchmarks.objective [--trials 60]

The objective suggests five params, one by one, reports 20 steps with a verdict after each, and does nothing else.
Ours: a real `python -m service` in another process. Theirs: RDBStorage, called directly, in a database of its own on
the same server. Both with TPE and a median pruner; no trial is stopped. The two take turns of ten trials.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

import trimtab
from benchmarks import running
from benchmarks.trial import Times
from service import embedded
from service.migrate import migrate
from trimtab.client import Client

TURN = 10
STEPS = 20
STUDY = "study"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=60, help="trials of each")
    trials = parser.parse_args().trials
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="trimtab-bench-") as folder, embedded.start(Path(folder)) as database:
        ours, theirs = (_create(database.url, name) for name in ("ours", "theirs"))
        migrate(ours)
        pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=3)
        study = optuna.create_study(storage=theirs, sampler=optuna.samplers.TPESampler(seed=0), pruner=pruner)
        with running.service(ours) as url, Client(url, running.TOKEN) as client:
            _print(*_compare(client, study, trials))
    return 0


def _create(server: str, name: str) -> str:
    engine = sa.create_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


def _compare(client: Client, study: optuna.Study, trials: int) -> tuple[Times, Times]:
    our_times, their_times = (Times({verb: [] for verb in ("suggest", "report", "trial")}) for _ in range(2))
    for done in range(0, trials, TURN):
        start = time.perf_counter()
        trimtab.optimize(_objective(our_times), study=STUDY, n_trials=done + TURN, client=client)
        our_times.by_verb["trial"].append((time.perf_counter() - start) / TURN)
        start = time.perf_counter()
        study.optimize(_objective(their_times), n_trials=TURN)
        their_times.by_verb["trial"].append((time.perf_counter() - start) / TURN)
    return our_times, their_times


def _objective(times: Times) -> Callable[[Any], float]:
    def objective(trial: Any) -> float:
        for number in range(5):
            with times.measured("suggest"):
                trial.suggest_float(f"x{number}", 1e-3, 1.0, log=True)
        for step in range(STEPS):
            with times.measured("report"):
                # Each trial is better than those before it, so that none is stopped.
                trial.report(-trial.number, step)
                trial.should_prune()
        return -float(trial.number)

    return objective


def _print(ours: Times, theirs: Times) -> None:
    print(f"milliseconds, median\n{'':10}{'Trimtab, HTTP':>16}{'Optuna, direct':>16}{'ratio':>8}")
    for verb in ours.by_verb:
        mine, other = ours.median(verb), theirs.median(verb)
        print(f"{verb:10}{mine:>16.1f}{other:>16.1f}{mine / other:>8.2f}")


if __name__ == "__main__":
    sys.exit(main())
