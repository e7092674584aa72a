"""`python -m tests.reliability.fuzzing` sends a real service whatever its description allows, and what it does not."""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from service import embedded
from tests.service.specs import spec
from trimtab.client import Client

REPOSITORY = Path(__file__).parents[2]
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
TOKEN = "ttk_of-the-tests"
EXAMPLES = 100
DEFECTS = ("Traceback", " ERROR ")


@dataclass(frozen=True)
class Found:
    """What a run of schemathesis found.

    Args:
        cases: Requests that were made up.
        failures: What was wrong, by its title, how often and where; empty: nothing.
        text: What it printed.
    """

    cases: int
    failures: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Fuzzed:
    """A service in a process of its own.

    Args:
        process: Its number.
    """

    url: str
    log: Path
    process: int

    def defects(self) -> list[str]:
        """Return the lines of its log that speak of a defect."""
        return [line for line in self.log.read_text().splitlines() if any(sign in line for sign in DEFECTS)]


@contextmanager
def serving(database_url: str, folder: Path, *, lease_seconds: int = 30) -> Iterator[Fuzzed]:
    """Serve a database that nobody else does; the log is in `folder`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = folder / "service.log"
    settings = {
        "TRIMTAB_DATABASE_URL": database_url,
        "TRIMTAB_PORT": str(port),
        "TRIMTAB_ADMIN_TOKEN": TOKEN,
        "TRIMTAB_LEASE_SECONDS": str(lease_seconds),
    }
    with path.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "service"], cwd=REPOSITORY, env=os.environ | settings, stdout=log, stderr=log
        )
    fuzzed = Fuzzed(f"http://127.0.0.1:{port}", path, process.pid)
    try:
        _wait_until_ready(fuzzed.url, process)
        yield fuzzed
    finally:
        process.terminate()
        process.wait(timeout=30)


def fuzz(url: str, *, seed: int, examples: int, token: str | None = TOKEN) -> Found:
    """Send up to so many requests to each operation in each phase of schemathesis, with the token or with none."""
    with Client(url, TOKEN) as client:
        # So that there is something to ask for: few of the studies that are made up are valid.
        client.create_study(spec(f"fuzz-{seed}", budget={"trials": 1_000_000}))
    with tempfile.TemporaryDirectory(prefix="trimtab-fuzz-") as folder:
        report = Path(folder) / "report.json"
        authorization = [] if token is None else ["--header", f"Authorization: Bearer {token}"]
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)),
            *("run", f"{url}/openapi.json", "--seed", str(seed), "--max-examples", str(examples), "--no-color"),
            *("--report", "json", "--report-json-path", str(report), *authorization),
        ]
        # Its own files go where it runs.
        done = subprocess.run(
            command,
            check=False,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
        )
        if not report.exists():
            raise ChildProcessError(done.stdout + done.stderr)
        told = json.loads(report.read_text())
    failures = tuple(
        f"{found['title']} ({found['count']} times: {', '.join(found.get('operations', []))})"
        for found in (*told["failures"], *told["errors"])
    )
    return Found(told["test_cases"]["generated"], failures, done.stdout)


def main() -> int:
    """Fuzz until so many requests were made up, with a token and without; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.fuzzing")
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trimtab-fuzz-") as folder:
        Path(folder).chmod(0o711)
        with embedded.start(Path(folder)) as database, serving(database.url, Path(folder)) as fuzzed:
            return _report(fuzzed, cases=given.cases, seed=given.seed)


def _report(fuzzed: Fuzzed, *, cases: int, seed: int) -> int:
    begin, made, failures = time.monotonic(), 0, list[str]()
    while made < cases:
        # Who has no token gets no further than the gate: a tenth of the requests are enough for that.
        for token, examples in ((TOKEN, EXAMPLES), (None, EXAMPLES // 10)):
            found = fuzz(fuzzed.url, seed=seed, examples=examples, token=token)
            made += found.cases
            failures += found.failures
            print(found.text if found.failures else f"seed {seed}: {found.cases} requests", flush=True)
        seed += 1
    defects = fuzzed.defects()
    print(*defects, sep="\n")
    print(
        f"{made} requests in {time.monotonic() - begin:.0f} s: {len(failures)} failures, {len(defects)} defects logged"
    )
    return 1 if failures or defects else 0


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None:
        try:
            if httpx2.get(f"{url}/readyz", trust_env=False).is_success:
                return
        except httpx2.TransportError:
            pass
        assert time.monotonic() < deadline, "it does not serve"
        time.sleep(0.05)
    raise ChildProcessError("it did not start; see its log")


if __name__ == "__main__":
    sys.exit(main())
