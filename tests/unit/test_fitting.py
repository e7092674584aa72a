"""Whether studies go with their data, as far as that can be said before an example is looked at."""

from dataclasses import replace
from typing import Any

import pytest

from trimtab import fitting
from trimtab.data import BUILT_IN, DatasetFacts, Missing, Problem
from trimtab.datasets import ColumnKind, DatasetColumn, DatasetDescription
from trimtab.spec import StudySpec

HOUSES = DatasetFacts(Problem.REGRESSION, 400, ("size", "place", "day"), categories=("place",), groups={"place": 3})
NEAR = replace(HOUSES, groups={"place": 1})
FACES = DatasetFacts(
    Problem.CLASSIFICATION, 100, classes=2, image=(3, 8, 8), labels=("cat", "dog"), class_sizes=(90, 10)
)
BIRDS = DatasetFacts(
    Problem.CLASSIFICATION, 50, classes=2, image=(3, 8, 8), labels=("cat", "owl"), class_sizes=(25, 25)
)
TINY = DatasetFacts(Problem.REGRESSION, 4, ("x",))
RARE = DatasetFacts(Problem.CLASSIFICATION, 30, ("x",), classes=2, labels=("cat", "owl"), class_sizes=(28, 2))
SALES = DatasetFacts(Problem.REGRESSION, 400, ("size", "day"), missing={"size": Missing(9, 1), "day": Missing(3, 17)})
LATER = replace(SALES, missing={"day": Missing(1)})
WHOLE = replace(SALES, missing={})
LONG = DatasetFacts(Problem.REGRESSION, 40, ("x",))
LONELY = DatasetFacts(Problem.REGRESSION, 1, ("x",))
DATA = {
    **BUILT_IN,
    "houses": HOUSES,
    "near": NEAR,
    "houses_too": HOUSES,
    "turned": replace(HOUSES, columns=("day", "place", "size")),
    "faces": FACES,
    "birds": BIRDS,
    "tiny": TINY,
    "long": LONG,
    "rare": RARE,
    "lonely": LONELY,
    "sales": SALES,
    "later": LATER,
    "whole": WHOLE,
}

SPACE = {"learning_rate": {"type": "float", "low": 0.1, "high": 0.2}}


def found(task: dict[str, Any], **changes: Any) -> list[tuple[str, str]]:
    """Return what does not fit: fields and messages."""
    spec = StudySpec.model_validate({"name": "study", "task": task, **changes}).resolved(DATA)
    assert spec.task
    return [(problem.field, problem.message) for problem in fitting.problems(spec.task, spec.declared, DATA)]


def on(dataset: str, name: str = "mlp", **data: Any) -> dict[str, Any]:
    return {"name": name, "data": {"dataset": dataset, **data}}


@pytest.mark.parametrize("dataset", BUILT_IN)
def test_a_study_of_nothing_but_its_task_goes_with_each_data_set_that_is_built_in(dataset: str) -> None:
    assert found(on(dataset)) == []
    assert fitting.warnings(StudySpec.model_validate({"name": "study", "task": on(dataset)}).task.data, DATA) == []  # type: ignore[union-attr]  # it has one


@pytest.mark.parametrize(
    ("dataset", "batches"), [("digits", (32, 64, 128, 256)), ("wine", (32, 64)), ("birds", (16,)), ("tiny", (4,))]
)
def test_a_default_batch_is_no_larger_than_the_training_set(dataset: str, batches: tuple[int, ...]) -> None:
    space = StudySpec.model_validate({"name": "study", "task": on(dataset)}).resolved(DATA).declared

    assert space["batch_size"].extremes() == batches


BAD: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    (
        "a batch that is searched",
        on("wine"),
        {"space": {"batch_size": {"type": "int", "low": 16, "high": 109}}},
        "space.batch_size",
        "can be 109, and the training set has 108 examples: let it be at most 108",
    ),
    (
        "a batch that is fixed, with folds",
        on("iris", split={"folds": 5}) | {"fixed": {"batch_size": 97}},
        {"space": SPACE},
        "task.fixed.batch_size",
        "is 97, and the training set has 96",
    ),
    (
        "a batch that nobody spoke of",
        on("iris", split={"test": 60, "validation": 40}),
        {"space": SPACE},
        "task.fixed.batch_size",
        "is 64, and the training set has 50",
    ),
    (
        "more folds than examples",
        on("tiny", split={"folds": 5}),
        {},
        "task.data.split.folds",
        "(5) are more than the 4",
    ),
    (
        "more folds than the smallest class has examples",
        on("faces", split={"folds": 9}),
        {},
        "task.data.split.folds",
        "class 'dog' has 8 examples for them: at most 8 folds",
    ),
    (
        "folds with a class of one example",
        on("rare", split={"folds": 2}),
        {},
        "task.data.split.folds",
        "class 'owl' has 1 examples for them: leave out classes of so few, or take no folds",
    ),
    ("a group that is not there", on("houses", split={"group": "owner"}), {}, "task.data.split.group", "size, place"),
    ("a group of images", on("faces", split={"group": "owner"}), {}, "task.data.split.group", "images have none"),
    ("a time in words", on("houses", split={"time": "place"}), {}, "task.data.split.time", "holds words"),
    (
        "a time that not every example has",
        on("sales", split={"time": "day"}),
        {},
        "task.data.split.time",
        "('day') is missing in 3 examples of 'sales', first in row 17: give each its time, or leave out those rows",
    ),
    (
        "a time that not every example of the validation data set has",
        on("whole", validation_dataset="later", split={"time": "day"}),
        {},
        "task.data.split.time",
        "('day') is missing in one example of 'later': give",
    ),
    ("no column but the time", on("tiny", split={"time": "x"}), {}, "task.data.split.time", "no other column"),
    ("a table for the task cnn", on("houses", "cnn"), {}, "task.data.dataset", "cnn is for images"),
    (
        "validation of another problem",
        on("houses", validation_dataset="wine"),
        {},
        "task.data.validation_dataset",
        "classification, not regression: put it with kind=regression",
    ),
    (
        "a test of other columns",
        on("wine", test_dataset="iris"),
        {},
        "task.data.test_dataset",
        "it has the columns x1, x2, x3, x4, not",
    ),
    (
        "a test of other images",
        on("faces", test_dataset="digits"),
        {},
        "task.data.test_dataset",
        "images of 1 x 8 x 8, not images of 3 x 8 x 8",
    ),
    ("a class to test alone", on("faces", test_dataset="birds"), {}, "task.data.test_dataset", "the classes owl"),
    ("a loss of classes", on("houses") | {"fixed": {"loss": "cross_entropy"}}, {}, "task.fixed.loss", "numbers take"),
    ("a loss of numbers", on("wine") | {"fixed": {"loss": "huber"}}, {}, "task.fixed.loss", "classes take"),
    ("tables that are turned", on("houses") | {"fixed": {"rotation": 5.0}}, {}, "task.fixed.rotation", "is for images"),
    (
        "images with noise",
        on("faces"),
        {
            "space": {
                "feature_noise": {"type": "float", "low": 0.0, "high": 0.1},
                "batch_size": {"type": "int", "low": 1, "high": 2},
            }
        },
        "space.feature_noise",
        "is for tables",
    ),
    (
        "no example to train on",
        on("iris", split={"validation": 100, "test": 50}),
        {},
        "task.data.split",
        "leaves none of the 150 examples of 'iris' for training: validation takes 100 and test 50",
    ),
    (
        "no example to train on beside a validation data set",
        on("tiny", validation_dataset="long", split={"validation": 4}),
        {},
        "task.data.split.validation",
        "leaves none of the 4 examples of 'tiny' for training: it takes 4 for the train-dev set",
    ),
    ("no example to validate", on("tiny"), {}, "task.data.split.validation", "is none of 4 examples"),
    (
        "no example to test",
        on("tiny", split={"validation": 1}),
        {},
        "task.data.split.test",
        "is none of 4 examples: say how many test",
    ),
    (
        "no example to test, with folds",
        on("tiny", split={"folds": 2}),
        {},
        "task.data.split.test",
        "is none of 4 examples",
    ),
    (
        "no example to test of a validation data set",
        on("long", validation_dataset="lonely"),
        {},
        "task.data.split.test",
        "is none of the 1 examples of 'lonely': put more, or name a test_dataset",
    ),
    (
        "a test of all that validates",
        on("long", validation_dataset="tiny", split={"test": 4}),
        {},
        "task.data.split.test",
        "is 4, and 'tiny' has 4 examples, some of which have to validate: let it be less",
    ),
    (
        "no example between training and validation",
        on("tiny", validation_dataset="long"),
        {},
        "task.data.split.validation",
        "is none of the 4 examples of 'tiny', for the train-dev set",
    ),
    (
        "fewer groups than folds and a test",
        on("houses", split={"group": "place", "folds": 3}),
        {},
        "task.data.split.group",
        "('place') makes 3 groups of 'houses', for 4 sets of whole groups: take fewer folds, or leave it out",
    ),
    (
        "one group",
        on("near", split={"group": "place"}),
        {},
        "task.data.split.group",
        "('place') makes 1 groups of 'near', for 3 sets of whole groups: leave it out",
    ),
    (
        "one group that is to validate and to test",
        on("houses", validation_dataset="near", split={"group": "place"}),
        {},
        "task.data.split.group",
        "('place') makes 1 groups of 'near', for 2 sets",
    ),
]


@pytest.mark.parametrize(
    ("task", "changes", "field", "text"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_it_does_not_go_with_the_data(task: dict[str, Any], changes: dict[str, Any], field: str, text: str) -> None:
    ((where, message),) = found(task, **changes)

    assert where == field
    assert text in message


@pytest.mark.parametrize(
    "task",
    [
        on("sales"),
        on("sales", split={"group": "size"}),
        on("whole", test_dataset="later", split={"time": "day"}),
        on("later", split={"time": "size"}),
    ],
)
def test_a_value_may_be_missing_where_no_example_is_ordered_by_it(task: dict[str, Any]) -> None:
    assert found(task) == []


@pytest.mark.parametrize(
    "task",
    [
        on("houses", split={"group": "place"}),
        on("houses", split={"group": "place", "folds": 2}),
        on("houses", test_dataset="near", split={"group": "place", "folds": 3}),
        on("houses", validation_dataset="near", test_dataset="houses_too", split={"group": "place"}),
        on("near"),
        on("houses", split={"group": "size", "folds": 50}),
    ],
)
def test_as_many_groups_as_sets_are_enough_and_of_numbers_nothing_is_known(task: dict[str, Any]) -> None:
    assert found(task) == []


def test_columns_may_come_in_another_order() -> None:
    assert found(on("houses", validation_dataset="turned", test_dataset="houses_too")) == []


def test_nothing_is_said_of_data_that_nobody_knows() -> None:
    assert found(on("others", split={"group": "owner"}) | {"fixed": {"batch_size": 100_000}}) == []


@pytest.mark.parametrize(("missing", "groups"), [(0, 3), (2, 4), (None, 4)])
def test_those_without_a_value_are_a_group_where_there_are_any_or_nobody_counted(
    missing: int | None, groups: int
) -> None:
    place = DatasetColumn(name="place", kind=ColumnKind.CATEGORY, categories=3, missing=missing)

    assert DatasetDescription(problem=Problem.REGRESSION, examples=9, columns=[place]).facts.groups == {"place": groups}


def test_a_set_of_fewer_than_thirty_examples_is_warned_of() -> None:
    spec = StudySpec.model_validate({"name": "study", "task": on("faces", validation_dataset="birds")})

    assert spec.task
    assert [text.partition(" has ")[0] for text in fitting.warnings(spec.task.data, DATA)] == [
        "the validation set",
        "the test set",
        "the train-dev set",
    ]


@pytest.mark.parametrize(
    ("dataset", "split", "expected"),
    [
        ("tiny", {"validation": 1, "test": 1}, "1 examples: fewer than 30 say little; hold out more, or take folds"),
        ("long", {"folds": 5, "test": 11}, "29 examples, in all folds: fewer than 30 say little; put more"),
        ("long", {"folds": 5, "test": 10}, None),
        (
            "sales",
            {"folds": 5, "test": 365, "time": "day"},
            "25 examples, in all folds: fewer than 30 say little; put more",
        ),
        ("sales", {"folds": 5, "test": 364, "time": "day"}, None),
    ],
)
def test_of_folds_all_examples_that_validate_count(dataset: str, split: dict[str, Any], expected: str | None) -> None:
    spec = StudySpec.model_validate({"name": "study", "task": on(dataset, split=split)})

    assert spec.task
    told = dict(text.split(" has ") for text in fitting.warnings(spec.task.data, DATA))
    assert told.get("the validation set") == expected
