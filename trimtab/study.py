"""What a study is asked to be: its spec, each part with a default, checked as a whole."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from trimtab.budget import Budget, Limits
from trimtab.message import Array, Lax, Message, ParamName, Params, Scalar, Seed, StudyName, TaskName, invalid
from trimtab.pruners import MedianPruner, Pruner
from trimtab.samplers import Sampler, TpeSampler
from trimtab.space import Space
from trimtab.states import Direction
from trimtab.tasks import TASKS, Hyperparameter, Task


class SplitSpec(Message):
    """How examples are dealt out to training, validation and test.

    Args:
        method: `auto`: min(0.2 n, 10,000) of n examples for validation, as many for test, stratified.
        seed: The deal.
    """

    method: Literal["auto"] = "auto"
    seed: Seed = 0


class DataSpec(Message):
    """What a task is trained on.

    Args:
        dataset: A built-in data set by name.
        split: How it is split. Every trial of a study sees the same split.
    """

    dataset: ParamName = "digits"
    split: SplitSpec = SplitSpec()


class TaskSpec(Message):
    """How trials are trained: by which task, on what, with what held fixed.

    Args:
        name: A built-in task.
        data: The data.
        fixed: Hyperparameters that every trial has alike.
    """

    name: TaskName
    data: DataSpec = DataSpec()
    fixed: Params = Field(default_factory=dict)


class Objective(Message):
    """The metric that is optimised, and which way."""

    metric: ParamName = "validation_error"
    direction: Annotated[Direction, Lax] = Direction.MINIMIZE


STEP_SECONDS = 3600.0
"""A built-in task that has not come to the end of an epoch by then hangs."""


def _named_space(given: object) -> object:
    return None if given == "default" else given


SearchedSpace = Annotated[
    Space | None, BeforeValidator(_named_space, json_schema_input_type=Space | Literal["default"] | None)
]


class StudySpec(Message):
    """Everything that defines a study. The same spec, asked one trial at a time, gives the same trials.

    Args:
        name: What the study is called.
        task: How trials are trained; None: anybody asks and tells.
        space: What is searched; absent or "default": the task's own default space.
        objectives: What is optimised; one.
        sampler: What chooses params.
        pruner: What stops trials.
        budget: When the study is complete.
        max_attempts: Leases that a trial may lose, with its worker, before it fails.
        failed_in_a_row: Failed trials, one after another, that stop the study.
        limits: How long an attempt may take.
    """

    name: StudyName
    task: TaskSpec | None
    space: SearchedSpace = None
    objectives: Annotated[tuple[Objective, ...], Array, Field(min_length=1, max_length=1)] = (Objective(),)
    sampler: Sampler = TpeSampler()
    pruner: Pruner = MedianPruner()
    budget: Budget = Budget()
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    failed_in_a_row: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _fits_its_task(self) -> Self:
        if self.task is None:
            if self.space is None:
                raise invalid("space", "is needed where task is null: there is no default one")
            return self
        task = _builtin(self.task.name)
        _check_data(self.task.data, task)
        for name, value in self.task.fixed.items():
            _check_fixed(name, value, task)
        if self.space is not None:
            _check_space(self.space, self.task.fixed, task)
        elif set(task.space) <= set(self.task.fixed):
            raise invalid("space", "has nothing left to search: task.fixed settles all of the default one")
        _check_metrics(self.objectives, task)
        return self

    def resolved(self) -> "StudySpec":
        """Return this spec with every default filled in: what is stored, compared and shown."""
        if self.task is None:
            return self
        space = self.space or TASKS[self.task.name].space.without(self.task.fixed)
        step_seconds = self.limits.step_seconds or STEP_SECONDS
        limits = self.limits.model_copy(update={"step_seconds": step_seconds})
        return self.model_copy(update={"space": space, "limits": limits})

    @property
    def searched(self) -> Space:
        """The space of a resolved spec."""
        assert self.space is not None, "only a resolved spec has its space"
        return self.space


def _builtin(name: str) -> Task:
    if name not in TASKS:
        raise invalid("task.name", f"is not a task: {name!r}; there are {_list(TASKS)}")
    return TASKS[name]


def _check_data(data: DataSpec, task: Task) -> None:
    if data.dataset not in task.datasets:
        raise invalid("task.data.dataset", f"is not a data set: {data.dataset!r}; there are {_list(task.datasets)}")


def _hyperparameter(field: str, name: str, task: Task) -> Hyperparameter:
    if name not in task.hyperparameters:
        raise invalid(field, f"is not a hyperparameter of this task; it has {_list(task.hyperparameters)}")
    return task.hyperparameters[name]


def _check_fixed(name: str, value: Scalar, task: Task) -> None:
    allowed = _hyperparameter(f"task.fixed.{name}", name, task).allowed
    if not allowed.contains(value):
        raise invalid(f"task.fixed.{name}", f"cannot be {value!r}; {allowed.described()}")


def _check_space(space: Space, fixed: Params, task: Task) -> None:
    for name in space:
        allowed = _hyperparameter(f"space.{name}", name, task).allowed
        if name in fixed:
            raise invalid(f"space.{name}", "is both searched and fixed (task.fixed)")
        for value in space[name].extremes():
            if not allowed.contains(value):
                raise invalid(f"space.{name}", f"cannot be {value!r}; {allowed.described()}")


def _check_metrics(objectives: tuple[Objective, ...], task: Task) -> None:
    for position, objective in enumerate(objectives):
        if objective.metric not in task.metrics:
            text = f"is not reported by this task: {objective.metric!r}; it reports {_list(task.metrics)}"
            raise invalid(f"objectives.{position}.metric", text)


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
