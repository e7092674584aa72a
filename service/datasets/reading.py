"""The child process that reads a file which was put: `python -m service.datasets.reading ORDER`.

Nobody knows what such a file holds, and the libraries that read it are large: so it is read where it can hurt nobody,
with limits on memory and time and without a token. It says what it found on its standard output, as a `Finding`.
"""

import resource
import sys
import traceback
from pathlib import Path

from service.datasets import arrays, canonical, csv_tables, images, parquet_tables
from service.datasets.canonical import Content
from service.datasets.orders import Finding, Format, Order
from service.datasets.unfit import Unfit
from trimtab.protocol import FieldProblem


def main(order: Order) -> Finding:
    """Read a file and write the data set that it holds."""
    resource.setrlimit(resource.RLIMIT_AS, (order.memory_bytes, order.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (order.cpu_seconds, order.cpu_seconds))
    try:
        content = content_of(order)
        canonical.write(content, Path(order.output))
    except Unfit as unfit:
        return Finding(problems=unfit.problems)
    except Exception as error:  # noqa: BLE001  # a library that meets a stranger's file raises anything
        return Finding(problems=(FieldProblem(field="body", message=said_of(error, order)),))
    return Finding(description=content.description)


def said_of(error: Exception, order: Order) -> str:
    """Return what is said of a file that cannot be read."""
    # Arrow has no class for a thread whose stack finds no place in the address space that is left.
    if isinstance(error, MemoryError) or "Failed to launch worker thread" in str(error):
        return f"needs more memory to be read than the {order.memory_bytes} bytes that a file of its size may take"
    traceback.print_exception(error)
    return f"cannot be read: {type(error).__name__}: {error}"


def content_of(order: Order) -> Content:
    """Return the data set that a file holds.

    Raises:
        Unfit: It holds none that can be trained on.
    """
    source = Path(order.source)
    match order.format:
        case Format.CSV:
            return csv_tables.read(source, target=order.target, kind=order.kind, most_bytes=order.most_bytes)
        case Format.PARQUET:
            return parquet_tables.read(source, target=order.target, kind=order.kind, most_bytes=order.most_bytes)
        case Format.NPZ:
            return arrays.read(source, target=order.target, kind=order.kind, most_bytes=order.most_bytes)
        case Format.TAR:
            return images.read(source, target=order.target, kind=order.kind, most_bytes=order.most_bytes)


if __name__ == "__main__":
    sys.stdout.write(main(Order.model_validate_json(sys.argv[1])).model_dump_json())
