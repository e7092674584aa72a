"""A study on real data, from nothing: database, API and two workers, forty trials, the answer.

    python -m examples.demo

Everything runs in a temporary folder and on a free port, and nothing is left behind. The study is created and followed
through the API as any client would. The data is scikit-learn's digits: 1,797 scanned handwritten digits.
"""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from trimtab import rendering
from trimtab.budget import Budget
from trimtab.client import Client
from trimtab.diagnosis import Diagnosis
from trimtab.diagnosis_view import diagnosis_view
from trimtab.errors import TrimtabError, Unavailable, Unreachable
from trimtab.protocol import BestTrial
from trimtab.spec import StudySpec, TaskSpec
from trimtab.watching import follow, show

TRIALS = 40
EPOCHS = 30
WORKERS = 2
_PATIENCE_SECONDS = 60

_NEXT = """Three commands to try next, each in a terminal of its own:

  .venv/bin/python -m service                                   the service, for good: database and API
  .venv/bin/python -m workers --slots 2                         a worker that trains two trials at a time
  .venv/bin/trimtab study create mine --task mlp --trials 100   a study of your own, for it to work on
"""


def main() -> int:
    """Run the demo; return the exit code."""
    console = Console()
    started = time.monotonic()
    try:
        with ExitStack() as running:
            client = _start(running, console)
            spec = _spec()
            client.create_study(spec)
            console.print(f"created study {spec.name!r}: {TRIALS} trials of at most {EPOCHS} epochs each\n")
            progress = show(follow(client, spec.name), console)
            epochs = sum(trial.step or 0 for trial in client.trials(spec.name))
            diagnosis = client.diagnosis(spec.name) if progress.best else None
    except TrimtabError as error:
        print(f"trimtab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if progress.best is None or diagnosis is None:
        print(f"trimtab: no trial was completed: {progress.study.reason}", file=sys.stderr)
        return 1
    _print_answer(console, progress.best, diagnosis, epochs=epochs, seconds=time.monotonic() - started)
    return 0


def _spec() -> StudySpec:
    """Return the study: all by default but the length of a trial and the budget."""
    return StudySpec(name="digits", task=TaskSpec(name="mlp", fixed={"epochs": EPOCHS}), budget=Budget(trials=TRIALS))


def _start(running: ExitStack, console: Console) -> Client:
    """Start everything; return a client. What `running` holds ends in reverse order."""
    folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="trimtab-demo-")))
    server, token = f"http://127.0.0.1:{_free_port()}", secrets.token_urlsafe(32)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB_")}
    environment |= {"TRIMTAB_DATA_DIR": str(folder), "TRIMTAB_SERVER": server}
    service_environment = environment | {"TRIMTAB_PORT": server.rpartition(":")[2], "TRIMTAB_ADMIN_TOKEN": token}
    console.print("starting PostgreSQL and the API ...")
    log = folder / "service.log"
    service = running.enter_context(_process("service", environment=service_environment, log=log))
    client = running.enter_context(Client(server, token))
    _wait_until_served(client, service, log)
    console.print(f"starting {WORKERS} workers ...")
    for number in range(WORKERS):
        log = folder / f"worker{number}.log"
        worker = _process("workers", "--slots", "1", environment=environment | {"TRIMTAB_TOKEN": token}, log=log)
        running.enter_context(worker)
    return client


@contextmanager
def _process(module: str, *arguments: str, environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m module`; at the end ask it to stop, and kill it if it does not."""
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # our own modules
            [sys.executable, "-m", module, *arguments], env=environment, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_served(client: Client, service: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            next(client.studies(limit=1), None)
        except (Unreachable, Unavailable) as error:
            if service.poll() is not None or time.monotonic() > deadline:
                raise Unreachable(f"the service did not start; it wrote: {log.read_text().strip()[-500:]}") from error
            continue
        return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _print_answer(console: Console, best: BestTrial, diagnosis: Diagnosis, *, epochs: int, seconds: float) -> None:
    full = TRIALS * EPOCHS
    console.print("\nThe best trial:\n")
    console.print(rendering.best_view(best))
    console.print("\nThe doctor:\n")
    console.print(diagnosis_view(diagnosis))
    console.print(f"\nThe pruner saved {1 - epochs / full:.0%} of the training: {epochs} of {full} epochs were run.")
    console.print(f"All of it took {seconds:.0f} s.\n")
    console.print(_NEXT, soft_wrap=True, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
