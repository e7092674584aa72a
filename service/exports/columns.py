"""The columns of an exported table: what is a tree in JSON, flat.

{"number": 0, "params": {"x": 0.5}, "metrics": {"error": 0.1}}  -->  number  params.x  metrics.error
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from operator import attrgetter
from typing import Any, Generic, TypeVar

from service.storage.studies import StudyRow
from trimtab.exports import ExportedReport
from trimtab.message import Message, Metrics, Params, Value
from trimtab.protocol import Trial
from trimtab.space import MAX_INT, Categorical, Float, Int, Space

MAX_METRICS = 256
"""That have a column of their own; the metrics of those beyond are in `other_metrics`."""

Item = TypeVar("Item", bound=Message)


class Kind(Enum):
    """What is in a column."""

    TEXT = "text"
    INTEGER = "an integer of 64 bits"
    NUMBER = "a double"
    TRUTH = "true or false"
    TIME = "a time in UTC"
    JSON = "JSON, as a text"


@dataclass(frozen=True)
class Column(Generic[Item]):
    """A column.

    Args:
        name: What is before the first dot says what it is.
        kind: What is in it.
        read: Finds it in an item; None: it has none.
        is_list: Whether an item has a list of such values.
    """

    name: str
    kind: Kind
    read: Callable[[Item], Any]
    is_list: bool = False


def of_trials(study: StudyRow, metrics: Sequence[str]) -> list[Column[Trial]]:
    """Return the columns of the trials of a study.

    Args:
        study: The study.
        metrics: That get a column of their own.
    """
    return [
        _field("number", Kind.INTEGER),
        _field("state", Kind.TEXT),
        *(_value(objective.metric) for objective in study.spec.objectives),
        *_params(study.declared, may_have_others=study.spec.is_define_by_run),
        *_metrics(metrics),
        _field("step", Kind.INTEGER),
        _field("outcome", Kind.TEXT),
        _field("reason", Kind.TEXT),
        _field("is_feasible", Kind.TRUTH),
        _field("origin", Kind.TEXT),
        _field("worker", Kind.TEXT),
        _field("attempts", Kind.INTEGER),
        _field("fallback", Kind.TEXT),
        _field("split", Kind.TEXT),
        _field("started_at", Kind.TIME),
        _field("completed_at", Kind.TIME),
        Column("user_attributes", Kind.JSON, lambda trial: trial.user_attributes or None),
    ]


def of_reports(metrics: Sequence[str]) -> list[Column[ExportedReport]]:
    """Return the columns of the reports of a study, of which `metrics` get one of their own."""
    return [
        _field("number", Kind.INTEGER),
        _field("attempt", Kind.INTEGER),
        _field("step", Kind.INTEGER),
        *_metrics(metrics),
        _field("verdict", Kind.TEXT),
        _field("reason", Kind.TEXT),
        _field("reported_at", Kind.TIME),
    ]


def _field(name: str, kind: Kind) -> Column[Any]:
    return Column(name, kind, attrgetter(name))


def _value(metric: str) -> Column[Trial]:
    return Column(f"values.{metric}", Kind.NUMBER, lambda trial: trial.values.get(metric))


def _params(space: Space, *, may_have_others: bool) -> list[Column[Trial]]:
    """Return the columns of parameters; where trials may have others, one more for what goes into none of them."""
    kinds = {name: _kind(parameter) for name, parameter in space.root.items()}
    own = [
        Column[Trial](f"params.{name}", kinds[name], partial(_param, name, kinds[name]), parameter.per is not None)
        for name, parameter in space.root.items()
    ]
    return [*own, Column("other_params", Kind.JSON, partial(_other_params, kinds))] if may_have_others else own


def _param(name: str, kind: Kind, trial: Trial) -> Value | None:
    value = trial.params.get(name)
    return value if _fits(kind, value) else None


def _other_params(kinds: Mapping[str, Kind], trial: Trial) -> Params | None:
    return {
        name: value for name, value in trial.params.items() if name not in kinds or not _fits(kinds[name], value)
    } or None


def _fits(kind: Kind, value: Value | None) -> bool:
    """Return whether a column may have a value: what was given to a trial is not looked at before it is asked for."""
    if isinstance(value, tuple):
        return all(_fits(kind, each) for each in value)
    match kind:
        case Kind.TEXT:
            return isinstance(value, str)
        case Kind.TRUTH:
            return isinstance(value, bool)
        case Kind.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_INT
        case Kind.NUMBER:
            return isinstance(value, float) or _fits(Kind.INTEGER, value)
        case _:
            return value is not None


def _kind(parameter: Float | Int | Categorical) -> Kind:
    match parameter:
        case Float():
            return Kind.NUMBER
        case Int():
            return Kind.INTEGER
        case Categorical(choices=choices):
            return _kind_of(choices)


def _kind_of(choices: Sequence[object]) -> Kind:
    types = {type(choice) for choice in choices}
    if types == {str}:
        return Kind.TEXT
    if types == {bool}:
        return Kind.TRUTH
    if any(isinstance(choice, int) and abs(choice) > MAX_INT for choice in choices):
        return Kind.JSON
    if types == {int}:
        return Kind.INTEGER
    return Kind.NUMBER if types <= {int, float} else Kind.JSON


def _metrics(names: Sequence[str]) -> list[Column[Any]]:
    """Return the columns of metrics, and one for those that have none: that came since, or are too many."""
    own = [Column[Any](f"metrics.{name}", Kind.NUMBER, partial(_figure, name)) for name in names]
    return [*own, Column("other_metrics", Kind.JSON, partial(_others, frozenset(names)))]


def _figure(name: str, item: Trial | ExportedReport) -> float | None:
    if name not in item.metrics:
        return None
    figure = item.metrics[name]
    return float("nan") if figure is None else figure


def _others(known: frozenset[str], item: Trial | ExportedReport) -> Metrics | None:
    return {name: figure for name, figure in item.metrics.items() if name not in known} or None


def as_json(value: object) -> str:
    """Return a value as JSON in a text."""
    return json.dumps(value, ensure_ascii=False)
