"""Times in rows that a model is asked about are what they were in the data that it was trained on."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from service.datasets import numbers
from trimtab.models.columns import Column
from trimtab.models.errors import RowsUnfit
from trimtab.models.given import Given, rows_of
from trimtab.models.preprocessing import Preprocessing

WHEN = Preprocessing(columns=(Column("when"),), image=None, scales=())
MOMENT = "2020-01-02T03:04:05.123456789"
SECONDS = 1577934245.123456789


def taken(given: Given) -> list[float]:
    """Return the one column as a model takes it."""
    column: list[float] = rows_of(given, WHEN).columns["when"].tolist()
    return column


UNITS = ("s", "ms", "us", "ns")
TIMES: dict[str, Any] = {
    **{f"points {unit}": np.array([MOMENT, "NaT", "1969-12-31"], f"datetime64[{unit}]") for unit in (*UNITS, "D")},
    **{f"lengths {unit}": np.array([10**15 + 1, "NaT", -3], f"timedelta64[{unit}]") for unit in UNITS},
    "points": [datetime.fromisoformat("2020-01-02T03:04:05.123456"), None, datetime.fromisoformat("0001-01-01")],
    "points of a zone": [datetime(2020, 1, 2, 3, tzinfo=timezone(timedelta(hours=5)))],
    "days": [date(2020, 1, 2), date(1900, 1, 1)],
    "lengths": [timedelta(days=400, microseconds=7), timedelta(days=-1)],
    "times of day": [time(23, 59, 59, 999999), time(1)],
}


@pytest.mark.parametrize("values", TIMES.values(), ids=TIMES)
def test_times_are_the_seconds_that_data_sets_keep(values: Any) -> None:
    kept = numbers.floats(pa.chunked_array([pa.array(values)]))

    np.testing.assert_array_equal(taken([[value] for value in values]), kept)
    np.testing.assert_array_equal(taken([{"when": value} for value in values]), kept)
    np.testing.assert_array_equal(taken(np.array([[value] for value in values])), kept)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("zone", [None, UTC])
def test_columns_of_pandas_are_in_seconds_too(unit: Any, zone: Any) -> None:
    whole = pd.Series(pd.to_datetime([MOMENT, "NaT"]).as_unit(unit)).dt.tz_localize(zone)
    frame = pd.DataFrame({"when": whole})
    lengths = pd.DataFrame({"when": whole - whole[0] + pd.Timedelta(days=400, nanoseconds=1).as_unit(unit)})

    for rows in (frame.to_numpy(), frame.to_dict("records"), frame.astype(object).to_numpy().tolist()):
        assert taken(rows) == pytest.approx([SECONDS, np.nan], abs=1 if unit == "s" else 1e-3, nan_ok=True)
    assert taken(lengths.to_numpy()) == pytest.approx([400 * 86_400, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (np.datetime64("2020"), 1577836800.0),
        (np.datetime64("2020-02"), 1580515200.0),
        (np.timedelta64(2**62, "W"), 2.0**62 * 604_800),
        (np.timedelta64(3, "as"), 3e-18),
        (np.datetime64(3, ("s", 25)), 75.0),
    ],
)
def test_other_units_of_numpy_are_seconds_too(value: Any, seconds: float) -> None:
    assert taken([[value]]) == [seconds]


@pytest.mark.parametrize("value", [np.timedelta64(3, "M"), np.timedelta64(3, "Y"), np.timedelta64(3)])
def test_a_length_that_is_no_number_of_seconds_is_refused(value: Any) -> None:
    with pytest.raises(RowsUnfit, match=r"row 0, column when: .* is no number"):
        taken([[value]])


@pytest.mark.parametrize(
    "text", ["2024-08-14", "2024-08-14 10:30", "2024-08-14T10:30:00.123456789Z", "10:30", " 10:30:01 "]
)
def test_a_time_as_text_is_refused_with_how_times_are_given(text: str) -> None:
    with pytest.raises(
        RowsUnfit, match=r"row 0, column when: '.*' is no number: a time is given as a datetime, a date"
    ):
        taken([{"when": text}])


@pytest.mark.parametrize("value", ["", "much", "14.8.2024", "2024-13-01", 10**400])
def test_what_is_no_time_either_is_refused_as_no_number(value: Any) -> None:
    with pytest.raises(RowsUnfit, match=r"row 0, column when: .* is no number$"):
        taken([{"when": value}])
