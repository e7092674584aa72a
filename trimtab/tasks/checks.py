"""Whether what a study asks for goes with its task."""

from collections.abc import Iterable, Sequence

from trimtab import tasks
from trimtab.message import Params, Value, invalid
from trimtab.space import Categorical, Space
from trimtab.tasks.knobs import Hyperparameter, Task
from trimtab.tasks.training import OF_COMPANIONS


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
    """Refuse hyperparameters that the task does not have, or cannot hold fixed at such a value.

    Raises:
        PydanticCustomError: There is one.
    """
    for name, value in fixed.items():
        knob = _hyperparameter(f"task.fixed.{name}", name, task)
        if knob:
            _check_value(f"task.fixed.{name}", value, knob, fixed)


def check_space(space: Space | None, fixed: Params, task: Task) -> None:
    """Refuse a space that is not the task's.

    Raises:
        PydanticCustomError: It has a parameter that the task has not, or can have other values than the task allows.
    """
    if space is None:
        if set(default_space(task)) <= set(fixed):
            raise invalid("space", "has nothing left to search: task.fixed settles all of the default one")
        return
    for name in space:
        knob = _hyperparameter(f"space.{name}", name, task)
        if name in fixed:
            raise invalid(f"space.{name}", "is both searched and fixed (task.fixed)")
        if knob:
            _check_parameter(name, space, knob)


def check_metrics(field: str, metrics: Sequence[str], task: Task) -> None:
    """Refuse metrics that the task does not report.

    Raises:
        PydanticCustomError: There is one.
    """
    for position, metric in enumerate(metrics):
        if metric not in (*task.metrics, *OF_COMPANIONS):
            text = f"is not reported by this task: {metric!r}; it reports {_list(task.metrics)}"
            raise invalid(f"{field}.{position}.metric", text)


def _hyperparameter(field: str, name: str, task: Task) -> Hyperparameter | None:
    if name not in task.hyperparameters and not task.is_open:
        raise invalid(field, f"is not a hyperparameter of this task; it has {_list(task.hyperparameters)}")
    return task.hyperparameters.get(name)


def _check_value(field: str, value: Value, knob: Hyperparameter, fixed: Params) -> None:
    if isinstance(value, tuple) and (knob.per is None or fixed.get(knob.per) != len(value)):
        text = f"needs {knob.per} fixed to {len(value)}" if knob.per else "must be one value"
        raise invalid(field, f"is a list of {len(value)}: {text}")
    for one in value if isinstance(value, tuple) else (value,):
        if not knob.allowed.contains(one):
            raise invalid(field, f"cannot be {one!r}; {knob.allowed.described()}")


def _check_parameter(name: str, space: Space, knob: Hyperparameter) -> None:
    if space[name].per not in {None, knob.per}:
        text = f"can be {knob.per} only" if knob.per else "cannot be: this task has one value of it"
        raise invalid(f"space.{name}.per", text)
    for value in space[name].extremes():
        if not knob.allowed.contains(value):
            raise invalid(f"space.{name}", f"cannot be {value!r}; {knob.allowed.described()}")


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
