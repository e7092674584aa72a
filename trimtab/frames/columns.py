"""What is in the tables of a study: columns that have a name, a kind and a value or None for each row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from itertools import groupby
from operator import attrgetter
from typing import Any

from trimtab.exports import ExportedReport
from trimtab.protocol import Trial

_INT64 = range(-(2**63), 2**63)


class Kind(Enum):
    """What the values of a column are."""

    INTEGER = auto()
    NUMBER = auto()
    TRUTH = auto()
    TEXT = auto()
    TIME = auto()
    DURATION = auto()
    LIST = auto()
    MIXED = auto()


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        name: Of it.
        kind: Of its values.
        values: One for each row; None: there is none.
    """

    name: str
    kind: Kind
    values: Sequence[Any]


def of_trials(trials: Sequence[Trial], objectives: Sequence[str]) -> list[Column]:
    """Return a row for each trial, under the names that Optuna's frames have for the same things.

    Args:
        trials: Of a study.
        objectives: Its metrics: one is `value`, of several each is `values_` and its name.
    """
    names = ["value"] if len(objectives) == 1 else [f"values_{metric}" for metric in objectives]
    return [
        _field("number", Kind.INTEGER, trials),
        *(
            Column(name, Kind.NUMBER, [trial.values.get(metric) for trial in trials])
            for name, metric in zip(names, objectives, strict=True)
        ),
        Column("datetime_start", Kind.TIME, [trial.started_at for trial in trials]),
        Column("datetime_complete", Kind.TIME, [trial.completed_at for trial in trials]),
        Column("duration", Kind.DURATION, [_duration(trial) for trial in trials]),
        *_spread("params", [trial.params for trial in trials]),
        *_spread("user_attrs", [trial.user_attributes for trial in trials]),
        *_spread("metrics", [trial.metrics for trial in trials], Kind.NUMBER),
        _field("state", Kind.TEXT, trials),
        _field("step", Kind.INTEGER, trials),
        _field("attempts", Kind.INTEGER, trials),
        _field("is_feasible", Kind.TRUTH, trials),
        _field("outcome", Kind.TEXT, trials),
        _field("reason", Kind.TEXT, trials),
        _field("origin", Kind.TEXT, trials),
        _field("worker", Kind.TEXT, trials),
    ]


def of_curves(reports: Iterable[ExportedReport]) -> list[Column]:
    """Return a row for each figure of the curve of each trial.

    Args:
        reports: By trial, and of each in the order in which they came.
    """
    rows = [
        (report.number, report.step, metric, figure)
        for _, of_trial in groupby(reports, attrgetter("number"))
        for report in _curve(of_trial)
        for metric, figure in report.metrics.items()
    ]
    numbers, steps, metrics, figures = zip(*rows, strict=True) if rows else ((), (), (), ())
    return [
        Column("number", Kind.INTEGER, numbers),
        Column("step", Kind.INTEGER, steps),
        Column("metric", Kind.TEXT, metrics),
        Column("value", Kind.NUMBER, figures),
    ]


def _curve(reports: Iterable[ExportedReport]) -> list[ExportedReport]:
    """Return one run: a next lease that starts again at a step cuts what was reported from there on."""
    kept: list[ExportedReport] = []
    for report in reports:
        while kept and kept[-1].step >= report.step:
            kept.pop()
        kept.append(report)
    return kept


def _field(name: str, kind: Kind, trials: Sequence[Trial]) -> Column:
    values = [getattr(trial, name) for trial in trials]
    # The values of enumerations are texts of a class of their own.
    return Column(
        name, kind, [None if value is None else str(value) for value in values] if kind is Kind.TEXT else values
    )


def _duration(trial: Trial) -> timedelta | None:
    return trial.completed_at - trial.started_at if trial.started_at and trial.completed_at else None


def _spread(prefix: str, rows: Sequence[Mapping[str, object]], kind: Kind | None = None) -> list[Column]:
    """Return a column for each name that a row has, in the order in which they come up."""
    found = []
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        found.append(Column(f"{prefix}_{name}", kind or _kind(values), values))
    return found


def _kind(values: Iterable[object]) -> Kind:
    """Return what all values are that are there."""
    there = [value for value in values if value is not None]
    types = {type(value) for value in there}
    if types == {tuple}:
        return Kind.LIST
    if types == {bool}:
        return Kind.TRUTH
    if types == {str}:
        return Kind.TEXT
    if types == {int} and all(value in _INT64 for value in there):
        return Kind.INTEGER
    return Kind.NUMBER if types in ({float}, {int, float}) else Kind.MIXED
