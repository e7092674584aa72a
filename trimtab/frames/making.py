"""Frames of columns: of pandas, or of polars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, overload

from trimtab.errors import Misconfigured
from trimtab.frames.columns import Column, Kind

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Library = Literal["pandas", "polars"]

_PANDAS = {
    Kind.INTEGER: "Int64",
    Kind.NUMBER: "float64",
    Kind.TRUTH: "boolean",
    Kind.TEXT: "string",
    Kind.TIME: "datetime64[us, UTC]",
    Kind.DURATION: "timedelta64[us]",
    Kind.LIST: "object",
    Kind.MIXED: "object",
}
"""Types that know of missing values."""


@overload
def frame(columns: Sequence[Column], library: Literal["pandas"]) -> pd.DataFrame: ...
@overload
def frame(columns: Sequence[Column], library: Literal["polars"]) -> pl.DataFrame: ...
@overload
def frame(columns: Sequence[Column], library: Library) -> pd.DataFrame | pl.DataFrame: ...
def frame(columns: Sequence[Column], library: Library) -> pd.DataFrame | pl.DataFrame:
    """Return columns as a frame.

    Raises:
        Misconfigured: The library is not installed, or is neither.
    """
    try:
        match library:
            case "pandas":
                return _of_pandas(columns)
            case "polars":
                return _of_polars(columns)
    except ModuleNotFoundError as error:
        raise Misconfigured(f"a frame of {library} needs it installed: pip install {library}") from error
    raise Misconfigured(f"a frame is of pandas or polars, not {library!r}")


def _of_pandas(columns: Sequence[Column]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415  # only frames need it, and it takes a second

    return pd.DataFrame({column.name: pd.Series(column.values, dtype=_PANDAS[column.kind]) for column in columns})


def _of_polars(columns: Sequence[Column]) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415  # likewise

    types = {
        Kind.INTEGER: pl.Int64(),
        Kind.NUMBER: pl.Float64(),
        Kind.TRUTH: pl.Boolean(),
        Kind.TEXT: pl.String(),
        Kind.TIME: pl.Datetime("us", "UTC"),
        Kind.DURATION: pl.Duration("us"),
        Kind.LIST: None,
        Kind.MIXED: pl.Object(),
    }
    return pl.DataFrame([pl.Series(column.name, column.values, types[column.kind], strict=False) for column in columns])
