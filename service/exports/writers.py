"""What writes a table: a part for each page, so that no more than that is ever held."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from service.exports.columns import Column, Item, Kind, as_json
from trimtab.message import Message

Written_contra = TypeVar("Written_contra", bound=Message, contravariant=True)


class Writer(Protocol[Written_contra]):
    """Writes a table."""

    def begin(self) -> bytes:
        """Return what is before the first row."""

    def page(self, items: Sequence[Written_contra]) -> bytes:
        """Return what can be written of the rows so far."""

    def end(self) -> bytes:
        """Return the rest."""


class CsvWriter(Generic[Item]):
    """Comma-separated values with a line of names, in UTF-8.

    Texts are as they are: what begins with "=" is a formula to a spreadsheet.

    Args:
        columns: Of the table.

    Source: RFC 4180.
    """

    def __init__(self, columns: Sequence[Column[Item]]) -> None:
        self._columns = columns

    def begin(self) -> bytes:
        """Return the line of names."""
        return _lines([[column.name for column in self._columns]])

    def page(self, items: Sequence[Item]) -> bytes:
        """Return a line for each item."""
        return _lines([[_cell(column, column.read(item)) for column in self._columns] for item in items])

    def end(self) -> bytes:
        """Return nothing."""
        return b""


class JsonWriter(Generic[Item]):
    """One array, an item a line."""

    def __init__(self) -> None:
        self._before = b"["

    def begin(self) -> bytes:
        """Return nothing."""
        return b""

    def page(self, items: Sequence[Item]) -> bytes:
        """Return the items."""
        if not items:
            return b""
        before, self._before = self._before, b","
        return before + b"\n" + b",\n".join(item.model_dump_json().encode() for item in items)

    def end(self) -> bytes:
        """Return the end of the array."""
        return (b"[" if self._before == b"[" else b"\n") + b"]\n"


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cell(column: Column[Item], value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return as_json(value)
        case datetime():
            return value.isoformat()
        case float() if value != value:  # noqa: PLR0124  # as NaN alone is
            return "NaN"
    return as_json(value) if column.is_list or column.kind is Kind.JSON else str(value)
