"""Studies that follow another one: its task once more, at points that are given, for a purpose of their own.

Their trials are enqueued when they are made, as many as the budget has, so nothing is ever sampled in them; leases,
attempts, checkpoints and limits are those of every study.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import sqlalchemy as sa

from service import limits
from service.naming import ending_in
from service.sampling import chance
from service.storage import given as stored
from service.storage import locks, studies
from service.storage.studies import StudyRow
from trimtab.budget import Budget, Limits
from trimtab.errors import Conflict, Invalid, StudyNotFound
from trimtab.lists import Misshapen
from trimtab.message import FlatParams, Params, Value
from trimtab.objectives import Objective
from trimtab.protocol import FieldProblem
from trimtab.pruners import NoPruner
from trimtab.samplers import RandomSampler
from trimtab.space import Categorical, Float, Int, Scale, Space
from trimtab.spec import StudySpec, TaskSpec
from trimtab.states import Direction, Purpose
from trimtab.validation import built

_FOLLOWED = {Purpose.SEARCH, Purpose.PRESCRIPTION}


@dataclass(frozen=True)
class Companion:
    """A study that is to follow another one.

    Args:
        purpose: What it is for; it gives the name its ending.
        task: As each of its trials trains. What it holds fixed and the other study searches goes into the points.
        metric: Its objective.
        points: What its trials train, one trial each. What the space has and a point lacks is drawn by chance.
        seed: All the randomness of its trials.
        direction: Which values of the metric are better.
    """

    purpose: Purpose
    task: TaskSpec
    metric: str
    points: Sequence[Params]
    seed: int
    direction: Direction = Direction.MINIMIZE


def locked_parent(connection: sa.Connection, name: str) -> tuple[StudyRow, TaskSpec]:
    """Lock a study that others are to follow; return it and its task. One companion of a study is made at a time.

    Raises:
        StudyNotFound: There is none of that name.
        Conflict: It follows another one itself, or has no task, so nobody knows how to train for it.
    """
    if locks.lock_study_named(connection, name) is None:
        raise StudyNotFound(f"there is no study {name!r}")
    parent = studies.require(connection, name)
    if parent.purpose not in _FOLLOWED:
        remedy = f"ask for that of {parent.parent!r}" if parent.parent else "the study that it followed is deleted"
        raise Conflict(f"study {name!r} is a {parent.purpose} itself: {remedy}")
    if parent.spec.task is None:
        raise Conflict(f"study {name!r} has no task: how its trials are trained is known to whoever asks for them only")
    return parent, parent.spec.task


def follow(connection: sa.Connection, parent: StudyRow, wanted: Companion) -> StudyRow:
    """Make a companion of a study, in the transaction that locked it; return it, its trials waiting.

    Raises:
        Invalid: A point, or what is fixed, does not go with the task.
    """
    searched = parent.current_spec.declared
    settled = {name: value for name, value in wanted.task.fixed.items() if name in searched}
    points = [{**point, **settled} for point in wanted.points]
    task = wanted.task.model_copy(
        update={"fixed": {name: value for name, value in wanted.task.fixed.items() if name not in settled}}
    )
    replaced = {name for point in wanted.points for name in point.keys() & settled if point[name] != settled[name]}
    space = _reaching(_loosened(searched, replaced, points), points)
    spec = _spec(parent.current_spec, wanted, task, space)
    made = _stored(connection, parent, wanted.purpose, spec)
    for number, point in enumerate(points):
        _enqueue(connection, made, point, number)
    return studies.require(connection, made.spec.name)


def _spec(parent: StudySpec, wanted: Companion, task: TaskSpec, space: Mapping[str, object]) -> StudySpec:
    return built(
        StudySpec,
        {
            "name": parent.name,
            "task": task,
            "space": space,
            "objectives": (Objective(metric=wanted.metric, direction=wanted.direction),),
            "sampler": RandomSampler(name="random", seed=wanted.seed),
            "pruner": NoPruner(name="none"),
            "budget": Budget(trials=len(wanted.points)),
            "max_attempts": parent.max_attempts,
            "limits": _limits(parent, wanted),
            "diagnosis": parent.diagnosis,
            "tags": parent.tags,
            "priority": parent.priority,
        },
    ).resolved()


def _limits(parent: StudySpec, wanted: Companion) -> Limits:
    """Return how long an attempt may take; but for a confirmation it trains once, and no longer than the parent's."""
    before = limits.length(parent)
    trainings = wanted.task.trainings if wanted.purpose is Purpose.CONFIRMATION else 0
    return limits.lengthened(parent.limits, before, replace(before, trainings=trainings))


def _loosened(space: Space, replaced: Collection[str], points: Sequence[Params]) -> Space:
    """Return the space without conditions on what is replaced: points keep what they had under them, and get no more.

    What a trial of 50 epochs was given because they were 50 belongs to the 7 of its final model too.
    """
    if not replaced:
        return space
    kept: dict[str, Float | Int | Categorical] = {}
    for name in (name for name in space if any(name in point for point in points)):
        when = {parent: values for parent, values in (space[name].when or {}).items() if parent not in replaced}
        kept[name] = space[name].model_copy(update={"when": when or None})
    return Space(kept)


def _reaching(space: Space, points: Iterable[Params]) -> Mapping[str, Mapping[str, object]]:
    """Return the space with bounds and choices that hold every point.

    A trial may be older than the bounds of its study, and a final model's epochs are those that were of use.
    """
    parameters = {name: dict(parameter) for name, parameter in space.root.items()}
    for point in points:
        for name in point.keys() & parameters.keys():
            parameters[name] |= _widened(space[name], parameters[name], point[name])
    return parameters


def _widened(parameter: Float | Int | Categorical, known: Mapping[str, Any], value: Value) -> Mapping[str, object]:
    """Return what of a parameter has to change so that it holds a value, or each of a list, beside what it held."""
    values = value if isinstance(value, tuple) else (value,)
    if isinstance(parameter, Categorical):
        return {"choices": tuple(dict.fromkeys((*known["choices"], *values)))}
    numbers = [one for one in values if isinstance(one, int | float)]
    low, high = min([known["low"], *numbers]), max([known["high"], *numbers])
    # Zero, such as a patience that is off, has no place on a log scale.
    return {"low": low, "high": high, "scale": known["scale"] if low > 0 else Scale.LINEAR}


def _stored(connection: sa.Connection, parent: StudyRow, purpose: Purpose, spec: StudySpec) -> StudyRow:
    for name in _names(parent.spec.name, purpose):
        named = spec.model_copy(update={"name": name})
        if studies.insert(connection, named, purpose=purpose, parent_id=parent.study_id):
            return studies.require(connection, name)
    raise AssertionError("there is no end of names")


def _names(parent: str, purpose: Purpose) -> Iterator[str]:
    """Return what companions may be called, the first of them first."""
    for number in count(1):
        yield ending_in(f".{purpose}" if number == 1 else f".{purpose}-{number}", parent)


def _enqueue(connection: sa.Connection, made: StudyRow, params: Params, number: int) -> None:
    locked = locks.lock_study_by_id(connection, made.study_id)
    assert locked is not None, "it was just made"
    seed = chance.filling_seed(made.spec.sampler.seed, number)
    point = chance.drawn(made.spec.searched, made.dimensions, _checked(made.spec, params), seed=seed)
    stored.enqueue(connection, locked, made.dimensions, point)


def _checked(spec: StudySpec, params: Params) -> FlatParams:
    """Return a point, flat. Off the grid of a parameter is no fault: the grid may have moved since."""
    try:
        flat = spec.flattened(params)
    except Misshapen as error:
        raise _misfit(error.name, str(error)) from error
    for name, value in flat.items():
        if name not in spec.searched:
            raise _misfit(name, "is no parameter of the study")
        if not spec.searched[name].contains(value):
            raise _misfit(name, f"cannot be {value!r}; {spec.searched[name].described()}")
    return flat


def _misfit(name: str, text: str) -> Invalid:
    return Invalid("the task cannot be trained so", errors=[FieldProblem(field=f"params.{name}", message=text)])
