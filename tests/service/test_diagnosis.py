"""The doctor over the API: what it says of studies and trials, and the studies that it prescribes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import httpx2
import pytest

from service import companions
from service.companions import Companion
from service.database import transaction
from service.replica import Replica
from tests.service import record
from tests.service.finishing import TESTED, send
from tests.service.runs import lease_of
from tests.service.specs import body, spec
from trimtab.client import Client
from trimtab.diagnosis import Condition, FindingCode
from trimtab.errors import (
    Conflict,
    Invalid,
    NoCompleteTrial,
    NoFeasibleTrial,
    NothingToPrescribe,
    SeveralObjectives,
    StudyExists,
    StudyNotFound,
    TrialNotFound,
)
from trimtab.protocol import Study
from trimtab.states import Origin, Purpose

RATES = {"type": "float", "low": 1e-4, "high": 1.0, "scale": "log"}
UNITS = {"type": "int", "low": 4, "high": 16, "scale": "log"}
BIASED = {"training_error": 0.3, "validation_error": 0.31}
VARIED = {"training_error": 0.0, "validation_error": 0.31}
HEALTHY = {"training_error": 0.0, "validation_error": 0.01}


def study(client: Client, name: str = "study", **changes: Any) -> Study:
    """Create a study of a perceptron that nobody trains."""
    task = {"name": "mlp", "data": {"dataset": "iris"}}
    objectives = [{"metric": "validation_error"}]
    space = {"learning_rate": RATES, "hidden_units": UNITS}
    return client.create_study(spec(name, **({"task": task, "space": space, "objectives": objectives} | changes)))


def add(client: Client, metrics: Mapping[str, float], curve: Sequence[float] = (), rate: float = 0.01) -> None:
    """Add a complete trial with these final figures, and a curve of validation errors."""
    steps = {step: {"validation_error": error} for step, error in enumerate(curve, start=1)}
    client.add_trial("study", {"learning_rate": rate, "hidden_units": 16}, metrics=metrics, curve=steps)


def edits(client: Client) -> dict[str, object]:
    return {edit.path: edit.to for edit in client.diagnosis("study").edits}


def test_a_study_is_diagnosed_by_its_best_trial(client: Client) -> None:
    study(client)
    add(client, {"training_error": 0.0, "validation_error": 0.5})
    add(client, BIASED)

    found = client.diagnosis("study")

    assert (found.trial, found.conditions) == (1, [Condition.HIGH_BIAS])
    assert found.figures is not None
    assert (found.figures.training_error, found.figures.bias, found.figures.tolerance) == (0.3, 0.3, 0.02)
    assert [finding.code for finding in found.findings] == [FindingCode.BIAS]
    assert found.edits[0].path == "space.hidden_units.high"
    assert (found.edits[0].was, found.edits[0].to) == (16, 32)


def test_an_edit_says_on_the_wire_what_it_changes_from(client: Client, http: httpx2.Client) -> None:
    study(client)
    add(client, BIASED)

    edit = http.get("/v1/studies/study/diagnosis").json()["edits"][0]

    assert edit.keys() == {"path", "from", "to", "reason"}
    assert (edit["from"], edit["to"]) == (16, 32)


def test_any_trial_can_be_diagnosed_by_its_own_figures(client: Client) -> None:
    study(client)
    add(client, BIASED)
    add(client, HEALTHY)
    (lease,) = client.ask("worker", study="study", tasks=["mlp"]).leases

    biased, running = client.diagnosis("study", 0), client.diagnosis("study", lease.trial)

    assert (biased.trial, biased.conditions) == (0, [Condition.HIGH_BIAS])
    assert (running.conditions, running.reason) == ([], "trial 2 has no training_error and no validation_error")
    with pytest.raises(TrialNotFound):
        client.diagnosis("study", 3)


def test_the_target_and_the_tolerance_are_those_of_the_study(client: Client) -> None:
    study(client, diagnosis={"target_error": 0.2, "tolerance": 0.15})
    add(client, BIASED)

    found = client.diagnosis("study")

    assert found.figures is not None
    assert (found.conditions, found.figures.target_error, found.figures.tolerance) == ([], 0.2, 0.15)


def test_curves_of_good_trials_are_looked_at(client: Client) -> None:
    study(client)
    for error in (0.01, 0.012, 0.013):
        add(client, {**HEALTHY, "validation_error": error}, curve=[0.9, 0.8, 0.6, 0.4, 0.2, error])

    found = client.diagnosis("study")

    (finding,) = found.findings
    assert (finding.code, finding.figures["trials"]) == (FindingCode.STILL_IMPROVING, 3)
    assert edits(client) == {"task.fixed.epochs": 60}


FOLDED = {"name": "mlp", "data": {"dataset": "iris", "split": {"folds": 5}}}


@pytest.mark.parametrize(
    "task", [FOLDED, {"name": "mlp", "data": {"dataset": "iris"}, "repeats": 5}], ids=["folds", "repeats"]
)
def test_means_over_more_and_more_trainings_are_no_curve_of_a_trial_or_of_others(
    client: Client, task: Mapping[str, Any]
) -> None:
    study(client, task=task)
    told = {**HEALTHY, "validation_error": 0.028, "validation_error_standard_error": 0.0145}
    for _ in range(2):
        add(client, told, curve=[0.0, 0.0, 0.022, 0.035, 0.028])

    found = client.diagnosis("study")

    assert found.findings == []


def test_the_final_model_of_folds_is_one_training_and_has_a_curve(client: Client) -> None:
    study(client, task=FOLDED)
    add(client, HEALTHY)
    client.make_final("study")
    lease = lease_of(client, "study.final")
    for step, norm in ((1, 1.0), (2, 2000.0)):
        client.report(lease, step=step, metrics={"training_error": 0.1, "gradient_norm": norm})
    send(client, lease)
    client.tell(lease, "complete", metrics=TESTED)

    found = client.diagnosis("study.final")

    assert [finding.code for finding in found.findings] == [FindingCode.EXPLODING]


def test_learning_rates_at_the_end_of_their_range_are_found_and_trials_that_diverged_count_as_worst(
    client: Client,
) -> None:
    study(client, failed_in_a_row=100)
    for place in range(6):
        add(client, {**HEALTHY, "validation_error": 0.01 * (place + 1)}, rate=1e-4 * 2**place)
    for place in range(3):
        point = {"learning_rate": 0.1 * (place + 1), "hidden_units": 16}
        client.add_trial("study", point, state="fail", metrics={"validation_error": math.nan})

    (finding,) = client.diagnosis("study").findings

    assert finding.code is FindingCode.LEARNING_RATE_ON_BOUND
    assert finding.figures["side"] == "low"
    assert finding.figures["trend"] == pytest.approx(0.98, abs=0.02)
    assert edits(client) == {"space.learning_rate.low": 1e-5}


def test_learning_rates_that_are_searched_among_choices_lie_on_a_bound_too(client: Client) -> None:
    rates = {"type": "categorical", "choices": [0.1, 0.001, 0.01]}
    study(client, space={"learning_rate": rates, "hidden_units": UNITS})
    for rate, error in [(0.001, 0.9), (0.01, 0.3), (0.1, 0.01)] * 3:
        add(client, {"training_error": 0.0, "validation_error": error}, rate=rate)

    (finding,) = client.diagnosis("study").findings

    assert (finding.code, finding.figures["side"]) == (FindingCode.LEARNING_RATE_ON_BOUND, "high")
    assert edits(client) == {"space.learning_rate.choices": [0.1, 0.001, 0.01, 1.0]}


def test_before_a_trial_is_complete_there_is_no_diagnosis_unless_failures_say_something(client: Client) -> None:
    study(client)
    with pytest.raises(NoCompleteTrial):
        client.diagnosis("study")

    for rate in (0.1, 0.2, 0.3):
        client.add_trial(
            "study",
            {"learning_rate": rate, "hidden_units": 16},
            state="fail",
            metrics={"validation_error": math.nan},
        )

    found = client.diagnosis("study")
    assert (found.trial, [finding.code for finding in found.findings]) == (None, [FindingCode.DIVERGING])
    assert edits(client) == {"space.learning_rate.low": 1e-5, "space.learning_rate.high": 0.1}


def test_where_no_trial_is_best_a_trial_has_to_be_named(client: Client) -> None:
    study(client, "constrained", constraints=[{"metric": "parameters", "at_most": 10}])
    two = [{"metric": "validation_error"}, {"metric": "parameters"}]
    study(client, "several", objectives=two)
    for name in ("constrained", "several"):
        client.add_trial(name, {"learning_rate": 0.01, "hidden_units": 4}, metrics={**BIASED, "parameters": 20})

    with pytest.raises(NoFeasibleTrial):
        client.diagnosis("constrained")
    with pytest.raises(SeveralObjectives):
        client.diagnosis("several")
    with pytest.raises(StudyNotFound):
        client.diagnosis("nothing")
    assert client.diagnosis("several", 0).conditions == [Condition.HIGH_BIAS]


def test_a_study_without_a_task_is_diagnosed_by_the_errors_that_it_was_told(client: Client) -> None:
    client.create_study(spec(objectives=[{"metric": "validation_error"}]))
    client.add_trial("study", {"x": 0.5}, metrics=VARIED)

    found = client.diagnosis("study")

    assert (found.conditions, found.edits) == ([Condition.HIGH_VARIANCE], [])


def test_a_prescription_is_the_next_study_and_begins_with_the_trials_that_fit(client: Client) -> None:
    study(client)
    add(client, VARIED)
    add(client, {**VARIED, "validation_error": 0.4}, rate=0.5)

    made = client.prescribe("study", edits=["space.l2"])

    assert (made.name, made.purpose, made.parent) == ("study-2", Purpose.PRESCRIPTION, "study")
    assert client.study("study").children == ["study-2"]
    assert "l2" in made.spec.declared
    assert made.spec.task == client.study("study").spec.task
    # Trials of a study without L2 had none, which lies outside of the range that is searched now.
    assert made.added == 0


def test_trials_that_lie_in_the_edited_space_are_taken_over(client: Client) -> None:
    study(client)
    for place in range(8):
        add(client, {**HEALTHY, "validation_error": 0.01 * (8 - place)}, rate=0.005 * 2**place)

    made = client.prescribe("study")

    assert made.spec.declared["learning_rate"].extremes() == (1e-4, 10.0)
    assert [trial.origin for trial in client.trials(made.name)] == [Origin.ADDED] * 8
    assert made.added == 8


def test_figures_on_other_data_are_not_taken_over(client: Client) -> None:
    study(client, task={"name": "mlp", "data": {"dataset": "iris", "normalization": "none"}})
    add(client, {**HEALTHY, "first_loss": 100.0})

    made = client.prescribe("study")

    assert (made.spec.warm_start, made.added) == (None, 0)
    assert made.spec.task is not None
    assert made.spec.task.data.normalization == "standard"


def test_prescriptions_of_prescriptions_are_numbered_on(client: Client) -> None:
    study(client, "study-3")
    study(client)
    add(client, BIASED)
    first = client.prescribe("study")
    params = {"learning_rate": 0.01, "hidden_units": 32, "optimizer": "adam"}
    client.add_trial(first.name, params, metrics={**BIASED, "validation_error": 0.3})

    second, third = client.prescribe(first.name), client.prescribe("study", called="mine")

    assert [first.name, second.name, third.name] == ["study-2", "study-4", "mine"]
    assert (second.parent, client.study("study").children) == ("study-2", ["study-2", "mine"])


def test_prescriptions_do_not_go_back_and_forth_between_optimizers(client: Client) -> None:
    study(client)
    add(client, BIASED)

    following = [client.prescribe("study")]
    for _ in range(2):
        client.add_trial(
            following[-1].name, {"learning_rate": 0.01, "hidden_units": 16, "optimizer": "adam"}, metrics=BIASED
        )
        following.append(client.prescribe(following[-1].name))

    assert [made.spec.declared["optimizer"].extremes() for made in following] == [("adam", "momentum")] * 3


def test_the_same_key_makes_one_study(client: Client, http: httpx2.Client) -> None:
    study(client)
    add(client, BIASED)

    answers = [
        http.post("/v1/studies/study/prescriptions", json={}, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert answers[0].headers["Location"] == "/v1/studies/study-2"
    assert len(list(client.studies())) == 2


def test_what_cannot_be_prescribed_is_refused_and_nothing_is_made(client: Client, http: httpx2.Client) -> None:
    study(client)
    with pytest.raises(NoCompleteTrial):
        client.prescribe("study")
    add(client, BIASED)
    study(client, "taken")

    with pytest.raises(StudyExists, match="'taken' is taken"):
        client.prescribe("study", called="taken")
    with pytest.raises(Invalid, match=r"edits\.0 is not proposed: 'space\.x'; there are space\.hidden_units\.high"):
        client.prescribe("study", edits=["space.x"])
    with pytest.raises(StudyNotFound):
        client.prescribe("nothing")
    add(client, HEALTHY)
    with pytest.raises(NothingToPrescribe):
        client.prescribe("study")
    assert {one.name for one in client.studies()} == {"study", "taken"}
    assert http.post("/v1/studies", json=body("other", purpose="prescription")).status_code == 422


def test_an_edit_that_needs_another_is_not_made_alone(client: Client) -> None:
    rates = {**RATES, "low": 0.5}
    study(client, space={"learning_rate": rates, "hidden_units": UNITS})
    for rate in (0.5, 0.6, 0.7):
        point = {"learning_rate": rate, "hidden_units": 16}
        client.add_trial("study", point, state="fail", metrics={"validation_error": math.nan})

    with pytest.raises(Invalid, match="edits do not make a study without the others"):
        client.prescribe("study", edits=["space.learning_rate.high"])
    assert client.prescribe("study").spec.declared["learning_rate"].extremes() == (0.05, 0.1)


def test_a_deleted_parent_leaves_its_prescription(client: Client) -> None:
    study(client)
    add(client, BIASED)
    made = client.prescribe("study")

    client.delete_study("study")

    assert (client.study(made.name).parent, client.study(made.name).purpose) == (None, Purpose.PRESCRIPTION)


def test_a_companion_of_a_study_is_not_prescribed_for(client: Client, replica: Replica) -> None:
    study(client)
    with transaction(replica.engine) as connection:
        parent, task = companions.locked_parent(connection, "study")
        points = [{"learning_rate": 0.01, "hidden_units": 8}]
        wanted = Companion(Purpose.CONFIRMATION, task, "validation_error", points, seed=0)
        companion = companions.follow(connection, parent, wanted).spec.name

    with pytest.raises(Conflict, match="is the confirmation of 'study': prescribe for that one"):
        client.prescribe(companion)

    # As Optuna itself would: the service deletes the companions too.
    record.execute(replica.engine, "DELETE FROM studies WHERE study_name = 'study'")
    with pytest.raises(Conflict, match="is the confirmation of a study that is deleted: there is none to"):
        client.prescribe(companion)
