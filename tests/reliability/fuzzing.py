"""`python -m tests.reliability.fuzzing` sends a real service whatever its description allows, and what it does not."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from service import embedded
from tests.e2e.running import REPOSITORY, TOKEN
from tests.reliability.services import Service, services
from tests.service.specs import spec
from trimtab.client import Client

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = 100
DEFECTS = ("Traceback", " ERROR ")

MOST_SECONDS = 1_800
"""Many times what a run of schemathesis takes: one that takes longer hangs."""


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
            timeout=MOST_SECONDS,
        )
        if not report.exists():
            raise ChildProcessError(done.stdout + done.stderr)
        told = json.loads(report.read_text())
    failures = tuple(
        f"{found['title']} ({found['count']} times: {', '.join(found.get('operations', []))})"
        for found in (*told["failures"], *told["errors"])
    )
    return Found(told["test_cases"]["generated"], failures, done.stdout)


def defects(service: Service) -> list[str]:
    """Return the lines of its log that speak of a defect."""
    return [line for line in service.log.read_text().splitlines() if any(sign in line for sign in DEFECTS)]


def main() -> int:
    """Fuzz until so many requests were made up, with a token and without; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.fuzzing")
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trimtab-fuzz-") as folder:
        Path(folder).chmod(0o711)
        with embedded.start(Path(folder)) as database, services(Path(folder)) as replicas:
            return _report(replicas.start_ready(database.url), cases=given.cases, seed=given.seed)


def _report(service: Service, *, cases: int, seed: int) -> int:
    begin, made, failures = time.monotonic(), 0, list[str]()
    while made < cases:
        # Who has no token gets no further than the gate: a tenth of the requests are enough for that.
        for token, examples in ((TOKEN, EXAMPLES), (None, EXAMPLES // 10)):
            found = fuzz(service.url, seed=seed, examples=examples, token=token)
            made += found.cases
            failures += found.failures
            print(found.text if found.failures else f"seed {seed}: {found.cases} requests", flush=True)
        seed += 1
    logged = defects(service)
    print(*logged, sep="\n")
    print(
        f"{made} requests in {time.monotonic() - begin:.0f} s: {len(failures)} failures, {len(logged)} defects logged"
    )
    return 1 if failures or logged else 0


if __name__ == "__main__":
    sys.exit(main())
