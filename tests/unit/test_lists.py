"""Parameters that are lists: the flat space that is searched, and what is refused."""

import json
from typing import Any

import pytest

from trimtab.errors import Invalid
from trimtab.lists import Misshapen
from trimtab.spec import StudySpec
from trimtab.validation import from_json

LAYERS = {"type": "int", "low": 1, "high": 3}
UNITS = {"type": "int", "low": 16, "high": 64, "scale": "log", "per": "layers"}
MLP_UNITS = {"type": "int", "low": 16, "high": 64, "per": "hidden_layers"}


def spec(space: dict[str, Any], fixed: dict[str, Any] | None = None, **changes: Any) -> StudySpec:
    task = None if fixed is None else {"name": "mlp", "fixed": fixed}
    return from_json(StudySpec, json.dumps({"name": "study", "task": task, "space": space, **changes})).resolved()


def test_a_list_is_searched_as_one_parameter_for_each_value_that_there_may_be() -> None:
    searched = spec({"layers": LAYERS, "units": UNITS, "rate": {"type": "float", "low": 0.0, "high": 1.0}}).searched

    assert list(searched) == ["layers", "units_1", "units_2", "units_3", "rate"]
    assert [searched[name].when for name in searched] == [None, None, {"layers": (2, 3)}, {"layers": (3,)}, None]


def test_a_value_of_a_list_exists_where_the_list_and_its_length_do() -> None:
    kind = {"type": "categorical", "choices": ["deep", "wide"]}
    when = {"kind": ["deep"]}

    searched = spec({"kind": kind, "layers": {**LAYERS, "when": when}, "units": {**UNITS, "when": when}}).searched

    assert searched["units_1"].when == {"kind": ("deep",), "layers": (1, 2, 3)}
    assert searched["units_3"].when == {"kind": ("deep",), "layers": (3,)}


def test_the_length_of_a_list_may_be_fixed() -> None:
    searched = spec({"hidden_units": MLP_UNITS}, {"hidden_layers": 2}).searched

    assert {name: searched[name].when for name in searched} == {"hidden_units_1": None, "hidden_units_2": None}


def test_a_space_without_lists_is_searched_as_it_is() -> None:
    plain = spec({"layers": LAYERS})

    assert plain.searched is plain.declared


def test_a_point_with_a_list_is_flattened() -> None:
    assert spec({"layers": LAYERS, "units": UNITS}).flattened({"layers": 2, "units": (16, 32)}) == {
        "layers": 2,
        "units_1": 16,
        "units_2": 32,
    }


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"layers": (1, 2), "units": (16,)}, "layers"),
        ({"layers": 1, "units": 16}, "units"),
        ({"layers": 2, "units": (16,)}, "units"),
    ],
)
def test_a_list_for_one_value_one_value_for_a_list_and_a_list_of_another_length_are_refused(
    params: dict[str, Any], name: str
) -> None:
    with pytest.raises(Misshapen) as refused:
        spec({"layers": LAYERS, "units": UNITS}).flattened(params)

    assert refused.value.name == name


BAD: dict[str, tuple[dict[str, Any], dict[str, Any] | None, str, str]] = {
    "an unknown length": ({"units": UNITS}, None, "space.units.per", "neither searched nor fixed"),
    "a later length": ({"units": UNITS, "layers": LAYERS}, None, "space.units.per", "listed before"),
    "a length that is no integer": (
        {"layers": {"type": "float", "low": 1.0, "high": 3.0}, "units": UNITS},
        None,
        "space.units.per",
        "an integer",
    ),
    "a negative length": ({"layers": {**LAYERS, "low": -1}, "units": UNITS}, None, "space.units.per", "from 0 or more"),
    "a long list": ({"layers": {**LAYERS, "high": 65}, "units": UNITS}, None, "space.units.per", "at most 64"),
    "more values than a space has parameters": (
        {"layers": {**LAYERS, "high": 64}, **{f"units{n}": UNITS for n in "abcd"}, "rate": LAYERS},
        None,
        "space.unitsa.per",
        "makes 64 parameters, 258 in all: at most 256",
    ),
    "a value's name": ({"layers": LAYERS, "units": UNITS, "units_2": LAYERS}, None, "space.units_2", "the list units"),
    "a condition on a list": (
        {"layers": LAYERS, "units": UNITS, "rate": {**LAYERS, "when": {"units": [16]}}},
        None,
        "space.rate.when.units",
        "is a list",
    ),
    "a list that the task does not know": (
        {"hidden_layers": LAYERS, "batch_size": {**MLP_UNITS}},
        {},
        "space.batch_size.per",
        "has one value of it",
    ),
    "a fixed list without its length": (
        {"hidden_layers": LAYERS},
        {"hidden_units": [16, 32]},
        "task.fixed.hidden_units",
        "needs hidden_layers fixed to 2",
    ),
    "a fixed list of what is one value": (
        {"hidden_layers": LAYERS},
        {"batch_size": [16, 32]},
        "task.fixed.batch_size",
        "must be one value",
    ),
    "a fixed list with a bad value": (
        {"batch_size": {"type": "int", "low": 1, "high": 9}},
        {"hidden_layers": 2, "hidden_units": [16, 0]},
        "task.fixed.hidden_units",
        "cannot be 0",
    ),
}


@pytest.mark.parametrize(("space", "fixed", "field", "message"), BAD.values(), ids=BAD)
def test_a_list_that_makes_no_sense_is_refused(
    space: dict[str, Any], fixed: dict[str, Any] | None, field: str, message: str
) -> None:
    with pytest.raises(Invalid) as refused:
        spec(space, fixed)

    (error,) = refused.value.errors
    assert (error.field, message in error.message) == (field, True), error
