"""Whether what a study asks for goes with its task."""

from collections.abc import Iterable, Iterator, Sequence

from trimtab import tasks
from trimtab.message import Params, Scalar, Value, invalid
from trimtab.nearness import did_you_mean
from trimtab.space import Categorical, Space
from trimtab.tasks.knobs import Hyperparameter, Task
from trimtab.tasks.training import OF_COMPANIONS

Problem = tuple[str, str]
"""A field, and what is wrong with it."""


def known(name: str) -> Task:
    """Return a task by its name.

    Raises:
        PydanticCustomError: There is none.
    """
    task = tasks.find(name)
    if task is None:
        there_are = f"there are {_list(tasks.TASKS)}; a task of your own is called module:attribute"
        raise invalid("task.name", f"is not a task: {name!r}; {there_are}")
    return task


def default_space(task: Task, *, examples: int | None = None) -> Space:
    """Return the space that a study of a task has where it asks for none.

    Args:
        task: The task.
        examples: Of the training set: a batch has no more; None: nobody knows.

    Raises:
        PydanticCustomError: A task of the user's own has none.
    """
    if task.space is None:
        raise invalid("space", "is needed: a task of your own has no default one")
    batches = task.space.root.get("batch_size")
    if not isinstance(batches, Categorical) or examples is None or examples < 1:
        return task.space
    largest = 2 ** (examples.bit_length() - 1)
    fitting = tuple(size for size in batches.choices if isinstance(size, int) and size <= examples) or (largest,)
    return Space(task.space.root | {"batch_size": batches.model_copy(update={"choices": fitting})})


def check_fixed(fixed: Params, task: Task) -> None:
    """Refuse hyperparameters that the task does not have, or cannot hold fixed at such values.

    Raises:
        PydanticCustomError: There are some; it names each.
    """
    _settle(
        (f"task.fixed.{name}", text) for name, value in fixed.items() if (text := _unfixed(name, value, fixed, task))
    )


def check_space(space: Space | None, fixed: Params, task: Task) -> None:
    """Refuse a space that is not the task's.

    Raises:
        PydanticCustomError: It has parameters that the task has not, or with values that the task does not allow.
    """
    if space is not None:
        _settle(problem for name in space for problem in _unsearched(name, space, fixed, task))
    elif set(default_space(task)) <= set(fixed):
        raise invalid("space", "has nothing left to search: task.fixed settles all of the default one")


def check_metrics(field: str, metrics: Sequence[str], task: Task) -> None:
    """Refuse metrics that the task does not report.

    Raises:
        PydanticCustomError: There is one.
    """
    for position, metric in enumerate(metrics):
        if metric not in (*task.metrics, *OF_COMPANIONS):
            text = f"is not reported by this task: {metric!r}; it reports {_list(task.metrics)}"
            raise invalid(f"{field}.{position}.metric", text)


def _settle(problems: Iterable[Problem]) -> None:
    """Raise what there is."""
    if found := list(problems):
        raise invalid(*found[0], *found[1:])


def _unfixed(name: str, value: Value, fixed: Params, task: Task) -> str | None:
    """Return why a task cannot hold a hyperparameter fixed at a value; None: it can."""
    knob = task.hyperparameters.get(name)
    if knob is None:
        return _unknown(name, task)
    if isinstance(value, tuple) and (knob.per is None or fixed.get(knob.per) != len(value)):
        needed = f"needs {knob.per} fixed to {len(value)}" if knob.per else "must be one value"
        return f"is a list of {len(value)}: {needed}"
    return _beyond(value if isinstance(value, tuple) else (value,), knob)


def _unsearched(name: str, space: Space, fixed: Params, task: Task) -> Iterator[Problem]:
    """Yield why a task cannot have a parameter of a space searched."""
    knob = task.hyperparameters.get(name)
    if text := _unknown(name, task):
        yield f"space.{name}", text
    elif name in fixed:
        yield f"space.{name}", "is both searched and fixed (task.fixed)"
    elif knob and space[name].per not in {None, knob.per}:
        once = f"can be {knob.per} only" if knob.per else "cannot be: this task has one value of it"
        yield f"space.{name}.per", once
    elif knob and (text := _beyond(space[name].extremes(), knob)):
        yield f"space.{name}", text


def _unknown(name: str, task: Task) -> str | None:
    if name in task.hyperparameters or task.is_open:
        return None
    near = did_you_mean(name, task.hyperparameters)
    return f"is not a hyperparameter of this task{near or f'; it has {_list(task.hyperparameters)}'}"


def _beyond(values: Iterable[Scalar], knob: Hyperparameter) -> str | None:
    """Return what is said of the first of the values that a hyperparameter cannot have; None: it can have all."""
    return next(
        (f"cannot be {one!r}; {knob.allowed.described()}" for one in values if not knob.allowed.contains(one)), None
    )


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
