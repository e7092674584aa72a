"""Tell: each outcome makes of the trial what the contract says, once."""

import httpx2
import optuna
import pytest
import sqlalchemy as sa

from tests.service import record
from tests.service.runs import EAGER, complete, lease_of, report
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.errors import Invalid, LeaseEnded
from trimtab.protocol import Lease
from trimtab.states import Outcome, StudyState, TrialState


@pytest.fixture
def lease(client: Client) -> Lease:
    """A lease with a report at step 4."""
    client.create_study(spec(max_attempts=1))
    lease = lease_of(client)
    client.report(lease, step=4, metrics={"error": 0.5, "loss": 2.0})
    return lease


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("complete", TrialState.COMPLETE),
        ("pruned", TrialState.PRUNED),
        ("diverged", TrialState.FAIL),
        ("out_of_memory", TrialState.FAIL),
        ("timeout", TrialState.FAIL),
        ("error", TrialState.FAIL),
        ("released", TrialState.WAITING),
    ],
)
def test_an_outcome_leaves_the_trial_in_its_state(
    client: Client, lease: Lease, outcome: str, state: TrialState
) -> None:
    told = client.tell(lease, outcome, metrics={"error": 0.25})

    assert (told.study, told.trial, told.outcome, told.state) == ("study", 0, outcome, state)
    assert client.trial("study", 0).state is state


def test_a_complete_trial_has_the_figures_that_were_told(client: Client, lease: Lease) -> None:
    client.tell(lease, "complete", metrics={"error": 0.25, "loss": 1.0}, step=3)

    trial = client.trial("study", 0)
    assert (trial.values, trial.metrics, trial.step) == ({"error": 0.25}, {"error": 0.25, "loss": 1.0}, 3)
    assert (trial.outcome, trial.reason) == (Outcome.COMPLETE, None)
    assert trial.completed_at is not None


@pytest.mark.parametrize("outcome", ["complete", "pruned", "diverged", "released"])
def test_the_split_that_was_told_is_shown_with_the_trial(client: Client, lease: Lease, outcome: str) -> None:
    before = client.trial("study", 0).split
    split = 32 * "0f"

    client.tell(lease, outcome, metrics={"error": 0.25}, split=split)
    client.tell(lease, outcome, metrics={"error": 0.25}, split=split)

    assert (before, client.trial("study", 0).split) == (None, split)
    assert [trial.split for trial in client.trials("study")] == [split]


def test_figures_without_a_step_belong_to_the_last_one_reported(client: Client, lease: Lease) -> None:
    client.tell(lease, "complete", metrics={"error": 0.25})

    assert client.trial("study", 0).step == 4


def test_a_trial_that_never_reported_may_be_complete(client: Client) -> None:
    client.create_study(spec())
    lease = lease_of(client)

    client.tell(lease, "complete", metrics={"error": 0.25})

    trial = client.trial("study", 0)
    assert (trial.values, trial.step) == ({"error": 0.25}, None)


def test_a_pruned_trial_keeps_its_last_figures(client: Client, lease: Lease) -> None:
    client.tell(lease, "pruned")

    trial = client.trial("study", 0)
    assert (trial.values, trial.metrics, trial.step) == ({"error": 0.5}, {"error": 0.5, "loss": 2.0}, 4)


@pytest.mark.parametrize("message", [None, "", " "])
def test_a_pruned_trial_says_why_it_was_stopped(client: Client, message: str | None) -> None:
    client.create_study(spec(pruner=EAGER))
    complete(client, [0.1])
    lease = lease_of(client)
    verdict = report(client, lease, 1, 0.5)

    client.tell(lease, "pruned", message=message)

    assert client.trial("study", 1).reason == verdict.reason


@pytest.mark.parametrize("outcome", ["diverged", "out_of_memory", "timeout", "error"])
def test_a_trial_that_failed_has_a_cause_and_no_value(client: Client, lease: Lease, outcome: str) -> None:
    client.tell(lease, outcome, message="it burned")

    trial = client.trial("study", 0)
    assert (trial.outcome, trial.reason, trial.values) == (outcome, "it burned", {})


def test_complete_without_the_metric_that_is_optimised_is_refused(
    client: Client, lease: Lease, engine: sa.Engine
) -> None:
    before = record.rows(engine)

    with pytest.raises(Invalid) as refused:
        client.tell(lease, "complete", metrics={"loss": 1.0})

    assert [problem.field for problem in refused.value.errors] == ["metrics.error"]
    assert record.rows(engine) == before


def test_complete_with_a_figure_that_is_not_finite_has_diverged(client: Client, lease: Lease) -> None:
    told = client.tell(lease, "complete", metrics={"error": float("nan")})

    trial = client.trial("study", 0)
    assert (told.outcome, told.state) == (Outcome.DIVERGED, TrialState.FAIL)
    assert (trial.outcome, trial.reason, trial.values) == (Outcome.DIVERGED, "error is not finite", {})
    assert [attempt.outcome for attempt in trial.history] == [Outcome.DIVERGED]


def test_a_pruned_trial_whose_last_figure_is_not_finite_has_no_value(client: Client) -> None:
    client.create_study(spec())
    lease = lease_of(client)
    report(client, lease, 1, None)

    client.tell(lease, "pruned")

    trial = client.trial("study", 0)
    assert (trial.state, trial.values) == (TrialState.PRUNED, {})


@pytest.mark.parametrize("outcome", ["complete", "pruned", "error", "released"])
def test_the_same_tell_again_gets_the_same_answer(
    client: Client, lease: Lease, engine: sa.Engine, outcome: str
) -> None:
    told = client.tell(lease, outcome, metrics={"error": 0.25}, message="m")
    before = record.rows(engine)

    again = client.tell(lease, outcome, metrics={"error": 0.25}, message="m")

    assert again == told
    assert record.rows(engine) == before


@pytest.mark.parametrize(
    "other",
    [
        {"outcome": "pruned", "metrics": {"error": 0.25}},
        {"outcome": "complete", "metrics": {"error": 0.26}},
        {"outcome": "complete", "metrics": {"error": 0.25, "loss": 1.0}},
        {"outcome": "complete", "metrics": {"error": 0.25}, "step": 2},
        {"outcome": "complete", "metrics": {"error": 0.25}, "message": "m"},
    ],
)
def test_another_tell_is_refused(
    client: Client, http: httpx2.Client, lease: Lease, engine: sa.Engine, other: dict[str, object]
) -> None:
    client.tell(lease, "complete", metrics={"error": 0.25})
    before = record.rows(engine)

    answer = http.put(f"/v1/leases/{lease.id}/result", json=other, headers={"Trimtab-Fence": "1"})

    assert (answer.status_code, answer.json()["code"]) == (409, "lease_ended")
    assert record.rows(engine) == before


def test_a_released_trial_is_told_again_by_whoever_has_it_now(client: Client, lease: Lease) -> None:
    client.tell(lease, "released")
    newer = lease_of(client)

    with pytest.raises(LeaseEnded):
        client.tell(lease, "complete", metrics={"error": 0.1})
    told = client.tell(newer, "complete", metrics={"error": 0.2})

    assert told.state is TrialState.COMPLETE
    assert client.best_trial("study").values == {"error": 0.2}


def test_no_worker_can_tell_that_a_lease_was_lost(http: httpx2.Client, lease: Lease) -> None:
    answer = http.put(f"/v1/leases/{lease.id}/result", json={"outcome": "lost"}, headers={"Trimtab-Fence": "1"})

    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["errors"]] == ["outcome"]


def test_failures_in_a_row_stop_the_study(client: Client) -> None:
    client.create_study(spec(failed_in_a_row=3, budget={"trials": 100}))
    leases = client.ask("worker", study="study", count=5).leases

    for lease in leases[:3]:
        client.tell(lease, "error", message="no such file")

    study = client.study("study")
    assert study.state is StudyState.STOPPED
    assert study.reason == "3 trials failed in a row; the last one: no such file"
    assert study.completed_at is not None


def test_a_trial_that_does_not_fail_ends_the_row(client: Client) -> None:
    client.create_study(spec(failed_in_a_row=3))
    leases = client.ask("worker", study="study", count=5).leases
    outcomes = ["error", "diverged", "complete", "timeout", "out_of_memory"]

    for lease, outcome in zip(leases, outcomes, strict=True):
        client.tell(lease, outcome, metrics={"error": 0.5})

    assert client.study("study").state is StudyState.RUNNING


def test_trials_of_a_stopped_study_may_finish(client: Client) -> None:
    client.create_study(spec(failed_in_a_row=1))
    failed, running = client.ask("worker", study="study", count=2).leases
    client.tell(failed, "error")

    report(client, running, 1, 0.5)
    client.tell(running, "complete", metrics={"error": 0.5})

    assert client.study("study").state is StudyState.STOPPED
    assert client.best_trial("study").number == running.trial


def test_a_study_is_complete_when_its_last_trial_has_ended(client: Client) -> None:
    client.create_study(spec(budget={"trials": 3}))
    leases = client.ask("worker", study="study", count=3).leases
    outcomes = ["complete", "error", "pruned"]

    states = []
    for lease, outcome in zip(leases, outcomes, strict=True):
        client.tell(lease, outcome, metrics={"error": 0.5})
        states.append(client.study("study").state)

    assert states == [StudyState.RUNNING, StudyState.RUNNING, StudyState.COMPLETE]
    assert client.study("study").completed_at is not None


def test_optuna_sees_what_became_of_each_trial(client: Client, database_url: str) -> None:
    client.create_study(spec())
    for lease, outcome in zip(
        client.ask("worker", study="study", count=4).leases, ["complete", "pruned", "error", "released"], strict=True
    ):
        report(client, lease, 1, 0.5)
        client.tell(lease, outcome, metrics={"error": 0.25} if outcome == "complete" else None)

    trials = optuna.load_study(study_name="study", storage=database_url).trials

    states = optuna.trial.TrialState
    assert [trial.state for trial in trials] == [states.COMPLETE, states.PRUNED, states.FAIL, states.WAITING]
    assert [trial.value for trial in trials] == [0.25, 0.5, None, None]
