"""fANOVA, run in a process of its own: it needs scikit-learn, which the service never imports, and seconds."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from importlib.util import find_spec

import numpy as np

from service.importances.table import Table
from trimtab.errors import Invalid, Unavailable
from trimtab.protocol import FieldProblem

MOST_TRIALS = 100
"""That it looks at: 100 take 2 s, 300 take 6 s, 1,000 take 20 s."""

LIMIT_SECONDS = 9.0
"""A client waits for 10 s."""

_RETRY_AFTER_SECONDS = 5

_MAX_CAUSE = 200
"""Characters of what the process said."""

# One at a time: each takes a core.
_place = threading.BoundedSemaphore(1)


def measured(table: Table) -> dict[str, float]:
    """Return the importances of the parameters that all trials have.

    Raises:
        Invalid: scikit-learn is not installed where the service runs.
        Unavailable: It is measuring another study, took too long, or failed.
    """
    if find_spec("sklearn") is None:
        message = "cannot be fanova: scikit-learn (the extra fanova) is missing here; ped_anova needs nothing more"
        raise Invalid("this method is not installed", errors=[FieldProblem(field="method", message=message)])
    if not _place.acquire(blocking=False):
        raise Unavailable("fANOVA of another study is under way", retry_after=_RETRY_AFTER_SECONDS)
    try:
        return _in_child(table)
    finally:
        _place.release()


def spread(table: Table) -> Table:
    """Return the trials that it looks at: of many, some that are spread evenly."""
    if len(table.losses) <= MOST_TRIALS:
        return table
    rows = np.linspace(0, len(table.losses) - 1, MOST_TRIALS).astype(int).tolist()
    return Table(table.distributions, [table.points[row] for row in rows], [table.losses[row] for row in rows])


def _in_child(table: Table) -> dict[str, float]:
    command = [sys.executable, "-m", "service.importances.child"]
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB_")}
    try:
        done = subprocess.run(  # noqa: S603  # our own module
            command,
            input=json.dumps(asdict(table)),
            capture_output=True,
            text=True,
            check=True,
            timeout=LIMIT_SECONDS,
            env=kept | one_thread,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"fANOVA took longer than {LIMIT_SECONDS:g} s", retry_after=_RETRY_AFTER_SECONDS) from None
    except subprocess.CalledProcessError as error:
        # The last line of a traceback is the exception.
        cause = error.stderr.strip().rpartition("\n")[2] or f"exit status {error.returncode}"
        raise Unavailable(f"fANOVA failed: {cause[:_MAX_CAUSE]}") from error
    found: dict[str, float] = json.loads(done.stdout)
    return found
