"""What a pruner can be asked to be, and what not."""

import json
from typing import Any

import pytest

from trimtab.errors import Invalid
from trimtab.pruners import HyperbandPruner, PatientPruner
from trimtab.spec import StudySpec
from trimtab.validation import from_json

ALONE = {"task": None, "space": {"x": {"type": "float", "low": 0, "high": 1}}, "objectives": [{"metric": "error"}]}
MLP = {"task": {"name": "mlp"}}

BAD_PRUNERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "that is not there": ({"name": "best"}, "pruner", "there are 'median', 'percentile', 'successive_halving'"),
    "with a percentile above all": ({"name": "percentile", "percentile": 101}, "pruner.percentile", "at most 100"),
    "that looks every no steps": ({"name": "median", "interval_steps": 0}, "pruner.interval_steps", "at least 1"),
    "that halves into one": (
        {"name": "successive_halving", "reduction_factor": 1},
        "pruner.reduction_factor",
        "at least 2",
    ),
    "with Optuna's guess of the first rung": (
        {"name": "successive_halving", "min_resource": "auto"},
        "pruner.min_resource",
        "must be an integer",
    ),
    "with brackets of no end": (
        {"name": "hyperband"},
        "pruner.max_resource",
        "is needed where the task does not say how many epochs a trial has: the last step of the longest trial",
    ),
    "with the same inside another": (
        {"name": "patient", "wrapped_pruner": {"name": "hyperband"}},
        "pruner.wrapped_pruner.max_resource",
        "is needed",
    ),
    "with the first rung behind the last step": (
        {"name": "hyperband", "min_resource": 9, "max_resource": 3},
        "pruner.max_resource",
        "must not be below min_resource: 3 < 9",
    ),
    "without a bound": ({"name": "threshold"}, "pruner", "needs a bound: lower, upper or both"),
    "with bounds that leave nothing": (
        {"name": "threshold", "lower": 2, "upper": 1},
        "pruner.lower",
        "must not be above upper: 2.0 > 1.0",
    ),
    "patient with a patient one": (
        {"name": "patient", "wrapped_pruner": {"name": "patient"}},
        "pruner.wrapped_pruner.name",
        "cannot be patient inside patient: name another pruner, or null for patience alone",
    ),
    "patient with what has no name": (
        {"name": "patient", "wrapped_pruner": {"name": {}}},
        "pruner.wrapped_pruner",
        "has an unknown 'name'",
    ),
    "of two metrics": (
        {"name": "patient", "wrapped_pruner": {"name": "median", "metric": "error"}},
        "pruner.wrapped_pruner.metric",
        "name it there, as metric",
    ),
    "with a p above one": ({"name": "wilcoxon", "p_threshold": 1.5}, "pruner.p_threshold", "at most 1"),
    "by what is not optimised": (
        {"name": "median", "metric": "loss"},
        "pruner.metric",
        "is not an objective: 'loss'; there are error",
    ),
}


def resolved(pruner: dict[str, Any], **study: Any) -> StudySpec:
    body = {"name": "study"} | (study or ALONE) | {"pruner": pruner}
    return from_json(StudySpec, json.dumps(body)).resolved()


@pytest.mark.parametrize(("pruner", "field", "message"), BAD_PRUNERS.values(), ids=BAD_PRUNERS)
def test_a_pruner_is_refused(pruner: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        resolved(pruner)

    problems = {problem.field: problem.message for problem in refused.value.errors}
    assert field in problems
    assert message in problems[field]


@pytest.mark.parametrize(
    ("study", "longest"),
    [
        (MLP, 30),
        ({"task": {"name": "mlp", "fixed": {"epochs": 7}}}, 7),
        (MLP | {"space": {"epochs": {"type": "int", "low": 5, "high": 50}}}, 50),
        ({"task": {"name": "mlp", "data": {"split": {"folds": 5}}, "repeats": 3}}, 15),
    ],
    ids=["default", "fixed", "searched", "trainings"],
)
def test_the_longest_trial_of_a_built_in_task_is_as_long_as_its_epochs_or_trainings_say(
    study: dict[str, Any], longest: int
) -> None:
    alone = resolved({"name": "hyperband"}, **study).pruner
    wrapped = resolved({"name": "patient", "wrapped_pruner": {"name": "hyperband"}}, **study).pruner

    assert isinstance(alone, HyperbandPruner)
    assert isinstance(wrapped, PatientPruner)
    assert alone.max_resource == longest
    assert wrapped.wrapped_pruner == alone


def test_a_longest_trial_that_was_given_stays() -> None:
    pruner = resolved({"name": "hyperband", "max_resource": 9}, **MLP).pruner

    assert isinstance(pruner, HyperbandPruner)
    assert pruner.max_resource == 9


def test_the_first_objective_stops_trials_unless_the_pruner_names_another() -> None:
    objectives = [{"metric": "error"}, {"metric": "accuracy", "direction": "maximize"}]

    by_default = resolved({"name": "median"}, **ALONE | {"objectives": objectives})
    named = resolved({"name": "median", "metric": "accuracy"}, **ALONE | {"objectives": objectives})

    assert [spec.stopping.metric for spec in (by_default, named)] == ["error", "accuracy"]
