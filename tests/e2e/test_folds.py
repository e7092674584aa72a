"""Folds and repeats of a trial: any worker goes on with the next one, and a trial is stopped between them."""

from signal import SIGKILL

import pytest
import sqlalchemy as sa

from tests.e2e.running import Cue, Workers
from tests.e2e.studies import create, reached
from tests.service import record
from trimtab.client import Client
from trimtab.message import Params
from trimtab.states import Outcome, TrialState

FOLDS = {"name": "mlp", "data": {"dataset": "iris", "split": {"folds": 3}}}
SLOW: Params = {"epochs": 40, "batch_size": 1, "hidden_units": 16}
"""A fold of a second or two: long enough to be interrupted."""

KILLED = Cue("workers.checkpoints", "checkpoint of step", times=1, signal=SIGKILL)

LEARNING_RATE = {"learning_rate": {"type": "float", "low": 1e-9, "high": 1e-1, "scale": "log"}}


def test_a_trial_whose_worker_is_killed_goes_on_with_the_next_fold_elsewhere(
    server: str, client: Client, workers: Workers, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_CHECKPOINT_SECONDS", "0.01")
    task = {**FOLDS, "fixed": SLOW}
    create(client, fixed={}, task=task)

    workers.start(server, cue=KILLED).wait()
    record.let_leases_run_out(engine)
    workers.start(server)

    trial = reached(client, TrialState.COMPLETE)
    create(client, "whole", fixed={}, task=task)
    whole = reached(client, TrialState.COMPLETE, name="whole")
    first, second = ([report.step for report in trial.reports if report.attempt == number] for number in (1, 2))
    assert [attempt.outcome for attempt in trial.history] == [Outcome.LOST, Outcome.COMPLETE]
    assert first in ([1], [1, 2])
    assert second in ([2, 3], [3])
    assert (trial.step, trial.metrics, trial.values) == (3, whole.metrics, whole.values)
    assert {"validation_error_standard_error", "first_loss"} <= {*trial.metrics}


def test_a_trial_that_cannot_win_any_more_is_stopped_after_a_fold(
    server: str, client: Client, workers: Workers
) -> None:
    create(
        client,
        trials=3,
        fixed={},
        task={**FOLDS, "fixed": {"epochs": 2}},
        space=LEARNING_RATE,
        pruner={"name": "median", "startup_trials": 2, "warmup_steps": 0},
    )
    for learning_rate in (0.01, 0.02, 1e-9):
        client.enqueue("study", {"learning_rate": learning_rate})

    workers.start(server)

    stopped = reached(client, TrialState.PRUNED, 2)
    assert 1 <= len(stopped.reports) < 3
    assert [client.trial("study", number).step for number in (0, 1)] == [3, 3]


def test_a_trials_value_is_that_of_the_weights_that_were_kept(server: str, client: Client, workers: Workers) -> None:
    fixed: Params = {"epochs": 60, "patience": 3, "learning_rate": 0.03, "hidden_units": 64, "batch_size": 16}
    create(client, fixed=fixed, task={"name": "mlp", "data": {"dataset": "wine"}, "fixed": fixed})

    workers.start(server)

    trial = reached(client, TrialState.COMPLETE)
    errors = [report.metrics["validation_error"] for report in trial.reports]
    assert len(errors) < 60
    assert trial.values == {"validation_error": min(error for error in errors if error is not None)}
    assert trial.step == errors.index(trial.values["validation_error"]) + 1
    assert trial.metrics["epochs_trained"] == len(errors)
