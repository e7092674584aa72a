"""Exports of a study: its trials, or all that they reported, as one file that is never held whole."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from service.database import autocommit
from service.exports import columns, pages
from service.exports.columns import Column
from service.exports.writers import CsvWriter, JsonWriter, Writer
from service.replica import Replica
from service.storage import exports, studies
from trimtab.exports import ExportFormat, ExportTable
from trimtab.message import Message

Item = TypeVar("Item", bound=Message)


@dataclass(frozen=True)
class Export:
    """An export that is under way.

    Args:
        name: What the file may be called.
        content: Its parts. They end with an error where the file cannot be written to its end.
    """

    name: str
    content: Iterator[bytes]


def begin(replica: Replica, name: str, *, table: ExportTable, form: ExportFormat) -> Export:
    """Begin to export a study: what comes after this is read as it is taken.

    Raises:
        StudyNotFound: There is none of that name.
        Unavailable: The database is away or busy. `content` raises it too, and StudyDeleted.
    """
    with autocommit(replica.engine) as connection:
        study = studies.require(connection, name)
        metrics = exports.metrics(connection, study.study_id, limit=columns.MAX_METRICS)
    match table:
        case ExportTable.TRIALS:
            content = _written(_writer(form, columns.of_trials(study, metrics)), pages.of_trials(replica, study))
            return Export(f"{name}.{form}", content)
        case ExportTable.REPORTS:
            content = _written(_writer(form, columns.of_reports(metrics)), pages.of_reports(replica, study))
            return Export(f"{name}-reports.{form}", content)


def _writer(form: ExportFormat, shown: Sequence[Column[Item]]) -> Writer[Item]:
    match form:
        case ExportFormat.CSV:
            return CsvWriter(shown)
        case ExportFormat.JSON:
            return JsonWriter()
        case ExportFormat.PARQUET:
            from service.exports.parquet import ParquetWriter  # noqa: PLC0415  # as that module says

            return ParquetWriter(shown)


def _written(writer: Writer[Item], read: Iterator[Sequence[Item]]) -> Iterator[bytes]:
    parts = (writer.page(page) for page in read)
    yield writer.begin()
    yield from filter(None, parts)
    if rest := writer.end():
        yield rest
