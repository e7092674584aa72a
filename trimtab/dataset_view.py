"""What people see of data sets in a terminal or in a pipe."""

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trimtab.datasets import Dataset, DatasetColumn
from trimtab.rendering import printable

LISTED = 50
"""Columns and classes that are shown: a table can have ten thousand."""


def datasets_table(datasets: Iterable[Dataset]) -> Table:
    """Return a line for each data set."""
    table = _table("DATA SET", "VERSION", "PROBLEM", "EXAMPLES", "INPUTS", "CLASSES", "PUT")
    for dataset in datasets:
        put = f"{dataset.created_at:%Y-%m-%d %H:%M}" if dataset.created_at else ""
        classes = str(len(dataset.classes) or "")
        version = str(dataset.version or "built in")
        table.add_row(dataset.name, version, dataset.problem, str(dataset.examples), _inputs(dataset), classes, put)
    return table


def dataset_view(dataset: Dataset) -> RenderableType:
    """Return all there is to say about a data set."""
    return Group(*_parts(dataset))


def _parts(dataset: Dataset) -> Iterator[RenderableType]:
    version = f"version {dataset.version}" if dataset.version else "built in"
    yield Text(f"{dataset.name}, {version}: {dataset.problem}, {dataset.examples} examples, {_inputs(dataset)}")
    if dataset.target:
        yield Text(printable(f"learned: {dataset.target}"))
    if dataset.sha256:
        yield Text(f"content: {dataset.sha256}, {dataset.size} bytes")
    for warning in dataset.warnings:
        yield Text(printable(f"warning: {warning}"))
    if dataset.columns:
        yield _columns(dataset.columns)
    if dataset.classes:
        yield _classes(dataset)


def _inputs(dataset: Dataset) -> str:
    if dataset.image:
        return "images of {} x {} x {}".format(*dataset.image)
    return f"{len(dataset.columns)} columns"


def _columns(columns: list[DatasetColumn]) -> Table:
    table = _table("COLUMN", "HOLDS", "MISSING")
    for column in columns[:LISTED]:
        holds = f"{column.categories} categories" if column.categories is not None else column.kind
        table.add_row(printable(column.name), holds, str(column.missing or ""))
    if len(columns) > LISTED:
        table.add_row("…", f"{len(columns) - LISTED} more")
    return table


def _classes(dataset: Dataset) -> Table:
    table = _table("CLASS", "EXAMPLES")
    for found in dataset.classes[:LISTED]:
        table.add_row(printable(found.label), str(found.examples))
    if len(dataset.classes) > LISTED:
        table.add_row("…", f"{len(dataset.classes) - LISTED} more")
    return table


def _table(*headings: str) -> Table:
    return Table(*headings, box=None, pad_edge=False, padding=(0, 2, 0, 0))
