"""Writes a table as Parquet: columns with types, a row group for every few thousand rows.

Imported where somebody asks for it: Arrow takes 28 MB of memory for itself.
"""

import io
from collections.abc import Sequence
from typing import Any, Generic

import pyarrow as pa
import pyarrow.parquet as pq

from service.exports.columns import Column, Item, Kind, as_json

GROUP_ROWS = 5_000
"""What is held: some megabytes. Smaller groups take more room and time."""

_TYPES: dict[Kind, pa.DataType] = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.TRUTH: pa.bool_(),
    Kind.TIME: pa.timestamp("us", tz="UTC"),
    Kind.JSON: pa.string(),
}


class ParquetWriter(Generic[Item]):
    """Parquet.

    Args:
        columns: Of the table.
    """

    def __init__(self, columns: Sequence[Column[Item]]) -> None:
        self._columns = columns
        self._schema = pa.schema([(column.name, _type(column)) for column in columns])
        self._sink = _Sink()
        self._file = pq.ParquetWriter(self._sink, self._schema)
        self._held: list[pa.RecordBatch] = []

    def begin(self) -> bytes:
        """Return how such a file begins."""
        return self._sink.taken()

    def page(self, items: Sequence[Item]) -> bytes:
        """Hold the items; return a row group when there are enough."""
        arrays = [
            pa.array([_cell(column, column.read(item)) for item in items], _type(column)) for column in self._columns
        ]
        self._held.append(pa.record_batch(arrays, schema=self._schema))
        if sum(batch.num_rows for batch in self._held) >= GROUP_ROWS:
            self._write()
        return self._sink.taken()

    def end(self) -> bytes:
        """Return the last row group and the description of the file, without which nobody can read it."""
        self._write()
        self._file.close()
        return self._sink.taken()

    def _write(self) -> None:
        if self._held:
            self._file.write_table(pa.Table.from_batches(self._held), row_group_size=2 * GROUP_ROWS)
            self._held.clear()


class _Sink(io.RawIOBase):
    """Holds what was written until somebody takes it."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        self._size += len(data)
        return len(data)

    def tell(self) -> int:
        return self._size

    def taken(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken


def _type(column: Column[Any]) -> pa.DataType:
    return pa.list_(_TYPES[column.kind]) if column.is_list else _TYPES[column.kind]


def _cell(column: Column[Any], value: object) -> object:
    if value is None:
        return None
    if column.is_list and isinstance(value, Sequence):
        return [_scalar(column.kind, each) for each in value]
    return _scalar(column.kind, value)


def _scalar(kind: Kind, value: object) -> object:
    match kind:
        case Kind.JSON:
            return as_json(value)
        case Kind.NUMBER if isinstance(value, int):
            return float(value)
        case _:
            return value
