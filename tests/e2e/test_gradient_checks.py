"""Gradient checks by real workers: asked for, and before the first trials of a user's own task."""

from signal import SIGTERM

from tests.e2e.running import Workers, wait_for
from tests.e2e.studies import create
from trimtab.checks import Check, Rating
from trimtab.client import Client
from trimtab.states import Outcome, StudyState, TrialState

WRONG = "tests.training.planted:wrong"


def checked(client: Client) -> Check:
    """Wait for the newest check of `study` to be over."""
    return wait_for(lambda: next((check for check in client.checks("study") if check.completed_at), None))


def test_a_worker_checks_the_gradients_of_a_study_on_demand(server: str, client: Client, workers: Workers) -> None:
    create(client, fixed={"epochs": 1}, trials=1)
    client.change_study("study", state="paused")
    asked = client.check_gradients("study", {"hidden_units": 8})

    worker = workers.start(server)
    found = checked(client)
    worker.signal(SIGTERM)

    assert (found.study, found.state, found.rating) == (asked.study, TrialState.COMPLETE, Rating.RIGHT)
    assert set(found.tensors) == {"hidden.0.weight", "hidden.0.bias", "output.weight", "output.bias"}
    assert all(figure is not None and figure < 1e-7 for figure in found.tensors.values())
    assert worker.wait() == 0
    assert client.study("study").counts.finished == 0


def test_a_wrong_backward_pass_of_a_users_own_is_named_and_stops_the_study(
    server: str, client: Client, workers: Workers
) -> None:
    task = {"name": WRONG, "data": {"dataset": "iris"}, "fixed": {"epochs": 3}}
    space = {"width": {"type": "int", "low": 4, "high": 16}}
    create(client, fixed={}, task=task, space=space, trials=5, failed_in_a_row=1)

    workers.start(server, "--allow", WRONG)
    study = wait_for(lambda: study if (study := client.study("study")).state.is_ended else None)

    assert (study.state, study.counts.fail, study.counts.complete) == (StudyState.STOPPED, 1, 0)
    assert study.reason is not None
    assert "GradientWrong: the gradient of first." in study.reason
    assert "by differences and" in study.reason
    assert client.trial("study", 0).outcome is Outcome.ERROR
