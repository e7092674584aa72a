"""One edit to one hyperparameter, wherever a study has it: in its space, held fixed, or left to the task's default."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import JsonValue

from service.diagnosis.case import Case
from service.sampling.scales import FEWEST_VALUES, side
from trimtab import grids
from trimtab.diagnosis import Edit
from trimtab.message import Value
from trimtab.space import Categorical, Float, Int
from trimtab.spec import StudySpec

Change = Callable[[float], float]
"""From a value, or a bound of values, to another."""


def moved(case: Case, name: str, change: Change, *, bound: str, reason: str) -> Edit | None:
    """Return the edit that moves a number: of a range the bound `low` or `high`, else the one value of each trial.

    Of choices the bound is the least or the greatest: further out it joins them, further in those beyond it leave. None
    where the task has no such number, or does not allow another.
    """
    parameter = _searched(case, name)
    if isinstance(parameter, Categorical):
        return _chosen(case, name, parameter, change, bound=bound, reason=reason)
    if parameter is not None:
        was = getattr(parameter, bound)
        to = _allowed(case, name, change(was), whole=isinstance(parameter, Int))
        return _edit(f"space.{name}.{bound}", was, to, reason)
    if name not in case.knobs:
        return None
    value = case.settled[name]
    return _edit(f"task.fixed.{name}", value, _each(case, name, value, change), reason)


def _chosen(case: Case, name: str, parameter: Categorical, change: Change, *, bound: str, reason: str) -> Edit | None:
    numbers: list[float] = [
        one for one in parameter.choices if isinstance(one, int | float) and not isinstance(one, bool)
    ]
    if len(numbers) < len(parameter.choices):
        return None
    was = max(numbers) if bound == "high" else min(numbers)
    to = _allowed(case, name, change(was), whole=_is_whole(case, name, was))
    kept = [one for one in numbers if (one <= to if bound == "high" else one >= to)]
    if len(kept) == len(numbers) and to != was:
        kept = [*numbers, to]
    return _edit(f"space.{name}.choices", numbers, list[JsonValue](kept) or [to], reason)


def settled(case: Case, name: str, value: str | float, *, reason: str) -> Edit | None:
    """Return the edit that makes every trial have one value; None where it has it, or the task knows no such thing.

    Of a range or choice nothing is left where the value is the task's default; another has to be among the choices.
    """
    if name not in case.knobs or case.settled[name] == value:
        return None
    parameter = _searched(case, name)
    if parameter is None:
        return _edit(f"task.fixed.{name}", case.settled[name], value, reason)
    if isinstance(parameter, Categorical):
        return _edit(f"space.{name}.choices", list(parameter.choices), [value], reason)
    if case.knobs[name].default == value:
        return _edit(f"space.{name}", _written(parameter), None, reason)
    return None


def offered(case: Case, name: str, choice: str, *, reason: str) -> Edit | None:
    """Return the edit that lets trials have one more choice beside the one that all have now; None where they may."""
    if name not in case.knobs or case.settled[name] == choice:
        return None
    parameter = _searched(case, name)
    if parameter is None:
        return _edit(f"task.fixed.{name}", case.settled[name], choice, reason)
    if not isinstance(parameter, Categorical) or choice in parameter.choices:
        return None
    return _edit(f"space.{name}.choices", list(parameter.choices), [*parameter.choices, choice], reason)


def searched(case: Case, name: str, parameter: Float | Int | Categorical, *, reason: str) -> Edit | None:
    """Return the edit that searches a hyperparameter that was left to its default; None where it was not."""
    fixed = case.spec.task.fixed if case.spec.task else {}
    if name not in case.knobs or name in fixed or _searched(case, name) is not None:
        return None
    return _edit(f"space.{name}", None, _written(parameter), reason)


def searched_instead(case: Case, name: str, parameter: Float | Int | Categorical, *, reason: str) -> Sequence[Edit]:
    """Return the edits, of use together alone, that search what is held fixed, or left to its default."""
    freed = _edit(f"task.fixed.{name}", case.settled[name], None, reason) if is_fixed(case, name) else None
    return [*([freed] if freed else []), Edit(path=f"space.{name}", was=None, to=_written(parameter), reason=reason)]


def is_choice(case: Case, name: str) -> bool:
    """Return whether the study searches it among choices."""
    return isinstance(_searched(case, name), Categorical)


def is_lowest(case: Case, name: str) -> bool:
    """Return whether the trial's value lies on the low end of the range in which it is searched."""
    parameter, value = _searched(case, name), case.params.get(name)
    if not isinstance(parameter, Float | Int) or not isinstance(value, int | float):
        return False
    if 0 < grids.size(parameter) < FEWEST_VALUES:
        return False
    return parameter.contains(value) and side(parameter, value) == "low"


def is_fixed(case: Case, name: str) -> bool:
    """Return whether the study says itself what value every trial has."""
    return case.spec.task is not None and name in case.spec.task.fixed


def was_tried(case: Case, name: str, value: str) -> bool:
    """Return whether a study that this one follows could have had the value."""
    return any(_can_be(case, spec, name, value) for spec in case.before)


def _can_be(case: Case, spec: StudySpec, name: str, value: str) -> bool:
    if name in spec.declared:
        return spec.declared[name].contains(value)
    fixed = spec.task.fixed if spec.task else {}
    return name in case.knobs and fixed.get(name, case.knobs[name].default) == value


def _searched(case: Case, name: str) -> Float | Int | Categorical | None:
    return case.spec.declared.root.get(name)


def _each(case: Case, name: str, value: Value, change: Change) -> Any:
    """Return a value changed, or each of a list."""
    if isinstance(value, tuple):
        return [_each(case, name, one, change) for one in value]
    if isinstance(value, bool | str):
        return value
    return _allowed(case, name, change(value), whole=_is_whole(case, name, value))


def _is_whole(case: Case, name: str, value: float) -> bool:
    """Return whether a hyperparameter has whole numbers only: one that may be a fraction can be written as 0 too."""
    knob = case.knobs.get(name)
    return isinstance(knob.allowed, Int) if knob else isinstance(value, int)


def _allowed(case: Case, name: str, value: float, *, whole: bool) -> float:
    """Return a value, or the nearest that the task allows, in round figures."""
    knob = case.knobs.get(name)
    if knob and not isinstance(knob.allowed, Categorical):
        value = min(max(value, knob.allowed.low), knob.allowed.high)
    return round(value) if whole else float(f"{value:.3g}")


def _written(parameter: Float | Int | Categorical) -> JsonValue:
    return {"type": parameter.type, **parameter.model_dump(mode="json", exclude_defaults=True)}


def _edit(path: str, was: Any, to: JsonValue, reason: str) -> Edit | None:
    shown = list(was) if isinstance(was, tuple) else was
    return None if shown == to else Edit(path=path, was=shown, to=to, reason=reason)
