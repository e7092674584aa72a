"""Has a file read by a process that can do no harm; see service.datasets.reading."""

import logging
import os
import subprocess
import sys
from pathlib import Path

from pydantic import ValidationError

from service.datasets.orders import Finding, Format, Order
from trimtab.datasets import DatasetDescription, TargetKind
from trimtab.errors import Invalid, Unavailable
from trimtab.protocol import FieldProblem

MOST_BYTES = 2**32
"""Of a data set as it is kept: 4 GiB."""

_MOST_RATIO = 100
"""A file unpacks to no more than so many times its size ..."""

_SMALL_BYTES = 2**24
"""... but 16 MiB hurt nobody."""

_MEMORY_BYTES = 2**31
"""The libraries alone take address space of about 1 GiB."""

_MEMORY_RATIO = 8
"""Text, columns of Arrow and arrays of a CSV are in memory together."""

_CPU_SECONDS = 60
_BYTES_PER_SECOND = 2**21
"""A tenth of what the slowest format takes on a slow machine."""

_SHOWN_BYTES = 2000

_COMMAND = (sys.executable, "-m", "service.datasets.reading")
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # The other pools reserve address space ahead, which is limited.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}

_log = logging.getLogger(__name__)


def read(
    source: Path, output: Path, *, file_format: Format, target: str | None, kind: TargetKind
) -> DatasetDescription:
    """Read a file, write the data set that it holds, and say what is in it.

    Raises:
        Invalid: It holds none that can be trained on; the fields say where and why.
        Unavailable: The process cannot be started.
    """
    order = _order(source, output, file_format, target, kind)
    finding = _finding(order)
    if finding.description is None:
        raise Invalid("the file is no data set that can be trained on", errors=finding.problems)
    return finding.description


def _order(source: Path, output: Path, file_format: Format, target: str | None, kind: TargetKind) -> Order:
    size = source.stat().st_size
    return Order(
        format=file_format,
        source=str(source),
        output=str(output),
        target=target,
        kind=kind,
        most_bytes=min(MOST_BYTES, max(_SMALL_BYTES, _MOST_RATIO * size)),
        memory_bytes=_MEMORY_BYTES + _MEMORY_RATIO * size,
        cpu_seconds=_CPU_SECONDS + size // _BYTES_PER_SECOND,
    )


def _finding(order: Order) -> Finding:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB_")}
    try:
        done = subprocess.run(  # noqa: S603  # this very interpreter, no shell
            [*_COMMAND, order.model_dump_json()],
            env=environment | _ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=2 * order.cpu_seconds,
            process_group=0,  # Ctrl-C in a terminal is for the service.
            check=False,
        )
        if done.stderr:
            said = {"error": done.stderr[-_SHOWN_BYTES:]}
            _log.warning("a data set that was put was read with errors: %(error)s", said)
        return Finding.model_validate_json(done.stdout)
    except OSError as error:
        raise Unavailable(f"the process that reads data sets cannot be started: {error}", retry_after=5) from error
    except (subprocess.TimeoutExpired, ValidationError) as error:
        _log.warning("a data set that was put ended the process that read it: %(error)s", {"error": error})
        text = (
            f"cannot be read with {order.memory_bytes} bytes of memory in {order.cpu_seconds} s, which a file of its "
            "size may take: it is damaged, or says that it holds more than it does"
        )
        return Finding(problems=(FieldProblem(field="body", message=text),))
