"""CSV (RFC 4180): a first row of names, values with commas between them, UTF-8."""

import csv
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow

from service.datasets import canonical, numbers, tables
from service.datasets.canonical import Content
from service.datasets.unfit import Problems, refuse, shown
from trimtab.datasets import TargetKind

_BLOCK_BYTES = 2**24
"""Read at once; no row may be longer."""

_OTHER_SEPARATORS = {";", "\t", "|"}


def read(path: Path, *, target: str | None, kind: TargetKind, most_bytes: int) -> Content:
    """Return the data set that a file holds.

    Raises:
        Unfit: It holds none that can be trained on.
    """
    names = _names(path)
    if not names:
        refuse("body", "begins with an empty line: the first row has the names" if path.stat().st_size else "is empty")
    if len(names) == 1 and (found := _OTHER_SEPARATORS.intersection(names[0])):
        refuse("body", f"has {shown(found.pop())} between its values: save it with commas")
    tables.check_names(names)
    learned = tables.check_target(names, target)
    content = tables.read(_table(path), target=learned, kind=kind, is_typed=False, most_bytes=most_bytes)
    if not all(map(_is_number, names)):
        return content
    return canonical.warned(content, "the names of all columns are numbers: does the file begin with a row of names?")


def _names(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file), [])
    except UnicodeDecodeError:
        _refuse_encoding(path)
    except csv.Error as error:
        refuse("body", f"is no CSV: {error}")


def _refuse_encoding(path: Path) -> NoReturn:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                refuse(f"line {number}", numbers.NOT_TEXT)
    refuse("body", numbers.NOT_TEXT)


def _table(path: Path) -> pa.Table:
    ragged = Problems()

    def note(row: arrow.InvalidRow) -> str:
        text = f"has {row.actual_columns} values: the first row has {row.expected_columns} names"
        ragged.add(f"row {row.number - 1}", text)
        return "skip"

    try:
        table = arrow.read_csv(
            path,
            # One thread counts rows.
            read_options=arrow.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
            parse_options=arrow.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
            convert_options=arrow.ConvertOptions(null_values=numbers.MISSING, strings_can_be_null=True),
        )
    except pa.ArrowInvalid as error:
        refuse("body", f"is no CSV that can be read: {error}")
    ragged.settle()
    if any(numbers.is_binary(column.type) for column in table.columns):
        _refuse_encoding(path)
    _check_quotes(path, table)
    return table


def _check_quotes(path: Path, table: pa.Table) -> None:
    """Refuse a quotation mark that takes rows into its value: Arrow reads on to the next one, or to the end."""
    words = [column for column in table.columns if numbers.is_text(column.type)]
    if not any(pc.any(pc.match_substring_regex(column, r"[\r\n]")).as_py() for column in words):
        return
    csv.field_size_limit(_BLOCK_BYTES)
    begins_at = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for _ in reader:
                begins_at = reader.line_num + 1
    except csv.Error:
        text = (
            "has a quotation mark that is not closed where its value ends, so that it holds rows that follow: close it"
        )
        refuse(f"line {begins_at}", text)


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True
