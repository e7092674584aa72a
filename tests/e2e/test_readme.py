"""The five calls of the README, as a user makes them: nothing is set but a data folder and a port of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import httpx2
import pytest

from tests import readme
from tests.e2e.running import PATIENCE_SECONDS, REPOSITORY, Cue, program, wait_for
from tests.ports import held_port
from trimtab.client import Client

FIRST = Cue("workers.session", "trial 0 of digits: complete", times=1, signal=SIGSTOP)
"""The first trial is the best as long as no other one has ended, however late somebody asks."""


@contextmanager
def started(*command: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python with these settings and no others; at the end stop what still runs."""
    process = subprocess.Popen([sys.executable, *command], cwd=REPOSITORY, env=plain() | settings)
    try:
        yield process
    finally:
        process.terminate()
        process.send_signal(SIGCONT)
        try:
            process.wait(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()


def plain() -> dict[str, str]:
    """Return an environment without any setting of Trimtab."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB_")}


@pytest.fixture
def port(data_dir: Path) -> Iterator[int]:
    """The port of a service with a database of its own."""
    with (
        held_port() as port,
        started("-m", "service", TRIMTAB_DATA_DIR=str(data_dir), TRIMTAB_PORT=str(port)),
    ):
        wait_for(lambda: is_ready(port))
        yield port


def is_ready(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


@pytest.fixture
def worker(port: int, data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of that service, which ends by itself once the study is gone."""
    settings = {"TRIMTAB_DATA_DIR": str(data_dir), "TRIMTAB_SERVER": f"http://127.0.0.1:{port}"}
    with started(*program(cue=FIRST), "--slots", "1", "--exit-when-idle", "10", **settings) as worker:
        yield worker
        worker.send_signal(SIGCONT)
        with Client(settings["TRIMTAB_SERVER"], (data_dir / "token").read_text().strip()) as client:
            client.delete_study("digits")
        assert worker.wait(timeout=PATIENCE_SECONDS) == 0


def type_in(lines: str, folder: Path) -> str:
    """Return what a shell prints. curl is told, beside its command line, to write the status after each answer."""
    (folder / ".curlrc").write_text('write-out = "%{http_code}"\nnoproxy = "*"\n')
    shell = ["bash", "-euo", "pipefail", "-c", lines]
    return subprocess.check_output(shell, env=plain() | {"CURL_HOME": str(folder)}, text=True, timeout=PATIENCE_SECONDS)


def test_the_five_calls_of_the_readme_work_on_a_service_that_was_told_nothing(
    port: int, worker: subprocess.Popen[bytes], data_dir: Path, tmp_path: Path
) -> None:
    calls = readme.five_calls(port).replace(readme.TOKEN_FILE, str(data_dir / "token"))

    answers = readme.documents(type_in(calls, tmp_path))

    created, seen, best, trials, workers = answers[::2]
    assert answers[1::2] == [201, 200, 200, 200, 200]
    assert (created["name"], created["state"], created["spec"]["budget"]["trials"]) == ("digits", "running", 40)
    assert seen["spec"] == created["spec"]
    assert sum(seen["counts"].values()) < 40
    assert (best["study"], best["state"], best["number"]) == ("digits", "complete", 0)
    assert 0 <= best["values"]["validation_error"] < 1
    assert [trial["number"] for trial in trials["items"]] == [0, 1, 2, 3, 4][: len(trials["items"])]
    assert trials["items"][0]["values"] == best["values"]
    assert [each["is_alive"] for each in workers["items"]] == [True]
    assert workers["items"][0]["name"].endswith(f"-{worker.pid}")
