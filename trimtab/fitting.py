"""Whether what a study asks for goes with its data: decided from what is known of the data sets without their examples.

The data sets are those of `task.data`, by name. Where nothing is known of one of them there is nothing to say yet.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from trimtab import tasks
from trimtab.data import DatasetFacts, DataSpec, Problem
from trimtab.message import Params, Scalar
from trimtab.protocol import FieldProblem
from trimtab.sizes import SetSizes, set_sizes, training_examples, validation_examples
from trimtab.space import Space
from trimtab.spec import TaskSpec
from trimtab.tasks.training import TRAINING

FEW = 30
"""Examples of a hold-out that say something: with fewer, one more wrong answer is over 3 %."""

_NUMBER_LOSSES = {"squared", "absolute", "huber"}

_LISTED = 20

_FOR_TABLES = ("feature_noise",)
_FOR_IMAGES = ("flip", "crop", "rotation", "zoom", "distortion")

Facts = Mapping[str, DatasetFacts]


def problems(task: TaskSpec, space: Space, facts: Facts) -> list[FieldProblem]:
    """Return what does not go with the data, each with the figures and what to do."""
    data = task.data
    if not all(name in facts for name in data.datasets):
        return []
    found = [*_of_kinds(task, facts[data.dataset]), *_of_columns(data, facts[data.dataset]), *_of_others(data, facts)]
    found = found or list(_of_times(data, facts)) or list(_of_sizes(data, facts)) or list(_of_groups(data, facts))
    if found:
        return found
    first = facts[data.dataset]
    return [
        *_of_batches(task, space, facts),
        *_of_losses(task, space, first),
        *_of_augmentation(task, space, first),
    ]


def warnings(data: DataSpec, facts: Facts) -> list[str]:
    """Return what whoever asked for a study that goes with its data should know of it."""
    if not all(name in facts for name in data.datasets):
        return []
    sizes = _sizes(data, facts)
    held_out = {
        "validation": validation_examples(data, sizes),
        "test": sizes.test,
        "train-dev": sizes.train_dev,
    }
    return [
        f"the {name} set has {examples} examples{_few(data, name)}"
        for name, examples in held_out.items()
        if 0 < examples < FEW
    ]


def _few(data: DataSpec, name: str) -> str:
    """Return what few examples of a set mean, and what helps."""
    mean = f"fewer than {FEW} say little"
    if name != "validation" or data.validation_dataset:
        return f": {mean}; hold out more, or put more"
    return f", in all folds: {mean}; put more" if data.split.folds else f": {mean}; hold out more, or take folds"


def _of_kinds(task: TaskSpec, facts: DatasetFacts) -> Iterator[FieldProblem]:
    known = tasks.find(task.name)
    if known and known.needs_images and facts.image is None:
        yield _problem("dataset", f"({task.data.dataset!r}) is a table: {task.name} is for images; mlp takes tables")


def _of_columns(data: DataSpec, facts: DatasetFacts) -> Iterator[FieldProblem]:
    asked = {"split.group": data.split.group, "split.time": data.split.time}
    for field, column in asked.items():
        if column is not None and column not in facts.columns:
            there_are = f"it has {_listed(facts.columns)}" if facts.columns else "images have none"
            yield _problem(field, f"is no column of {data.dataset!r}: {column!r}; {there_are}")
        elif column is not None and set(facts.columns) <= {column}:
            yield _problem(field, f"leaves {data.dataset!r} no other column to learn from")
    if data.split.time in facts.categories:
        yield _problem("split.time", f"({data.split.time!r}) holds words: a time or a number orders the examples")


def _of_times(data: DataSpec, facts: Facts) -> Iterator[FieldProblem]:
    """Yield which of the data sets that are dealt out in time order have examples without a time."""
    if data.split.time is None:
        return
    for name in dict.fromkeys((data.dataset, data.validation_dataset or data.dataset)):
        if missing := facts[name].missing.get(data.split.time):
            examples = "one example" if missing.examples == 1 else f"{missing.examples} examples"
            first = "" if missing.first_row is None else f", first in row {missing.first_row}"
            remedy = "give each its time, or leave out those rows"
            yield _problem("split.time", f"({data.split.time!r}) is missing in {examples} of {name!r}{first}: {remedy}")


def _of_others(data: DataSpec, facts: Facts) -> Iterator[FieldProblem]:
    """Yield where data sets of their own for validation and test are of another kind than the one for training."""
    first = facts[data.dataset]
    for field in ("validation_dataset", "test_dataset"):
        name: str | None = getattr(data, field)
        if name and (difference := _difference(first, facts[name])):
            yield _problem(field, f"({name!r}) is of another kind than {data.dataset!r}: {difference}")


def _difference(one: DatasetFacts, other: DatasetFacts) -> str | None:
    if one.problem != other.problem:
        return f"{other.problem}, not {one.problem}: put it with kind={one.problem}, if that is what it is"
    if one.image != other.image:
        return f"{_shape(other)}, not {_shape(one)}"
    if {*one.columns} != {*other.columns}:
        return f"it has the columns {_listed(other.columns)}, not {_listed(one.columns)}"
    if {*one.categories} != {*other.categories}:
        return f"it holds words in {_listed(other.categories)}, not in {_listed(one.categories)}"
    if strange := [label for label in other.labels if label not in one.labels]:
        return f"it has the classes {_listed(strange)}, which there are no examples of to train on"
    return None


def _of_sizes(data: DataSpec, facts: Facts) -> Iterator[FieldProblem]:
    """Yield which sets are left without an example, as long as one fault is not another's cause."""
    sizes = _sizes(data, facts)
    if sizes.train < 1:
        yield _no_training(data, sizes, facts[data.dataset].examples)
        return
    folds = list(_of_folds(data, facts[data.dataset], sizes)) if data.split.folds else []
    empty = _empty_elsewhere if data.validation_dataset else _empty_at_home
    yield from folds or islice(empty(data, sizes, facts), 1)


def _no_training(data: DataSpec, sizes: SetSizes, examples: int) -> FieldProblem:
    left = f"leaves none of the {examples} examples of {data.dataset!r} for training"
    if data.validation_dataset:
        return _problem("split.validation", f"{left}: it takes {sizes.train_dev} for the train-dev set")
    test = 0 if data.test_dataset else sizes.test
    return _problem("split", f"{left}: validation takes {sizes.validation} and test {test}")


def _empty_at_home(data: DataSpec, sizes: SetSizes, facts: Facts) -> Iterator[FieldProblem]:
    """Yield which sets have no example where validation comes from the same data set as training."""
    of = f"is none of {facts[data.dataset].examples} examples"
    if sizes.validation < 1 and not data.split.folds:
        yield _problem("split.validation", f"{of}: say how many validate, or put more")
    if sizes.test < 1:
        yield _problem("split.test", f"{of}: say how many test, put more, or name a test_dataset")


def _empty_elsewhere(data: DataSpec, sizes: SetSizes, facts: Facts) -> Iterator[FieldProblem]:
    """Yield which sets have no example where validation comes from a data set of its own."""
    elsewhere = facts[data.validation_dataset or data.dataset].examples
    if sizes.test < 1:
        text = f"is none of the {elsewhere} examples of {data.validation_dataset!r}: put more, or name a test_dataset"
        yield _problem("split.test", text)
    if sizes.validation < 1:
        text = (
            f"is {sizes.test}, and {data.validation_dataset!r} has {elsewhere} examples, some of which have to validate"
        )
        yield _problem("split.test", f"{text}: let it be less")
    if sizes.train_dev < 1:
        home = f"{facts[data.dataset].examples} examples of {data.dataset!r}"
        text = f"is none of the {home}, for the train-dev set: say how many are held apart, or put more"
        yield _problem("split.validation", text)


def _of_folds(data: DataSpec, facts: DatasetFacts, sizes: SetSizes) -> Iterator[FieldProblem]:
    folds = data.split.folds or 0
    if training_examples(data, sizes) < 1 or folds > sizes.train:
        yield _problem("split.folds", f"({folds}) are more than the {sizes.train} examples that are left for them")
    elif facts.class_sizes and not data.split.group and not data.split.time:
        smallest = min(range(facts.classes), key=facts.class_sizes.__getitem__)
        left = facts.class_sizes[smallest] * sizes.train // facts.examples
        if folds > left:
            remedy = f"at most {left} folds" if left > 1 else "leave out classes of so few, or take no folds"
            text = f"class {facts.labels[smallest]!r} has {left} examples for them: {remedy}"
            yield _problem("split.folds", f"({folds}) are too many: {text}")


def _of_groups(data: DataSpec, facts: Facts) -> Iterator[FieldProblem]:
    """Yield which data sets have fewer groups than sets are dealt out of them. Of groups by number nothing is known."""
    sets = {data.dataset: (data.split.folds or 2) + (not data.validation_dataset and not data.test_dataset)}
    if data.validation_dataset:
        sets[data.validation_dataset] = 2 - bool(data.test_dataset)
    for name, wanted in sets.items():
        groups = facts[name].groups.get(data.split.group or "", wanted)
        if groups < wanted:
            remedy = "take fewer folds, or leave it out" if data.split.folds else "leave it out"
            text = (
                f"({data.split.group!r}) makes {groups} groups of {name!r}, for {wanted} sets of whole groups: {remedy}"
            )
            yield _problem("split.group", text)


def _of_batches(task: TaskSpec, space: Space, facts: Facts) -> Iterator[FieldProblem]:
    most = training_examples(task.data, _sizes(task.data, facts))
    for field, values in _values("batch_size", task.fixed, space):
        largest = max(value for value in values if isinstance(value, int))
        if largest > most:
            text = f"{_can_be(field)} {largest}, and the training set has {most} examples: let it be at most {most}"
            yield FieldProblem(field=field, message=text)


def _of_losses(task: TaskSpec, space: Space, facts: DatasetFacts) -> Iterator[FieldProblem]:
    is_number = facts.problem is Problem.REGRESSION
    unfit = {"cross_entropy"} if is_number else _NUMBER_LOSSES
    text = "numbers take squared, absolute or huber" if is_number else "classes take cross_entropy"
    for field, values in _values("loss", task.fixed, space):
        if wrong := [value for value in values if value in unfit]:
            message = f"{_can_be(field)} {wrong[0]!r}, which does not go with the data: {text}"
            yield FieldProblem(field=field, message=message)


def _of_augmentation(task: TaskSpec, space: Space, facts: DatasetFacts) -> Iterator[FieldProblem]:
    name = task.data.dataset
    text = f"is for images, and {name!r} is a table: tables take feature_noise"
    if facts.image:
        text = f"is for tables, and {name!r} has images, which take {_listed(_FOR_IMAGES)}"
    for knob in _FOR_TABLES if facts.image else _FOR_IMAGES:
        for field, values in _values(knob, task.fixed, space):
            if any(values):
                yield FieldProblem(field=field, message=text)


def _values(name: str, fixed: Params, space: Space) -> Iterator[tuple[str, Sequence[Scalar]]]:
    """Yield where a hyperparameter gets its values from, and the extremes of them."""
    if name in space:
        yield f"space.{name}", tuple(space[name].extremes())
    elif name in fixed:
        value = fixed[name]
        yield f"task.fixed.{name}", value if isinstance(value, tuple) else (value,)
    else:
        yield f"task.fixed.{name}", (TRAINING[name].default,)


def _can_be(field: str) -> str:
    return "can be" if field.startswith("space.") else "is"


def _shape(facts: DatasetFacts) -> str:
    return "images of {} x {} x {}".format(*facts.image) if facts.image else "tables"


def _sizes(data: DataSpec, facts: Facts) -> SetSizes:
    return set_sizes(data, {name: facts[name].examples for name in data.datasets})


def _problem(field: str, message: str) -> FieldProblem:
    return FieldProblem(field=f"task.data.{field}", message=message)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED]) or "none"
    return f"{shown} and {len(names) - _LISTED} more" if len(names) > _LISTED else shown
