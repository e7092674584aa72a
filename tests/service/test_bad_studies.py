"""A study that makes no sense is refused with the field at fault, and nothing of it is stored."""

import json
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from tests.service import record
from tests.service.specs import body
from trimtab.message import MAX_PARAMETERS
from trimtab.space import MAX_CHOICES

UNIT = {"type": "float", "low": 0.0, "high": 1.0}
CHOICES = {"type": "categorical", "choices": [*range(MAX_CHOICES)]}
MLP = {"name": "mlp"}
WINE = {"data": {"dataset": "wine"}}
DIGITS = "task.data.contents.digits"
BATCH = "task.fixed.batch_size"


def space(**changes: Any) -> dict[str, Any]:
    """Return a space of one parameter that is not quite as it should be."""
    return {"space": {"x": UNIT | changes}}


def choices(*given: object) -> dict[str, Any]:
    return {"space": {"x": {"type": "categorical", "choices": given}}}


def trained(task: object, **changes: Any) -> dict[str, Any]:
    return {"task": task, "space": "default", "objectives": [{"metric": "validation_error"}]} | changes


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("an unknown field", {"colour": "red"}, "colour"),
    ("an unknown field inside", {"budget": {"trials": 1, "hours": 1}}, "budget.hours"),
    ("a number for a name", {"name": 3}, "name"),
    ("no name", {"name": None}, "name"),
    ("an empty name", {"name": ""}, "name"),
    ("a name with a space", {"name": "my study"}, "name"),
    ("a name with a newline at its end", {"name": "study\n"}, "name"),
    ("a name with a NUL", {"name": "study\0"}, "name"),
    ("a name with half a character", {"name": "\ud800"}, "name"),
    ("a name that is a path", {"name": "../study"}, "name"),
    ("a name that is too long", {"name": "x" * 129}, "name"),
    ("a task that is a word", {"task": "mlp"}, "task"),
    ("a task without a name", {"task": {}}, "task.name"),
    ("an unknown task", trained({"name": "perceptron"}), "task.name"),
    ("an unknown data set", trained(MLP | {"data": {"dataset": "faces"}}), "task.data.dataset"),
    (
        "a table for a task that takes images",
        trained({"name": "cnn", "data": {"dataset": "wine"}}),
        "task.data.dataset",
    ),
    ("content of a built-in data set", trained(MLP | {"data": {"contents": {"digits": "0" * 64}}}), DIGITS),
    ("a batch that is larger than the training set", trained(MLP | WINE | {"fixed": {"batch_size": 109}}), BATCH),
    ("a hyperparameter that is not the task's", trained(MLP | {"fixed": {"trees": 3}}), "task.fixed.trees"),
    ("a hyperparameter of another type", trained(MLP | {"fixed": {"epochs": True}}), "task.fixed.epochs"),
    ("a hyperparameter that is no number", trained(MLP | {"fixed": {"l2": float("nan")}}), "task.fixed.l2"),
    ("a parameter that is not the task's", trained(MLP, space={"trees": UNIT}), "space.trees"),
    ("a metric that is not the task's", trained(MLP, objectives=[{"metric": "f1"}]), "objectives.0.metric"),
    ("a sampler that needs a space, without one", {"space": None, "sampler": {"name": "gp"}}, "sampler.name"),
    ("an empty space", {"space": {}}, "space"),
    ("a space that is a list", {"space": [UNIT]}, "space"),
    ("more parameters than there may be", {"space": {f"x{n}": UNIT for n in range(MAX_PARAMETERS + 1)}}, "space"),
    ("a parameter with a name that is none", {"space": {"learning rate": UNIT}}, "space.learning rate"),
    ("a parameter without a type", {"space": {"x": {"low": 0, "high": 1}}}, "space.x"),
    ("a parameter of an unknown type", space(type="real"), "space.x"),
    ("a parameter that is null", {"space": {"x": None}}, "space.x"),
    ("a bound that is missing", {"space": {"x": {"type": "float", "low": 0}}}, "space.x.high"),
    ("a bound in words", space(low="0"), "space.x.low"),
    ("a bound that is a truth value", space(low=True), "space.x.low"),
    ("a bound that is no number", space(low=float("nan")), "space.x.low"),
    ("a bound that is infinite", space(high=float("inf")), "space.x.high"),
    ("a bound beyond all floats", space(high=10**400), "space.x.high"),
    ("a range the wrong way round", space(low=2.0), "space.x.low"),
    ("a bound whose square is beyond all floats", space(high=1e151), "space.x.high"),
    ("a log scale from zero", space(scale="log"), "space.x.low"),
    ("a reverse log scale up to one", space(scale="reverse_log"), "space.x.high"),
    ("an unknown scale", space(scale="square"), "space.x.scale"),
    ("a step of zero", space(step=0), "space.x.step"),
    ("a step that its range cannot hold", space(high=1e100, step=1), "space.x.step"),
    ("the smallest step there is", space(step=5e-324), "space.x.step"),
    ("half an integer", space(type="int", low=0, high=1.5), "space.x.high"),
    ("an integer that a double cannot hold", space(type="int", low=0, high=2**53 + 1), "space.x.high"),
    ("no choices", choices(), "space.x.choices"),
    ("a choice twice", choices("a", "b", "a"), "space.x.choices.2"),
    ("a choice that is null", choices(None), "space.x.choices.0"),
    ("a choice that is a list", choices("a", ["b"]), "space.x.choices.1"),
    ("a choice that is no number", choices(float("nan")), "space.x.choices.0"),
    ("a choice with a NUL", choices("\0"), "space.x.choices.0"),
    ("a choice with half a character", choices("\udfff"), "space.x.choices.0"),
    ("more choices than there may be", choices(*range(MAX_CHOICES + 1)), "space.x.choices"),
    ("more choices in all than there may be", {"space": {f"x{n}": CHOICES for n in range(5)}}, "space"),
    ("a condition on what is not there", space(when={"y": [1]}), "space.x.when.y"),
    ("no objectives", {"objectives": []}, "objectives"),
    ("one objective twice", {"objectives": [{"metric": "a"}, {"metric": "a"}]}, "objectives.1.metric"),
    ("an unknown direction", {"objectives": [{"metric": "a", "direction": "up"}]}, "objectives.0.direction"),
    ("an unknown sampler", {"sampler": {"name": "oracle"}}, "sampler"),
    ("a sampler that is a word", {"sampler": "tpe"}, "sampler"),
    ("a negative seed", {"sampler": {"name": "random", "seed": -1}}, "sampler.seed"),
    ("a seed beyond 32 bits", {"sampler": {"name": "random", "seed": 2**32}}, "sampler.seed"),
    ("an unknown pruner", {"pruner": {"name": "gut feeling"}}, "pruner"),
    ("a negative warmup", {"pruner": {"name": "median", "warmup_steps": -1}}, "pruner.warmup_steps"),
    ("no trials", {"budget": {"trials": 0}}, "budget.trials"),
    ("trials without end", {"budget": {"trials": 10**30}}, "budget.trials"),
    ("trials in words", {"budget": {"trials": "10"}}, "budget.trials"),
    ("no attempts", {"max_attempts": 0}, "max_attempts"),
    ("failures that are null", {"failed_in_a_row": None}, "failed_in_a_row"),
]


@pytest.mark.parametrize(("changes", "field"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_it_is_refused(http: httpx2.Client, engine: sa.Engine, changes: dict[str, Any], field: str) -> None:
    before = record.rows(engine)

    answer = http.post("/v1/studies", content=json.dumps(body(**changes)), headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]
    assert record.rows(engine) == before


@pytest.mark.parametrize("field", ["name", "task"])
def test_what_must_be_given_is_missed_by_its_name(http: httpx2.Client, field: str) -> None:
    given = body()
    del given[field]

    answer = http.post("/v1/studies", json=given)

    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]


def test_all_that_is_wrong_is_said_at_once(http: httpx2.Client) -> None:
    answer = http.post("/v1/studies", json=body(name="", budget={"trials": 0}, colour="red"))

    assert {problem["field"] for problem in answer.json()["errors"]} == {"name", "budget.trials", "colour"}


def test_who_names_an_unknown_hyperparameter_is_told_those_that_there_are(http: httpx2.Client) -> None:
    answer = http.post("/v1/studies", json=body(**trained(MLP, space={"colour": UNIT})))

    (problem,) = answer.json()["errors"]
    assert problem["field"] == "space.colour"
    assert "learning_rate, batch_size, optimizer" in problem["message"]
