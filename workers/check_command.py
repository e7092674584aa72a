"""`python -m workers check-gradients`: check the gradients of a task here, without a service."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from pydantic_core import PydanticCustomError

from trimtab.data import BUILT_IN, DataSpec
from trimtab.errors import Misconfigured
from trimtab.message import Value
from trimtab.spec import TaskSpec
from trimtab.tasks import TASKS
from trimtab.tasks.checks import check_fixed, known
from trimtab.validation import built
from workers import tasks
from workers.tasks import own
from workers.tasks.checking import described
from workers.training.errors import Uncheckable
from workers.training.gradient_figures import GradientCheck, TensorCheck

_COLUMNS = ("TENSOR", "FIGURE", "RATING", "COMPARED", "AT KINKS")


def run(arguments: Sequence[str]) -> tuple[str, int]:
    """Check what the command line says; return what to print, and the exit code: 0 nothing to mend, 1 something.

    Raises:
        Misconfigured: There is no such task, data set or hyperparameter, or it cannot be checked.
    """
    given = _parser().parse_args(arguments)
    torch.set_num_threads(1)  # As in a slot: what is this small is slower with more.
    found = _checked(_task(given.task, given.data, dict(given.param)), seed=given.seed)
    return table(found), 0 if found.rating.is_passed else 1


def table(found: GradientCheck) -> str:
    """Return a line for each tensor, one for all together, and the worst entries of what is not right."""
    rows = [_COLUMNS, *(_row(tensor, tensor.name) for tensor in found.tensors), _row(found, "all together")]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    words = [] if found.rating.is_passed else ["", *described(found).split("; ")]
    return "\n".join([*lines, *words])


def _row(found: TensorCheck | GradientCheck, name: str) -> tuple[str, ...]:
    return name, f"{found.figure:.1e}", found.rating, f"{found.checked} of {found.size}", str(found.kinks)


def _checked(task: TaskSpec, *, seed: int) -> GradientCheck:
    allowed = {} if task.name in TASKS else {task.name: own.load(task.name)}
    try:
        return tasks.check(task, task.fixed, seed=seed, files={}, allowed=allowed)
    except Uncheckable as error:
        raise Misconfigured(f"{task.name} cannot be checked: {error}") from error
    except Exception as error:  # a user's code may raise anything
        place = own.place(error, task.name)
        where = f" ({place})" if place else ""
        said = f"{task.name} cannot be built: {type(error).__name__}: {error}{where}{_remedy(error, task.fixed)}"
        raise Misconfigured(said) from error


def _remedy(error: Exception, fixed: Mapping[str, Value]) -> str:
    """Return how to give what was looked up by name and not there, as a hyperparameter may have been."""
    match error:
        case KeyError(args=(str(name),)) if name not in fixed:
            return f"; if {name} is a hyperparameter, give it: --param {name}=VALUE"
    return ""


def _task(name: str, dataset: str, fixed: dict[str, Value]) -> TaskSpec:
    if dataset not in BUILT_IN:
        raise Misconfigured(
            f"no data set of that name is built in: {dataset!r}; there are {', '.join(BUILT_IN)}; "
            "with one that was put, the gradients of a study of it are checked by: trimtab study check STUDY"
        )
    try:
        task = known(name)
        check_fixed(fixed, task)
    except PydanticCustomError as error:
        context = error.context or {}
        problems = [(context["field"], error.message()), *context["others"]]
        said = "; ".join(f"{field.removeprefix('task.fixed.')} {text}" for field, text in problems)
        raise Misconfigured(said) from error
    if task.needs_images and BUILT_IN[dataset].image is None:
        raise Misconfigured(f"{name} is for images, and {dataset} is a table")
    return built(TaskSpec, {"name": name, "data": DataSpec(dataset=dataset), "fixed": fixed})


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m workers check-gradients",
        description="Compare what backward says of a network and its loss with two-sided differences.",
    )
    parser.add_argument("--task", required=True, help=f"{', '.join(TASKS)}, or module:attribute, which is imported")
    parser.add_argument("--data", default=DataSpec().dataset, metavar="NAME", help="a built-in data set")
    parser.add_argument(
        "--param", type=_param, action="append", default=[], metavar="NAME=VALUE", help="a hyperparameter; repeatable"
    )
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="of the first weights (default: 0)")
    return parser


def _param(given: str) -> tuple[str, Any]:
    """Read a hyperparameter; its value as JSON where it is such, else as a word."""
    name, equals, text = given.partition("=")
    if not name or not equals:
        raise ArgumentTypeError(f"not NAME=VALUE: {given!r}")
    try:
        value = json.loads(text)
    except ValueError:
        return name, text
    return name, tuple(value) if isinstance(value, list) else value


def _seed(given: str) -> int:
    if not given.isdecimal() or int(given) >= 2**32:
        raise ArgumentTypeError(f"not an integer from 0 to {2**32 - 1}: {given!r}")
    return int(given)
