"""What can be searched, and what cannot."""

import json
from typing import Any

import pytest

from trimtab.errors import Invalid
from trimtab.message import MAX_PARAMETERS
from trimtab.space import MAX_CHOICES, MAX_FLOAT, MAX_INT, Categorical, Float, Int, Scale, Space
from trimtab.validation import from_json

OPTIMIZER = {"type": "categorical", "choices": ["momentum", "adam"]}
RATE = {"type": "float", "low": 1e-4, "high": 0.1, "scale": "log"}

BAD_SPACES: dict[str, tuple[dict[str, Any], str, str]] = {
    "without a parameter": ({}, "body", "too few items: at least 1"),
    "with too many parameters": (
        {f"x{n}": RATE for n in range(MAX_PARAMETERS + 1)},
        "body",
        "too many items: at most 256",
    ),
    "with a name that is no word": ({"learning rate": RATE}, "learning rate", "must be letters"),
    "with a name that a column cannot hold": ({"x" * 129: RATE}, "x" * 129, "must be letters"),
    "with an unknown type": ({"x": {"type": "real", "low": 0, "high": 1}}, "x", "has an unknown"),
    "without a type": ({"x": {"low": 0, "high": 1}}, "x", "lacks 'type'"),
    "without a bound": ({"x": {"type": "float", "low": 0}}, "x.high", "is missing"),
    "with an unknown field": ({"x": {**RATE, "hihg": 1}}, "x.hihg", "is unknown"),
    "with a bound of another type": ({"x": {**RATE, "low": "0.1"}}, "x.low", "must be a number"),
    "with an integer's bound that is none": (
        {"x": {"type": "int", "low": 1.5, "high": 3}},
        "x.low",
        "must be an integer",
    ),
    "with a bound that is a truth value": (
        {"x": {"type": "int", "low": True, "high": 3}},
        "x.low",
        "must be an integer",
    ),
    "with its bounds swapped": ({"x": {"type": "int", "low": 3, "high": 1}}, "x.low", "must not be above high: 3 > 1"),
    "with a bound whose square is beyond all floats": (
        {"x": {**RATE, "high": 1e151}},
        "x.high",
        "must lie between -1e+150 and 1e+150, not 1e+151",
    ),
    "with a bound as far below zero": ({"x": {**RATE, "low": -1e151}}, "x.low", "between -1e+150 and 1e+150"),
    "with a log scale from zero": ({"x": {**RATE, "low": 0}}, "x.low", "must be above 0 on a log scale"),
    "with a log scale of integers from zero": (
        {"x": {"type": "int", "low": 0, "high": 3, "scale": "log"}},
        "x.low",
        "must be above 0 on a log scale",
    ),
    "with a reverse_log scale up to one": (
        {"x": {"type": "float", "low": 0.5, "high": 1, "scale": "reverse_log"}},
        "x.high",
        "must be below 1 on a reverse_log scale",
    ),
    "with a reverse_log scale of integers": (
        {"x": {"type": "int", "low": 0, "high": 0, "scale": "reverse_log"}},
        "x.scale",
        "must be linear or log",
    ),
    "with an unknown scale": ({"x": {**RATE, "scale": "logarithmic"}}, "x.scale", "must be 'linear'"),
    "with a step on a log scale": ({"x": {**RATE, "step": 0.01}}, "x.step", "goes with a linear scale only"),
    "with a step of zero": ({"x": {"type": "float", "low": 0, "high": 1, "step": 0}}, "x.step", "above 0"),
    "with a step beyond the range": ({"x": {"type": "int", "low": 0, "high": 3, "step": 4}}, "x.step", "not be above"),
    "with a step that its range cannot hold": (
        {"x": {"type": "float", "low": 0, "high": 1e100, "step": 1}},
        "x.step",
        "is too fine for the range: 1.0 from 0.0 to 1e+100",
    ),
    "with the smallest step there is": (
        {"x": {"type": "float", "low": 0, "high": 1, "step": 5e-324}},
        "x.step",
        "is too fine for the range",
    ),
    "with a step that is nothing beside its bounds": (
        {"x": {"type": "float", "low": 1e16, "high": 1.0000000000000004e16, "step": 0.001}},
        "x.step",
        "is too fine for the range",
    ),
    "with integers that a double cannot hold": (
        {"x": {"type": "int", "low": 0, "high": MAX_INT + 1}},
        "x.high",
        "at most",
    ),
    "with an empty list of choices": ({"x": {**OPTIMIZER, "choices": []}}, "x.choices", "too few items: at least 1"),
    "with too many choices": ({"x": {**OPTIMIZER, "choices": [*range(MAX_CHOICES + 1)]}}, "x.choices", "at most 1024"),
    "with too many choices in all": (
        {f"x{n}": {**OPTIMIZER, "choices": [*range(MAX_CHOICES)]} for n in range(4)} | {"x4": OPTIMIZER},
        "body",
        "too many choices in all: 4098, and at most 4096",
    ),
    "with a choice twice": ({"x": {**OPTIMIZER, "choices": ["a", "b", "a"]}}, "x.choices.2", "there twice: 'a'"),
    "with choices that are equal": ({"x": {**OPTIMIZER, "choices": [1, True]}}, "x.choices.1", "there twice: True"),
    "with a choice that is a list": ({"x": {**OPTIMIZER, "choices": [[1]]}}, "x.choices.0", "must be true or false"),
    "with a choice that cannot be stored": ({"x": {**OPTIMIZER, "choices": ["\0"]}}, "x.choices.0", "must have no NUL"),
    "with a condition on nothing": (
        {"x": {**RATE, "when": {"y": [1]}}},
        "x.when.y",
        "is not listed before",
    ),
    "with a condition on itself": (
        {"x": {**RATE, "when": {"x": [1]}}},
        "x.when.x",
        "is not listed before",
    ),
    "with a condition on a later parameter": (
        {"x": {**RATE, "when": {"optimizer": ["adam"]}}, "optimizer": OPTIMIZER},
        "x.when.optimizer",
        "is not listed before",
    ),
    "with a condition that never holds": (
        {"optimizer": OPTIMIZER, "x": {**RATE, "when": {"optimizer": ["sgd"]}}},
        "x.when.optimizer",
        "can never be 'sgd'",
    ),
    "with an empty condition": (
        {"optimizer": OPTIMIZER, "x": {**RATE, "when": {}}},
        "x.when",
        "too few items: at least 1",
    ),
    "with a condition without values": (
        {"optimizer": OPTIMIZER, "x": {**RATE, "when": {"optimizer": []}}},
        "x.when.optimizer",
        "too few items: at least 1",
    ),
}


@pytest.mark.parametrize(("space", "field", "message"), BAD_SPACES.values(), ids=BAD_SPACES)
def test_a_space_is_refused(space: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        from_json(Space, json.dumps(space))

    assert [problem.field for problem in refused.value.errors] == [field]
    assert message in refused.value.errors[0].message


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_bound_that_is_not_finite_is_refused(number: str) -> None:
    with pytest.raises(Invalid) as refused:
        from_json(Space, f'{{"x": {{"type": "float", "low": 0, "high": {number}}}}}')

    assert [problem.field for problem in refused.value.errors] == ["x.high"]


@pytest.mark.parametrize(
    "parameter",
    [
        Float(low=0.5, high=0.5),
        Float(low=1e-300, high=MAX_FLOAT, scale=Scale.LOG),
        Float(low=-3.0, high=0.999, scale=Scale.REVERSE_LOG),
        Float(low=0.0, high=1.0, step=0.25),
        Float(low=0.0, high=1.0, step=0.3),
        Float(low=0.1, high=0.3, step=0.2),
        Int(low=-MAX_INT, high=MAX_INT),
        Int(low=1, high=512, scale=Scale.LOG),
        Int(low=0, high=10, step=5),
        Categorical(choices=("relu", 1, 0.5, False)),
    ],
)
def test_a_parameter_survives_the_wire(parameter: Float | Int | Categorical) -> None:
    space = Space({"x": parameter})

    assert from_json(Space, space.model_dump_json()) == space


def test_numbers_in_strings_stay_strings() -> None:
    space = from_json(Space, '{"x": {"type": "categorical", "choices": ["1", "true", 1.5]}}')

    assert space["x"].extremes() == ("1", "true", 1.5)


@pytest.mark.parametrize(
    ("parameter", "inside", "outside"),
    [
        (Float(low=0.0, high=1.0), [0.0, 0.5, 1, 1.0], [-0.1, 1.1, float("nan"), True, "0.5"]),
        (Int(low=1, high=3), [1, 2, 3], [0, 4, 2.0, True, "2"]),
        (Categorical(choices=("adam", "sgd")), ["adam", "sgd"], ["Adam", 0, True]),
    ],
)
def test_a_parameter_knows_its_values(
    parameter: Float | Int | Categorical, inside: list[Any], outside: list[Any]
) -> None:
    assert all(parameter.contains(value) for value in inside)
    assert not any(parameter.contains(value) for value in outside)


@pytest.fixture
def conditional() -> Space:
    """A schedule under one optimizer, a warmup under one schedule, the rest always."""
    return Space(
        {
            "rate": Float(low=1e-4, high=1.0, scale=Scale.LOG),
            "optimizer": Categorical(choices=("momentum", "adam")),
            "schedule": Categorical(choices=("none", "cosine"), when={"optimizer": ("momentum",)}),
            "warmup": Int(low=0, high=9, when={"schedule": ("cosine",), "optimizer": ("momentum",)}),
        }
    )


@pytest.mark.parametrize(
    "point",
    [
        {"rate": 0.1, "optimizer": "adam"},
        {"rate": 0.1, "optimizer": "momentum", "schedule": "none"},
        {"rate": 0.1, "optimizer": "momentum", "schedule": "cosine", "warmup": 3},
    ],
)
def test_a_point_has_the_parameters_whose_conditions_hold(conditional: Space, point: dict[str, Any]) -> None:
    assert conditional.contains(point)


@pytest.mark.parametrize(
    "point",
    [
        {"rate": 0.1},
        {"rate": 2.0, "optimizer": "adam"},
        {"rate": 0.1, "optimizer": "adam", "schedule": "none"},
        {"rate": 0.1, "optimizer": "momentum"},
        {"rate": 0.1, "optimizer": "momentum", "schedule": "none", "warmup": 3},
        {"rate": 0.1, "optimizer": "adam", "batch": 3},
    ],
)
def test_a_point_with_more_or_less_is_none_of_the_space(conditional: Space, point: dict[str, Any]) -> None:
    assert not conditional.contains(point)


def test_a_settled_value_that_allows_a_parameter_frees_it(conditional: Space) -> None:
    left = conditional.without({"optimizer": "momentum"})

    assert list(left) == ["rate", "schedule", "warmup"]
    assert left["schedule"].when is None
    assert left["warmup"].when == {"schedule": ("cosine",)}


def test_a_settled_value_that_forbids_a_parameter_removes_it(conditional: Space) -> None:
    left = conditional.without({"optimizer": "adam"})

    assert list(left) == ["rate"]


def test_what_hangs_on_a_removed_parameter_goes_with_it() -> None:
    chain = Space(
        {
            "optimizer": Categorical(choices=("momentum", "adam")),
            "schedule": Categorical(choices=("none", "cosine"), when={"optimizer": ("momentum",)}),
            "warmup": Int(low=0, high=9, when={"schedule": ("cosine",)}),
            "rate": Float(low=1e-4, high=1.0, scale=Scale.LOG),
        }
    )

    left = chain.without({"optimizer": "adam"})

    assert list(left) == ["rate"]


def test_a_condition_on_a_number_without_steps_is_refused() -> None:
    with pytest.raises(Invalid, match=r"x\.when\.y is never just one of its numbers"):
        from_json(Space, json.dumps({"y": RATE, "x": {**RATE, "when": {"y": [0.01]}}}))
