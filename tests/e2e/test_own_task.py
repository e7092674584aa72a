"""A task of a user's own, which no code of ours knows, from the study to its trials."""

import os
import subprocess
import sys
from typing import Any

from tests.e2e.running import PATIENCE_SECONDS, REPOSITORY, TOKEN, Workers
from tests.e2e.studies import create, reached
from trimtab.client import Client
from trimtab.states import Outcome, TrialState

MODULE = "tests.training.own_tasks"


def create_own(client: Client, task: str, *, trials: int = 1, **space: Any) -> None:
    create(
        client,
        fixed={},
        task={"name": task, "data": {"dataset": "iris"}, "fixed": {"epochs": 3}},
        space=space or {"width": {"type": "int", "low": 4, "high": 16}},
        trials=trials,
    )


def test_the_example_searches_what_only_its_own_code_knows(server: str, client: Client, workers: Workers) -> None:
    worker = workers.start(server, "--allow", "examples.own_task:build")
    environment = os.environ | {"TRIMTAB_SERVER": server, "TRIMTAB_TOKEN": TOKEN}

    example = [sys.executable, "-m", "examples.own_task"]
    ran = subprocess.run(example, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)

    trials = [trial for trial in client.trials("own") if trial.state is TrialState.COMPLETE]
    widths = [int(str(trial.params["width"])) for trial in trials]
    assert (ran.returncode, ran.stderr) == (0, ""), worker.said()
    assert "validation_error" in ran.stdout
    assert len({*widths}) > 1
    assert client.study("own").counts.pruned > 0
    assert client.diagnosis("own").figures is not None
    assert [trial.metrics["parameters"] for trial in trials] == [
        (64 + 1) * 10 + (64 + 1) * width + (width + 1) * 10 for width in widths
    ]


def test_an_error_of_the_users_code_is_the_trials_with_the_line_where_it_came_up(
    server: str, client: Client, workers: Workers
) -> None:
    create_own(client, f"{MODULE}:broken")

    workers.start(server, "--allow", f"{MODULE}:broken", constants={"workers.delivery.CLOSE_SECONDS": PATIENCE_SECONDS})
    (attempt,) = reached(client, TrialState.FAIL).history

    assert attempt.outcome is Outcome.ERROR
    assert attempt.message is not None
    assert attempt.message.startswith("LookupError: there is no such layer (own_tasks.py, line ")
    assert attempt.message.endswith(': raise LookupError("there is no such layer"))')
    assert "Traceback (most recent call last):" in [line.text.strip() for line in client.logs("study", 0)]


def test_a_worker_that_was_not_told_of_a_task_leaves_it_alone(server: str, client: Client, workers: Workers) -> None:
    create_own(client, "nowhere_at_all:build")

    worker = workers.start(server, "--exit-when-idle", "1")

    assert worker.wait() == 0
    assert [trial.state for trial in client.trials("study")] == []


def test_a_worker_that_cannot_import_a_task_ends_and_says_so(server: str, workers: Workers) -> None:
    worker = workers.start(server, "--allow", "nowhere_at_all:build")

    code = worker.wait()

    last = worker.said().splitlines()[-1]
    assert code == 2
    assert last.startswith("trimtab: nowhere_at_all:build cannot be imported: ModuleNotFoundError")
