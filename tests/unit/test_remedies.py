"""The doctor's edits: concrete, possible, in the recipe's order, and never the two pieces of bad advice."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from service.diagnosis import Case, amended, examine
from tests.unit.cases import HEALTHY, case, codes, errors, study
from trimtab.data import BUILT_IN
from trimtab.diagnosis import Condition, Diagnosis, Edit
from trimtab.spec import StudySpec
from trimtab.states import Outcome

ENLARGING = ("hidden_units", "hidden_layers", "channels", "conv_blocks")
REGULARISING = ("l1", "l2", "weight_decay", "dropout", "input_dropout", "patience", "feature_noise", "crop", "rotation")


def choices(*values: Any) -> dict[str, Any]:
    return {"type": "categorical", "choices": list(values)}


SHARE = {"type": "float", "low": 0.0, "high": 1.0}
RATES = {"type": "float", "low": 1e-4, "high": 1.0, "scale": "log"}


def number(low: float, high: float) -> dict[str, Any]:
    return {"type": "float", "low": low, "high": high}


STUDIES = [
    study(),
    study(task={"fixed": {"hidden_layers": 2, "hidden_units": (8, 4), "dropout": 0.5, "l2": 0.0, "optimizer": "sgd"}}),
    study(task={"name": "cnn"}),
    study(
        space={
            "learning_rate": choices(0.001, 0.1),
            "hidden_units": choices(64, 8),
            "hidden_layers": choices(1, 2),
            "epochs": choices(5, 20),
            "patience": choices(0, 3),
            "l2": choices(0, 0.5),
            "dropout": choices(0.1),
            "batch_size": choices(64),
            "normalization": choices("none", "layer"),
        }
    ),
    study(space={"dropout": choices("much", "little"), "l2": choices(0.0)}, task={"name": "my.module:build"}),
    study(task={"data": {"dataset": "iris", "normalization": "none"}, "fixed": {"epochs": 100_000}}),
    study(space={"x": SHARE, "learning_rate": {**SHARE, "low": 0.1}}, task={"name": "my.module:build"}),
    StudySpec.model_validate({"name": "told", "task": None, "space": {"x": SHARE}}).resolved(),
]  # fmt: skip


def advised(one: Case) -> dict[str, Any]:
    """Return what the doctor would put where."""
    return {edit.path: edit.to for edit in examine(one).edits}


def test_bias_asks_for_units_then_layers_then_epochs_then_another_optimizer() -> None:
    spec = study(space={"hidden_units": {"type": "int", "low": 16, "high": 256}}, task={"fixed": {"hidden_layers": 2}})

    found = advised(case(spec, params={"hidden_units": 256}, training_error=0.3, validation_error=0.3))

    assert list(found.items()) == [
        ("space.hidden_units.high", 512),
        ("task.fixed.hidden_layers", 3),
        ("task.fixed.epochs", 60),
        ("space.optimizer", {"type": "categorical", "choices": ["adam", "momentum"]}),
    ]


@pytest.mark.parametrize(
    ("layers", "high", "raised"),
    [(1, 5, None), (2, 5, 6), (5, 5, 6), (1, 2, 3)],
    ids=["on the low end", "inside", "on the high end", "of too few to tell"],
)
def test_a_range_on_whose_low_end_the_trial_lies_reaches_no_further(layers: int, high: int, raised: int | None) -> None:
    spec = study(space={"hidden_layers": {"type": "int", "low": 1, "high": high}})

    found = advised(case(spec, params={"hidden_layers": layers}, training_error=0.3, validation_error=0.3))

    assert found.get("space.hidden_layers.high") == raised
    assert {"task.fixed.hidden_units", "task.fixed.epochs"} <= set(found)


@pytest.mark.parametrize(
    ("space", "fixed", "expected"),
    [
        ({}, {"l2": 0.5}, {"task.fixed.l2": 0.05}),
        ({}, {"dropout": 0.8, "weight_decay": 3.0}, {"task.fixed.dropout": 0.4, "task.fixed.weight_decay": 0.3}),
        ({}, {"hidden_layers": 2, "dropout": (0.5, 0.0)}, {"task.fixed.dropout": [0.25, 0.0]}),
        ({}, {"l2": 0.001, "dropout": 0.2, "weight_decay": 0.1}, {}),
        ({"l2": number(0.05, 1.0)}, {}, {"space.l2.low": 0.005}),
        ({"l2": number(1e-6, 1.0)}, {}, {}),
        ({"dropout": choices(0.5, 0.7)}, {}, {"space.dropout.choices": [0.5, 0.7, 0.25]}),
        ({"dropout": choices(0.0, 0.7)}, {}, {}),
    ],
)
def test_bias_of_what_can_only_be_regularised_strongly_asks_for_less_first(
    space: dict[str, Any], fixed: dict[str, Any], expected: dict[str, Any]
) -> None:
    spec = study(space={"learning_rate": number(0.1, 0.2), **space}, task={"fixed": fixed})
    params = dict.fromkeys(space, 0.6)

    found = examine(case(spec, params=params, training_error=0.3, validation_error=0.3))

    assert {edit.path: edit.to for edit in found.edits[: len(expected)]} == expected
    assert not any(is_about(edit, REGULARISING) for edit in found.edits[len(expected) :])
    assert ("regularise less" in found.findings[0].text) == bool(expected)


def unlearned(spec: StudySpec, *, left: float) -> Case:
    """A trial that has high bias, and so much left of its first loss."""
    return case(spec, training_error=0.4, validation_error=0.4, first_loss=1.0, training_loss=left)


@pytest.mark.parametrize("fixed", [{}, {"learning_rate": 1e-6}])
def test_bias_where_one_learning_rate_leaves_most_of_the_loss_asks_for_others_first(fixed: dict[str, float]) -> None:
    spec = study(space={"hidden_units": choices(8, 16)}, task={"fixed": fixed})

    little, much = (advised(unlearned(spec, left=left)) for left in (0.5, 0.51))

    expected = {**{f"task.fixed.{name}": None for name in fixed}, "space.learning_rate": RATES}
    assert list(much.items())[: len(expected)] == list(expected.items())
    assert list(much.items())[len(expected) :] == list(little.items())


def test_a_learning_rate_that_is_searched_or_that_a_grid_has_no_steps_for_is_left_alone() -> None:
    space = {"hidden_units": choices(8, 16)}
    specs = [
        study(space={**space, "learning_rate": number(0.1, 0.2)}),
        study(space=space, sampler={"name": "grid"}, task={"fixed": {"learning_rate": 1e-6}}),
    ]

    found = [advised(unlearned(spec, left=0.9)) for spec in specs]

    assert not any("learning_rate" in path for paths in found for path in paths)


def test_trials_that_diverge_get_inputs_and_first_weights_of_the_right_scale_before_smaller_steps() -> None:
    raw = study(
        space={"learning_rate": number(0.1, 0.2)},
        task={"data": {"normalization": "none"}, "fixed": {"initialization_gain": 9.0}},
    )

    found = advised(Case(spec=raw, outcomes={Outcome.DIVERGED: 9}))

    assert list(found.items()) == [
        ("task.data.normalization", "standard"),
        ("task.fixed.initialization_gain", 1.0),
        ("space.learning_rate.low", 0.01),
        ("space.learning_rate.high", 0.02),
    ]


def test_variance_asks_for_l2_dropout_and_of_images_augmentation() -> None:
    spec = study(space={"dropout": {"type": "float", "low": 0.0, "high": 0.5}}, task={"data": {"dataset": "digits"}})

    found = advised(case(spec, params={"dropout": 0.1}, validation_error=0.2))

    assert list(found.items()) == [
        ("space.l2", {"type": "float", "low": 1e-6, "high": 0.1, "scale": "log"}),
        ("space.dropout.low", 0.2),
        ("space.crop", {"type": "float", "low": 0.0, "high": 0.1}),
        ("space.rotation", {"type": "float", "low": 0.0, "high": 10.0}),
    ]


def test_against_little_variance_there_is_one_edit_at_a_time_and_little_dropout_stays_among_the_choices() -> None:
    rates = {"learning_rate": number(0.1, 0.2)}
    dropout: list[dict[str, Any]] = [
        {"task": {}},
        {"task": {"fixed": {"l2": 0.1}}},
        {"task": {"fixed": {"l2": 0.1}}, "space": {"dropout": number(0, 0.3)}},
        {"task": {"fixed": {"l2": 0.1, "dropout": 0.0}}},
        {"task": {"fixed": {"l2": 0.1, "dropout": 0.6}}},
    ]
    specs = [study(task=one["task"], space=rates | one.get("space", {})) for one in dropout]

    found = [advised(case(spec, validation_error=0.06)) for spec in specs]
    large = [list(advised(case(spec, validation_error=0.061)).items())[:2] for spec in specs[:2]]

    assert found == [
        {"space.l2": {"type": "float", "low": 1e-6, "high": 0.1, "scale": "log"}},
        {"space.dropout": {"type": "float", "low": 0.0, "high": 0.6}},
        {"space.dropout.high": 0.6},
        {"task.fixed.dropout": 0.1},
        {"space.crop": {"type": "float", "low": 0.0, "high": 0.1}},
    ]
    assert large[0][1] == large[1][0] == ("space.dropout", {"type": "float", "low": 0.2, "high": 0.6})


def test_against_little_variance_little_dropout_stays_among_choices_that_a_stronger_one_joins() -> None:
    spaces = [{"dropout": choices(0.0)}, {"dropout": choices(0.0, 0.1)}, {"l2": choices(0.0, 0.01)}]

    found = [
        advised(case(study(space=space, task={"fixed": {} if "l2" in space else {"l2": 0.1}}), validation_error=0.06))
        for space in spaces
    ]

    assert found == [
        {"space.dropout.choices": [0.0, 0.1]},
        {"space.dropout.choices": [0.0, 0.1, 0.2]},
        {"space.l2.choices": [0.01]},
    ]


def test_numbers_that_are_searched_among_choices_grow_or_shrink_by_one() -> None:
    space = {
        "learning_rate": choices(0.1, 0.001, 0.01),
        "hidden_units": choices(64, 16, 32),
        "hidden_layers": choices(1, 2),
        "epochs": choices(20, 50),
        "batch_size": choices(32, 64, 128),
        "optimizer": choices("adam", "momentum"),
    }
    ill = case(study(space=space), training_error=0.3, validation_error=0.3)

    larger = advised(ill)
    slower = advised(replace(ill, outcomes={Outcome.DIVERGED: 9}))
    smaller = examine(Case(spec=study(space=space), outcomes={Outcome.OUT_OF_MEMORY: 9}))

    assert larger == {
        "space.hidden_units.choices": [64, 16, 32, 128],
        "space.hidden_layers.choices": [1, 2, 3],
        "space.epochs.choices": [20, 50, 100],
    }
    assert slower["space.learning_rate.choices"] == [0.001, 0.01]
    assert {edit.path: edit.to for edit in smaller.edits} == {
        "space.batch_size.choices": [32, 64],
        "space.hidden_units.choices": [16, 32],
    }


def test_augmentation_that_is_fixed_or_searched_reaches_further() -> None:
    spec = study(
        space={"learning_rate": number(0.1, 0.2), "crop": number(0, 0.05)},
        task={"data": {"dataset": "digits"}, "fixed": {"rotation": 5.0, "l2": 0.1, "dropout": 0.6}},
    )

    found = advised(case(spec, validation_error=0.2))

    assert found == {"space.crop.high": 0.1, "task.fixed.rotation": 10.0}


def test_where_patience_ended_the_training_more_patience_comes_before_more_epochs() -> None:
    spec = study(task={"data": {"dataset": "iris"}, "fixed": {"epochs": 60, "patience": 3}})
    falling = errors(0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)

    stopped, whole = (
        advised(case(spec, curve=falling, validation_error=0.02, epochs_trained=trained)) for trained in (11, 60)
    )

    assert (stopped, whole) == ({"task.fixed.patience": 6}, {"task.fixed.epochs": 120})


def test_a_network_that_learns_nothing_while_trials_diverge_gets_smaller_steps_and_no_more_units() -> None:
    spec = study(space={"learning_rate": number(50, 5000)}, task={"data": {"dataset": "iris"}})
    ill = case(spec, training_error=0.66, validation_error=0.66, classes=3, dead_units=1.0)

    found = advised(replace(ill, outcomes={Outcome.DIVERGED: 2, Outcome.COMPLETE: 2}))

    assert found == {
        "space.learning_rate.low": 5,
        "space.learning_rate.high": 500,
        "task.fixed.activation": "leaky_relu",
    }


@pytest.mark.parametrize(
    ("space", "fixed", "expected"),
    [
        ({"l2": number(0, 1e-5), "dropout": number(0, 0.1)}, {}, {"space.l2.high": 0.1, "space.dropout.high": 0.6}),
        ({"l2": number(0, 0.01), "dropout": number(0, 0.5)}, {}, {"space.l2.low": 1e-4, "space.dropout.low": 0.2}),
        (
            {"l2": number(1e-4, 0.01), "dropout": number(0.2, 0.5)},
            {},
            {"space.l2.high": 0.1, "space.dropout.high": 0.6},
        ),
        ({"l2": number(1e-4, 0.1), "dropout": number(0.2, 0.6)}, {}, {}),
        (
            {"l2": choices(0.001, 0.0, 1e-5), "dropout": choices(0.1, 0.4, 0.2)},
            {},
            {"space.l2.choices": [0.001], "space.dropout.choices": [0.4, 0.2]},
        ),
        (
            {"l2": choices(0, 1e-4), "dropout": choices(0.0, 0.2)},
            {},
            {"space.l2.choices": [0, 1e-4, 1e-3], "space.dropout.choices": [0.0, 0.2, 0.3]},
        ),
        (
            {"l2": choices(0), "dropout": choices(0.5, 0.2)},
            {},
            {"space.l2.choices": [0, 1e-4], "space.dropout.choices": [0.5, 0.2, 0.6]},
        ),
        ({"l2": choices(0.5, 0.01), "dropout": choices(0.6, 0.2)}, {}, {}),
        ({}, {"l2": 0, "dropout": 0}, {"task.fixed.l2": 1e-4, "task.fixed.dropout": 0.2}),
        ({}, {"l2": 0.0, "dropout": 0.0}, {"task.fixed.l2": 1e-4, "task.fixed.dropout": 0.2}),
        ({}, {"l2": 1e-4, "dropout": 0.2}, {"task.fixed.l2": 1e-3, "task.fixed.dropout": 0.3}),
        ({}, {"l2": 0.05, "dropout": 0.55}, {"task.fixed.l2": 0.1, "task.fixed.dropout": 0.6}),
        ({}, {"l2": 0.1, "dropout": 0.6}, {}),
        ({}, {"l2": 0.5, "dropout": 0.7}, {}),
    ],
)
def test_what_regularises_already_is_made_stronger_up_to_what_is_usual(
    space: dict[str, Any], fixed: dict[str, Any], expected: dict[str, Any]
) -> None:
    spec = study(space={"learning_rate": number(0.1, 0.2), **space}, task={"data": {"dataset": "iris"}, "fixed": fixed})

    found = advised(case(spec, validation_error=0.2))

    assert found == expected


@pytest.mark.parametrize(
    ("units", "dropout", "expected"),
    [
        (24, None, {"type": "float", "low": 0.0, "high": 0.6}),
        (25, None, {"type": "float", "low": 0.2, "high": 0.6}),
        (24, number(0, 0.3), 0.6),
        ((64, 24), None, {"type": "float", "low": 0.0, "high": 0.6}),
    ],
)
def test_where_there_are_few_units_little_dropout_stays_among_the_choices(
    units: Any, dropout: dict[str, Any] | None, expected: object
) -> None:
    fixed = {"hidden_layers": 2 if isinstance(units, tuple) else 1, "hidden_units": units, "l2": 0.1}
    space = {"learning_rate": number(0.1, 0.2)} | ({"dropout": dropout} if dropout else {})
    spec = study(space=space, task={"data": {"dataset": "iris"}, "fixed": fixed})

    found = advised(case(spec, params={"dropout": 0.1} if dropout else {}, validation_error=0.2))

    assert found == {"space.dropout.high" if dropout else "space.dropout": expected}


@pytest.mark.parametrize(
    ("before", "is_proposed"),
    [
        ([], True),
        ([{"fixed": {"optimizer": "sgd"}}], True),
        ([{"fixed": {"optimizer": "sgd"}}, {"fixed": {"optimizer": "adam"}}], False),
        ([{"fixed": {}}], False),
        ([{"fixed": {}, "space": {"optimizer": {"type": "categorical", "choices": ["sgd", "adam"]}}}], False),
    ],
)
def test_an_optimizer_that_an_earlier_study_tried_is_not_gone_back_to(
    before: list[dict[str, Any]], is_proposed: bool
) -> None:
    rates = {"learning_rate": number(0.1, 0.2)}
    spec = study(space=rates, task={"fixed": {"optimizer": "momentum"}})
    parents = [study(space=rates | past.get("space", {}), task={"fixed": past["fixed"]}) for past in before]

    found = advised(replace(case(spec, training_error=0.3, validation_error=0.3), before=parents))

    assert ("task.fixed.optimizer" in found) == is_proposed


def test_with_both_bias_comes_first_and_nothing_is_regularised() -> None:
    found = advised(case(training_error=0.2, validation_error=0.5))

    assert found
    assert [path for path in found if path.split(".")[-1] in REGULARISING or path.split(".")[1] in REGULARISING] == []


def test_each_edit_says_what_was_there_and_why() -> None:
    spec = study(task={"data": {"normalization": "none"}})

    (edit,) = examine(case(spec, first_loss=80)).edits

    assert edit.model_dump(mode="json") == {
        "path": "task.data.normalization",
        "from": "none",
        "to": "standard",
        "reason": "the first loss was 80",
    }
    assert Edit.model_validate_json(edit.model_dump_json()) == edit


@pytest.mark.parametrize(
    ("fixed", "figures", "expected"),
    [
        ({"initialization_gain": 20.0}, {"first_loss": 80}, {"task.fixed.initialization_gain": 1.0}),
        (
            {"initialization_gain": 0.1, "initialization": "xavier", "hidden_layers": 3},
            {"untrained_activation_scale": 1e-3, "training_error": 0.4, "validation_error": 0.4},
            {"task.fixed.initialization": "auto", "task.fixed.initialization_gain": 1.0},
        ),
        (
            {"activation": "gelu", "hidden_layers": 30},
            {"untrained_activation_scale": 1e-3, "training_error": 0.4, "validation_error": 0.4},
            {"task.fixed.normalization": "batch"},
        ),
        (
            {"activation": "sigmoid"},
            {"first_gradient_norm": 1e-9},
            {"task.fixed.activation": "relu", "task.fixed.normalization": "batch"},
        ),
        (
            {"learning_rate": 0.5},
            {"dead_units": 0.9, "training_error": 0.1, "validation_error": 0.1},
            {"task.fixed.activation": "leaky_relu", "task.fixed.learning_rate": 0.05},
        ),
    ],
)
def test_what_began_wrong_is_put_right_first(
    fixed: dict[str, Any], figures: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = advised(case(study(task={"fixed": fixed}), **figures))

    assert list(found.items())[: len(expected)] == list(expected.items())


def test_too_few_validation_examples_validate_in_turn_unless_they_are_counted_already() -> None:
    free = study(task={"data": {"dataset": "iris"}})
    counted = study(task={"data": {"dataset": "iris", "split": {"validation": 20}}})

    assert advised(case(free, validation_examples=20)) == {"task.data.split.folds": 5}
    assert advised(case(counted, validation_examples=20)) == {}


@pytest.mark.parametrize(("each", "expected"), [(24, []), (6, []), (5.8, ["small_hold_out"])])
def test_once_each_example_validates_in_its_turn_all_of_them_count(each: float, expected: list[str]) -> None:
    spec = study(task={"data": {"dataset": "iris"}})
    cured = amended(spec, examine(case(spec, validation_examples=20)).edits)

    found = examine(case(cured, validation_examples=each))

    assert (codes(found.findings), found.edits) == (expected, [])
    assert not any("folds" in finding.text for finding in found.findings)


def test_thirty_examples_in_eleven_folds_are_thirty() -> None:
    spec = study(task={"data": {"dataset": "iris", "split": {"folds": 11}}})

    assert codes(examine(case(spec, validation_examples=30 / 11)).findings) == []


def test_an_edit_that_the_data_does_not_allow_is_not_proposed() -> None:
    few = {"iris": replace(BUILT_IN["iris"], class_sizes=(3, 3, 3), examples=9)}
    spec = study(task={"data": {"dataset": "iris"}})

    found = examine(replace(case(spec, validation_examples=2), datasets=few))

    assert (codes(found.findings), found.edits) == (["small_hold_out"], [])


def test_a_grid_gets_no_edit_that_it_has_no_steps_for() -> None:
    space = {"hidden_units": {"type": "categorical", "choices": [4, 8]}}
    grid = study(space=space, sampler={"name": "grid"}, task={"data": {"dataset": "iris"}})

    found = advised(case(grid, params={"hidden_units": 8}, validation_error=0.2))

    assert found == {}


def test_edits_that_do_not_go_together_are_refused() -> None:
    wrong = Edit(path="space.hidden_units.high", was=512, to=1, reason="")

    with pytest.raises(ValidationError):
        amended(study(), [wrong])


SHARES = st.floats(0, 1)
FIGURES = st.fixed_dictionaries(
    {
        "training_error": SHARES,
        "validation_error": SHARES,
        "first_loss": st.floats(0, 100),
        "first_gradient_norm": st.floats(0, 1e6),
        "dead_units": SHARES,
        "untrained_activation_scale": st.floats(0, 2),
        "leak_error": SHARES,
        "validation_examples": st.floats(1, 100),
        "classes": st.sampled_from([0.0, 2.0, 10.0]),
    },
    optional={"train_dev_error": SHARES, "validation_error_standard_error": st.floats(0, 0.1)},
)


def is_about(edit: Edit, names: tuple[str, ...]) -> bool:
    return any(part in names for part in edit.path.split("."))


def enlarges(edit: Edit) -> bool:
    return is_about(edit, ENLARGING) and "memory" not in edit.reason


def weakens(edit: Edit) -> bool:
    """Return whether the least regularisation that trials may have becomes less."""
    was, to = (value if isinstance(value, list) else [value] for value in (edit.was, edit.to))
    numbers = [[one for one in values if isinstance(one, int | float)] for values in (was, to)]
    return all(numbers) and min(numbers[1]) <= min(numbers[0]) and sum(numbers[1]) != sum(numbers[0])


def diagnosed(spec: StudySpec, figures: dict[str, float], curve: list[float], failed: int) -> Diagnosis:
    ill = case(spec, curve=errors(*curve))
    return examine(replace(ill, metrics=HEALTHY | figures, outcomes={Outcome.OUT_OF_MEMORY: failed}))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(STUDIES), FIGURES, st.lists(SHARES, max_size=12), st.integers(0, 5))
def test_whatever_the_figures_the_edits_are_possible_and_the_bad_advice_is_never_given(
    spec: StudySpec, figures: dict[str, float], curve: list[float], failed: int
) -> None:
    found = diagnosed(spec, figures, curve, failed)

    edited = amended(spec, found.edits)

    assert len({edit.path for edit in found.edits}) == len(found.edits)
    assert (edited == spec) == (not found.edits)
    if Condition.HIGH_BIAS in found.conditions:
        assert not any(is_about(edit, REGULARISING) and not weakens(edit) for edit in found.edits)
    else:
        assert not any(enlarges(edit) for edit in found.edits)
