"""What the process that reads files is told, and what it answers."""

from enum import StrEnum
from typing import Annotated

from trimtab.datasets import DatasetDescription, TargetKind
from trimtab.message import Lax, Message
from trimtab.protocol import FieldProblem


class Format(StrEnum):
    """What a file is, by its content type."""

    CSV = "text/csv"
    PARQUET = "application/vnd.apache.parquet"
    NPZ = "application/x-npz"
    TAR = "application/x-tar"


class Order(Message):
    """What is to be read.

    Args:
        format: Of the file.
        source: The file.
        output: Where the data set is written to.
        target: The column that is learned.
        kind: As what.
        most_bytes: That the data set may have.
        memory_bytes: That the process may take.
        cpu_seconds: Likewise.
    """

    format: Annotated[Format, Lax]
    source: str
    output: str
    target: str | None
    kind: Annotated[TargetKind, Lax]
    most_bytes: int
    memory_bytes: int
    cpu_seconds: int


class Finding(Message):
    """What came of it: a data set, or what is wrong with the file."""

    description: DatasetDescription | None = None
    problems: tuple[FieldProblem, ...] = ()
