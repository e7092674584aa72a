"""A task of a user's own, which no code of ours knows, from the study to its trials."""

from typing import Any

from tests.e2e.running import Workers, wait_for
from tests.e2e.studies import create, reached
from trimtab.client import Client
from trimtab.states import Outcome, StudyState, TrialState

MODULE = "tests.training.own_tasks"


def create_own(client: Client, task: str, *, trials: int = 1, **space: Any) -> None:
    create(
        client,
        fixed={},
        task={"name": task, "data": {"dataset": "iris"}, "fixed": {"epochs": 3}},
        space=space or {"width": {"type": "int", "low": 4, "high": 16}},
        trials=trials,
    )


def is_ended(client: Client) -> bool:
    return client.study("study").state.is_ended


def test_a_study_of_a_users_own_task_searches_what_only_its_code_knows(
    server: str, client: Client, workers: Workers
) -> None:
    create_own(client, f"{MODULE}:Dropping", trials=3)

    worker = workers.start(server, "--allow", f"{MODULE}:Dropping")
    wait_for(lambda: is_ended(client))

    trials = list(client.trials("study"))
    assert client.study("study").state is StudyState.COMPLETE, worker.said()
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    widths = {int(str(trial.params["width"])) for trial in trials}
    parameters = {int(trial.metrics["parameters"] or 0) for trial in trials}
    assert parameters == {(4 + 1) * width + (width + 1) * 3 for width in widths}


def test_an_error_of_the_users_code_is_the_trials_with_the_line_where_it_came_up(
    server: str, client: Client, workers: Workers
) -> None:
    create_own(client, f"{MODULE}:broken")

    workers.start(server, "--allow", f"{MODULE}:broken")
    (attempt,) = reached(client, TrialState.FAIL).history

    assert attempt.outcome is Outcome.ERROR
    assert attempt.message is not None
    assert attempt.message.startswith("LookupError: there is no such layer (own_tasks.py, line ")
    assert attempt.message.endswith(': raise LookupError("there is no such layer"))')


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
