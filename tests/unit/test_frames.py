"""Tables of a study: what is in their columns, and of which type that is."""

import sys
from datetime import timedelta
from typing import Any

import pandas as pd
import polars as pl
import pytest

from tests.unit.samples import NOON, trial
from trimtab.errors import Misconfigured
from trimtab.exports import ExportedReport
from trimtab.frames import columns
from trimtab.frames.making import Library, frame
from trimtab.protocol import Trial
from trimtab.states import Decision, Outcome, TrialState

METRIC = "validation_error"
TRIALS = [
    trial(
        0,
        state=TrialState.COMPLETE,
        params={"learning_rate": 0.5, "layers": 2, "units": (16, 8), "optimizer": "adam", "clip": True},
        values={METRIC: 0.25},
        metrics={METRIC: 0.25, "training_error": None},
        user_attributes={"note": "=1+1", "tree": {"a": [1]}},
        step=7,
        outcome=Outcome.COMPLETE,
        started_at=NOON,
        completed_at=NOON + timedelta(seconds=90),
    ),
    trial(1, params={"learning_rate": 1, "layers": 3, "units": (4, 4, 4), "optimizer": "sgd", "depth": "deep"}),
]


def report(number: int, step: int, value: float | None, attempt: int = 1) -> ExportedReport:
    return ExportedReport(
        number=number,
        attempt=attempt,
        step=step,
        metrics={METRIC: value},
        verdict=Decision.CONTINUE,
        reported_at=NOON,
    )


def cells(found: Any, column: str) -> list[object]:
    """The values of a column, missing ones as None."""
    if isinstance(found, pl.DataFrame):
        return found[column].to_list()
    return [None if pd.api.types.is_scalar(value) and pd.isna(value) else value for value in found[column]]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_trial_is_a_row_and_what_is_missing_is_missing(library: Library) -> None:
    found = frame(columns.of_trials(TRIALS, [METRIC]), library)

    assert len(found) == 2
    assert cells(found, "number") == [0, 1]
    assert cells(found, "value") == [0.25, None]
    assert cells(found, "state") == ["complete", "running"]
    assert cells(found, "params_learning_rate") == [0.5, 1.0]
    assert cells(found, "params_clip") == [True, None]
    assert cells(found, "params_depth") == [None, "deep"]
    assert [list(units) for units in found["params_units"]] == [[16, 8], [4, 4, 4]]
    assert cells(found, "metrics_training_error") == [None, None]
    assert cells(found, "user_attrs_note") == ["=1+1", None]
    assert cells(found, "user_attrs_tree") == [{"a": [1]}, None]
    assert cells(found, "duration") == [timedelta(seconds=90), None]
    assert cells(found, "datetime_start") == [NOON, None]
    assert cells(found, "outcome") == ["complete", None]


def test_columns_of_pandas_have_types_that_know_of_missing_values() -> None:
    found = frame(columns.of_trials(TRIALS, [METRIC]), "pandas")

    assert found.dtypes.astype(str).to_dict() == {
        "number": "Int64",
        "value": "float64",
        "datetime_start": "datetime64[us, UTC]",
        "datetime_complete": "datetime64[us, UTC]",
        "duration": "timedelta64[us]",
        "params_learning_rate": "float64",
        "params_layers": "Int64",
        "params_units": "object",
        "params_optimizer": "string",
        "params_clip": "boolean",
        "params_depth": "string",
        "user_attrs_note": "string",
        "user_attrs_tree": "object",
        "metrics_validation_error": "float64",
        "metrics_training_error": "float64",
        "state": "string",
        "step": "Int64",
        "attempts": "Int64",
        "is_feasible": "boolean",
        "outcome": "string",
        "reason": "string",
        "origin": "string",
        "worker": "string",
    }


def test_columns_of_polars_have_types() -> None:
    found = frame(columns.of_trials(TRIALS, [METRIC]), "polars")

    assert found.schema["params_units"] == pl.List(pl.Int64)
    assert found.schema["params_layers"] == pl.Int64
    assert found.schema["datetime_start"] == pl.Datetime("us", "UTC")


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize(
    "values",
    [[1, "one", True], [{"a": 1}, [1, "x"], None], [10**30, 1], [None, None]],
    ids=["mixed", "trees", "huge", "nothing"],
)
def test_whatever_a_trial_leaves_on_record_has_a_column(library: Library, values: list[Any]) -> None:
    trials = [trial(number, user_attributes={"x": value}) for number, value in enumerate(values)]

    found = frame(columns.of_trials(trials, [METRIC]), library)

    assert cells(found, "user_attrs_x") == values


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("lists", [[(1, 2.5), ()], [("a",), ("b", "c")], [(True, False), ()], [(), ()]])
def test_lists_of_params_are_lists_in_their_cells(library: Library, lists: list[tuple[Any, ...]]) -> None:
    trials = [trial(number, params={"units": units}) for number, units in enumerate(lists)]

    found = frame(columns.of_trials(trials, [METRIC]), library)

    assert [tuple(units) for units in found["params_units"]] == lists


def test_each_of_several_objectives_has_a_column() -> None:
    trials = [trial(0, values={"error": 0.5, "size": 3.0})]

    names = [column.name for column in columns.of_trials(trials, ["error", "size"])]

    assert names[:3] == ["number", "values_error", "values_size"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_study_without_trials_is_a_frame_without_rows(library: Library) -> None:
    trials: list[Trial] = []

    found = frame(columns.of_trials(trials, [METRIC]), library)

    assert len(found) == 0
    assert {"number", "value", "state"} <= set(found.columns)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_curve_is_one_run(library: Library) -> None:
    first = [report(0, step, step / 10) for step in (1, 2, 3, 4)]
    second = [report(0, 3, 0.7, attempt=2), report(0, 4, None, attempt=2)]

    found = frame(columns.of_curves([*first, *second, report(1, 1, 0.5)]), library)

    assert cells(found, "number") == [0, 0, 0, 0, 1]
    assert cells(found, "step") == [1, 2, 3, 4, 1]
    assert cells(found, "value") == [0.1, 0.2, 0.7, None, 0.5]
    assert set(cells(found, "metric")) == {METRIC}


def test_curves_of_nothing_have_their_columns() -> None:
    assert list(frame(columns.of_curves([]), "pandas")) == ["number", "step", "metric", "value"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_library_that_is_not_installed_is_named_with_what_to_do(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(Misconfigured, match=f"pip install {library}"):
        frame([], library)


def test_another_library_is_refused() -> None:
    with pytest.raises(Misconfigured, match="pandas or polars, not 'arrow'"):
        frame([], "arrow")  # type: ignore[call-overload]  # that it is none is the point
