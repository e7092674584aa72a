"""What the form of a new study offers: tasks with their hyperparameters, data sets, samplers, pruners."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from service import workers
from service.datasets import catalogue
from service.replica import Replica
from trimtab.budget import DEFAULT_TRIALS
from trimtab.datasets import Dataset
from trimtab.pruners import Pruner
from trimtab.samplers import Sampler
from trimtab.spec import StudySpec, TaskSpec
from trimtab.tasks import OWN, TASKS, Task
from trimtab.tasks.usual import usual

MOST_DATASETS = 1000
"""That can be picked from; another one is named in the JSON."""


def offered(replica: Replica) -> dict[str, Any]:
    """Return what the template gets.

    Raises:
        Unavailable: The database is away or busy.
    """
    return {
        "tasks": [*TASKS, *own_tasks(replica)],
        "datasets": [(each.name, contents(each)) for each in _datasets(replica)],
        "samplers": _kinds(Sampler),
        "pruners": _kinds(Pruner),
        "default_trials": DEFAULT_TRIALS,
        "offered": {
            "tasks": {name: _task(task) for name, task in TASKS.items()},
            "own": _task(OWN),
            "defaults": _defaults(),
        },
    }


def own_tasks(replica: Replica) -> Sequence[str]:
    """Return the tasks that live workers have beside the built-in ones."""
    return sorted(workers.tasks(replica) - set(TASKS))


def contents(dataset: Dataset) -> str:
    """Return what is in a data set, in a few words."""
    targets = f"{len(dataset.classes)} classes" if dataset.classes else "a number to learn"
    if dataset.image:
        channels, height, width = dataset.image
        colours = "" if channels == 1 else f", {channels} channels"
        return f"{dataset.examples:,} images of {height} x {width}{colours}, {targets}"
    return f"{dataset.examples:,} examples, {len(dataset.columns)} features, {targets}"


def _datasets(replica: Replica) -> Sequence[Dataset]:
    return catalogue.page(replica, cursor=None, limit=MOST_DATASETS).items


def _kinds(union: object) -> list[tuple[str, str]]:
    """Return the names of a union's members, each with what its class says of itself first."""
    return [(kind.model_fields["name"].default, _first_line(kind)) for kind in _members(union)]


def _members(union: object) -> Iterator[type[BaseModel]]:
    yield from get_args(get_args(union)[0])


def _first_line(kind: type[BaseModel]) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def _task(task: Task) -> Mapping[str, Any]:
    knobs = {
        name: {
            "default": knob.default,
            "meaning": knob.meaning,
            "usual": usual(name, task).model_dump(mode="json", exclude_none=True),
        }
        for name, knob in task.hyperparameters.items()
    }
    return {"hyperparameters": knobs, "metrics": task.metrics, "is_open": task.is_open}


def _defaults() -> Mapping[str, Any]:
    """Return what a spec has that leaves everything out."""
    spec = StudySpec(name="any", task=TaskSpec(name=next(iter(TASKS)))).model_dump(mode="json", exclude_none=True)
    return {
        "task": {"data": {"dataset": spec["task"]["data"]["dataset"]}},
        **{part: spec[part] for part in ("objectives", "sampler", "pruner", "priority")},
    }
