"""What it costs to export a study: rows a second, the processor time of the service, and its memory.

`python -m benchmarks.exports [TRIALS]` fills an embedded PostgreSQL and prints a line for each table and format.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import sqlalchemy as sa

from benchmarks.history import fill, fill_ours, random_history, spec
from benchmarks.running import TOKEN, service
from service import embedded
from service.migrate import migrate
from trimtab.client import Client
from trimtab.exports import ExportFormat, ExportTable

STUDY = "exported"
TRIALS = 100_000
MIB = 2**20

# As many reports as a short training has.
_REPORTS = sa.text("""
    WITH lease AS (
      INSERT INTO trimtab_leases (study_id, trial_id, fence, attempt, worker, expires_at, last_step, outcome, ended_at)
      SELECT study_id, trial_id, 1, 1, 'w', now(), step, outcome, now() FROM trimtab_trials
      RETURNING lease_id, last_step
    )
    INSERT INTO trimtab_reports (lease_id, step, metrics, verdict)
    SELECT lease_id, step, json_build_object('validation_error', random(), 'training_error', random()), 'continue'
    FROM lease, generate_series(1, last_step) AS step
""")


def main() -> None:
    """Measure, and print it."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else TRIALS
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ending:
        Path(folder).chmod(0o711)
        url = ending.enter_context(embedded.start(Path(folder))).url
        migrate(url)
        server = ending.enter_context(service(url))
        client = ending.enter_context(Client(server, TOKEN))
        client.create_study(spec(STUDY, trials))
        _fill(url, trials)
        process = next(child for child in psutil.Process().children() if "service" in child.cmdline())
        for table in ExportTable:
            for form in (*ExportFormat, ExportFormat.PARQUET):
                print(f"{table} {form}: {_measured(client, process, table, form)}", flush=True)


def _fill(url: str, trials: int) -> None:
    engine = sa.create_engine(url)
    fill(engine, STUDY, random_history(trials, seed=0))
    fill_ours(engine, STUDY)
    with engine.begin() as connection:
        connection.execute(_REPORTS)
    engine.dispose()


def _measured(client: Client, process: psutil.Process, table: ExportTable, form: ExportFormat) -> str:
    """Return what one export cost, in words."""
    cpu, began = sum(process.cpu_times()[:2]), time.perf_counter()
    before = process.memory_info().rss
    with _peak(process) as peak:
        size = sum(len(part) for part in client.exported(STUDY, form, table=table))
    seconds = time.perf_counter() - began
    cpu = sum(process.cpu_times()[:2]) - cpu
    return (
        f"{seconds:.1f} s, {cpu:.1f} s of the service, {size / MIB:.1f} MiB, {(peak[0] - before) / MIB:+.1f} MiB held"
    )


@contextmanager
def _peak(process: psutil.Process) -> Iterator[list[int]]:
    """Give the most memory that a process had within the block."""
    peak, is_over = [0], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.02):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield peak
    is_over.set()
    watcher.join()


if __name__ == "__main__":
    main()
