"""What a study can be asked to be, and what not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.budget import Budget
from trimtab.data import BUILT_IN, DataSpec, SplitSpec
from trimtab.errors import Invalid
from trimtab.objectives import Objective
from trimtab.pruners import MedianPruner, NoPruner
from trimtab.samplers import RandomSampler, TpeSampler
from trimtab.space import Categorical, Float, Int, Scale, Space
from trimtab.spec import StudySpec, TaskSpec
from trimtab.states import Direction
from trimtab.tasks import MLP, TASKS, Task
from trimtab.validation import from_json

RATE = {"type": "float", "low": 1e-4, "high": 0.1, "scale": "log"}

BAD_SPECS: dict[str, tuple[dict[str, Any], str, str]] = {
    "with an unknown field": ({"colour": "red"}, "colour", "is unknown"),
    "with an unknown field inside": ({"budget": {"epoch": 3}}, "budget.epoch", "is unknown"),
    "with a number for a name": ({"name": 3}, "name", "must be a string"),
    "without characters in its name": ({"name": ""}, "name", "must be letters"),
    "with a path for a name": ({"name": "../secrets"}, "name", "must be letters"),
    "with a space in its name": ({"name": "my digits"}, "name", "must be letters"),
    "with a line end after its name": ({"name": "digits\n"}, "name", "must be letters"),
    "with NUL in its name": ({"name": "digits\0"}, "name", "must be letters"),
    "with a name of foreign letters": ({"name": "ziffern-äöü"}, "name", "must be letters"),
    "with a name too long": ({"name": "x" * 129}, "name", "must be letters"),
    "with a task that is not there": ({"task": {"name": "rnn"}}, "task.name", "is not a task: 'rnn'; there are mlp"),
    "with a task that is a word": ({"task": "mlp"}, "task", "must be an object"),
    "with a path for data": ({"task": {"name": "mlp", "data": {"dataset": "/etc/passwd"}}}, "task.data.dataset", ""),
    "that validates on what it trains on": (
        {"task": {"name": "mlp", "data": {"dataset": "iris", "validation_dataset": "iris"}}},
        "task.data.validation_dataset",
        "is what is trained on",
    ),
    "that tests what it trains on": (
        {"task": {"name": "mlp", "data": {"dataset": "iris", "test_dataset": "iris"}}},
        "task.data.test_dataset",
        "is trained on or validates",
    ),
    "that tests what validates": (
        {"task": {"name": "mlp", "data": {"dataset": "iris", "validation_dataset": "wine", "test_dataset": "wine"}}},
        "task.data.test_dataset",
        "is trained on or validates",
    ),
    "that holds a test out and has another": (
        {"task": {"name": "mlp", "data": {"dataset": "iris", "test_dataset": "wine", "split": {"test": 0.1}}}},
        "task.data.split.test",
        "all of that is the test",
    ),
    "of folds that has validation data": (
        {"task": {"name": "mlp", "data": {"dataset": "iris", "validation_dataset": "wine", "split": {"folds": 3}}}},
        "task.data.split.folds",
        "each fold validates in its turn",
    ),
    "of folds that holds validation out": (
        {"task": {"name": "mlp", "data": {"split": {"folds": 3, "validation": 0.2}}}},
        "task.data.split.validation",
        "each of them validates in its turn",
    ),
    "of groups in time order": (
        {"task": {"name": "mlp", "data": {"split": {"group": "a", "time": "b"}}}},
        "task.data.split.time",
        "does not go with a group",
    ),
    "with an unknown split": (
        {"task": {"name": "mlp", "data": {"split": {"method": "odd"}}}},
        "task.data.split.method",
        "must be 'auto'",
    ),
    "with a seed below zero": (
        {"task": {"name": "mlp", "data": {"split": {"seed": -1}}}},
        "task.data.split.seed",
        "at least 0",
    ),
    "with a hyperparameter that the task does not have": (
        {"space": {"learning_rat": RATE}},
        "space.learning_rat",
        "is not a hyperparameter of this task; did you mean learning_rate?",
    ),
    "with a fixed hyperparameter that the task does not have": (
        {"task": {"name": "mlp", "fixed": {"epoch": 3}}},
        "task.fixed.epoch",
        "is not a hyperparameter of this task; did you mean epochs?",
    ),
    "with a fixed value of another type": (
        {"task": {"name": "mlp", "fixed": {"epochs": 3.5}}},
        "task.fixed.epochs",
        "cannot be 3.5; an integer from 1 to 100000",
    ),
    "with a fixed value out of range": (
        {"task": {"name": "mlp", "fixed": {"optimizer": "lion"}}},
        "task.fixed.optimizer",
        "cannot be 'lion'; one of sgd, momentum",
    ),
    "with a range that the task cannot have": (
        {"space": {"dropout": {"type": "float", "low": 0, "high": 1}}},
        "space.dropout",
        "cannot be 1.0; a number from 0",
    ),
    "with real numbers for an integer": (
        {"space": {"hidden_units": {"type": "float", "low": 16, "high": 64}}},
        "space.hidden_units",
        "cannot be 16.0; an integer",
    ),
    "with a choice that the task cannot have": (
        {"space": {"activation": {"type": "categorical", "choices": ["relu", "swish"]}}},
        "space.activation",
        "cannot be 'swish'",
    ),
    "with a parameter both searched and fixed": (
        {"task": {"name": "mlp", "fixed": {"learning_rate": 0.1}}, "space": {"learning_rate": RATE}},
        "space.learning_rate",
        "both searched and fixed",
    ),
    "with a space that is another word": ({"space": "all"}, "space", "must be an object"),
    "with an empty space": ({"space": {}}, "space", "too few items: at least 1"),
    "with a sampler that needs a space, without one": (
        {"task": None, "sampler": {"name": "qmc"}},
        "sampler.name",
        "needs a space, and this study has none",
    ),
    "without an objective": ({"objectives": []}, "objectives", "too few items: at least 1"),
    "with one objective twice": ({"objectives": [{}, {}]}, "objectives.1.metric", "is there twice: 'validation_error'"),
    "with an objective that is not reported": (
        {"objectives": [{"metric": "f1"}]},
        "objectives.0.metric",
        "is not reported by this task: 'f1'; it reports training_error, validation_error",
    ),
    "with an unknown direction": (
        {"objectives": [{"direction": "down"}]},
        "objectives.0.direction",
        "must be 'minimize' or 'maximize'",
    ),
    "with an unknown sampler": ({"sampler": {"name": "magic"}}, "sampler", "has an unknown"),
    "with another sampler's setting": (
        {"sampler": {"name": "random", "startup_trials": 3}},
        "sampler.startup_trials",
        "is unknown",
    ),
    "with an unknown pruner": ({"pruner": {"name": "magic"}}, "pruner", "has an unknown"),
    "with a pruner before its start": ({"pruner": {"name": "median", "warmup_steps": -1}}, "pruner.warmup_steps", ""),
    "with a budget of nothing": ({"budget": {"trials": 0}}, "budget.trials", "at least 1"),
    "with an absurd budget": ({"budget": {"trials": 10**9}}, "budget.trials", "at most 1000000"),
    "with a budget in words": ({"budget": {"trials": "40"}}, "budget.trials", "must be an integer"),
    "with half a trial": ({"budget": {"trials": 0.5}}, "budget.trials", "must be an integer"),
    "with no attempt": ({"max_attempts": 0}, "max_attempts", "at least 1"),
}


@pytest.mark.parametrize(("changed", "field", "message"), BAD_SPECS.values(), ids=BAD_SPECS)
def test_a_spec_is_refused(changed: dict[str, Any], field: str, message: str) -> None:
    spec = {"name": "digits", "task": {"name": "mlp"}, **changed}

    with pytest.raises(Invalid) as refused:
        from_json(StudySpec, json.dumps(spec))

    assert [problem.field for problem in refused.value.errors] == [field]
    assert message in refused.value.errors[0].message


@pytest.mark.parametrize("missing", ["name", "task"])
def test_a_name_and_a_task_are_required(missing: str) -> None:
    spec = {name: value for name, value in {"name": "digits", "task": None}.items() if name != missing}

    with pytest.raises(Invalid, match=f"{missing} is missing"):
        from_json(StudySpec, json.dumps(spec))


def test_every_field_at_fault_is_named_at_once() -> None:
    spec = {"name": "a b", "task": {"name": "mlp", "data": {"dataset": 1}}, "budget": {"trials": 0}, "extra": 1}

    with pytest.raises(Invalid) as refused:
        from_json(StudySpec, json.dumps(spec))

    assert {problem.field for problem in refused.value.errors} == {
        "name",
        "task.data.dataset",
        "budget.trials",
        "extra",
    }


def test_a_fixed_value_that_is_not_finite_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        from_json(StudySpec, '{"name": "x", "task": {"name": "mlp", "fixed": {"l2": NaN}}}')

    assert [problem.field for problem in refused.value.errors] == ["task.fixed.l2"]


def test_a_spec_with_everything_fixed_has_nothing_to_search() -> None:
    fixed = {name: knob.default for name, knob in MLP.hyperparameters.items()}

    with pytest.raises(Invalid) as refused:
        from_json(StudySpec, json.dumps({"name": "x", "task": {"name": "mlp", "fixed": fixed}}))

    assert [problem.field for problem in refused.value.errors] == ["space"]


@pytest.mark.parametrize("space", [{}, {"space": None}, {"space": "default"}])
def test_no_space_and_default_both_mean_the_tasks_own(space: dict[str, Any]) -> None:
    spec = from_json(StudySpec, json.dumps({"name": "x", "task": {"name": "mlp"}, **space}))

    assert spec.resolved().searched == MLP.space


def test_what_is_fixed_is_not_searched() -> None:
    spec = from_json(StudySpec, '{"name": "x", "task": {"name": "mlp", "fixed": {"optimizer": "momentum"}}}')

    searched = spec.resolved().searched

    assert "optimizer" not in searched
    assert searched["momentum"].when is None


def test_a_resolved_spec_survives_the_wire_and_resolves_to_itself() -> None:
    resolved = StudySpec(name="digits", task=TaskSpec(name="mlp")).resolved()

    read = from_json(StudySpec, resolved.model_dump_json())

    assert read == resolved
    assert read.resolved() == resolved


seeds = st.integers(0, 2**32 - 1)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]{0,20}", fullmatch=True)
small = st.floats(0, 0.4)
large = st.floats(0.5, 0.999)
parameters = (
    st.builds(Float, low=small, high=large, step=st.none() | st.floats(0.001, 0.1))
    | st.builds(Float, low=small, high=large, scale=st.just(Scale.REVERSE_LOG))
    | st.builds(Int, low=st.integers(1, 9), high=st.integers(9, 99), scale=st.sampled_from([Scale.LINEAR, Scale.LOG]))
    | st.builds(Categorical, choices=st.lists(st.text("abc"), min_size=1, unique=True).map(tuple))
)
specs = st.builds(
    StudySpec,
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", fullmatch=True),
    task=st.none(),
    space=st.dictionaries(names, parameters, min_size=1, max_size=5).map(Space),
    objectives=st.builds(Objective, metric=names, direction=st.sampled_from(Direction)).map(lambda one: (one,)),
    sampler=st.builds(TpeSampler, seed=seeds) | st.builds(RandomSampler, name=st.just("random"), seed=seeds),
    pruner=st.builds(MedianPruner, warmup_steps=st.integers(0, 99)) | st.just(NoPruner(name="none")),
    budget=st.builds(Budget, trials=st.integers(1, 1_000_000)),
)


@given(specs)
def test_any_spec_survives_the_wire(spec: StudySpec) -> None:
    assert from_json(StudySpec, spec.model_dump_json()) == spec


@given(
    st.builds(DataSpec, dataset=st.sampled_from(sorted(BUILT_IN)), split=st.builds(SplitSpec, seed=seeds)),
    st.sampled_from(sorted(MLP.hyperparameters)),
)
def test_any_task_survives_the_wire(data: DataSpec, fixed: str) -> None:
    task = TaskSpec(name="mlp", data=data, fixed={fixed: MLP.hyperparameters[fixed].default})
    spec = StudySpec(name="x", task=task)

    assert from_json(StudySpec, spec.model_dump_json()) == spec


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_tasks_defaults_are_values_that_it_can_have(task: Task) -> None:
    assert all(knob.allowed.contains(knob.default) for knob in task.hyperparameters.values())


@pytest.mark.parametrize("name", TASKS)
def test_a_tasks_default_space_is_one_that_a_user_could_ask_for(name: str) -> None:
    asked = StudySpec(name="x", task=TaskSpec(name=name), space=TASKS[name].space)

    assert asked.resolved() == StudySpec(name="x", task=TaskSpec(name=name)).resolved()


def test_every_wrong_hyperparameter_is_named_fixed_or_searched() -> None:
    fixed = {"epoch": 3, "epochs": 3, "dropout": 2.0, "hidden_units": [8, 8]}
    space = {"learning_rat": RATE, "epochs": {"type": "int", "low": 1, "high": 3}, "momentum": {**RATE, "high": 2.0}}

    searching = {"task": {"name": "mlp", "fixed": {"epochs": 3}}, "space": space}
    with pytest.raises(Invalid) as refused_fixed:
        from_json(StudySpec, json.dumps({"name": "x", "task": {"name": "mlp", "fixed": fixed}}))
    with pytest.raises(Invalid) as refused_space:
        from_json(StudySpec, json.dumps({"name": "x", **searching}))

    wrong = {problem.field: problem.message for problem in refused_fixed.value.errors}
    assert list(wrong) == ["task.fixed.epoch", "task.fixed.dropout", "task.fixed.hidden_units"]
    assert wrong["task.fixed.hidden_units"] == "is a list of 2: needs hidden_layers fixed to 2"
    assert [problem.field for problem in refused_space.value.errors] == [
        "space.learning_rat",
        "space.epochs",
        "space.momentum",
    ]
