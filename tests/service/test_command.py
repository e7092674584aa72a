"""`python -m service`, from outside: it serves, or says in one line what to do and exits with code 2."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from service.migrate import is_current
from trimtab.client import Client

ROOT = Path(__file__).parents[2]
PATIENCE = 180.0
"""Seconds in which a service starts, with a database of its own, or ends on any machine."""


def start(*arguments: str, **settings: str) -> subprocess.Popen[str]:
    """Start the service with these settings and no others."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB_")}
    return subprocess.Popen(
        [sys.executable, "-m", "service", *arguments],
        cwd=ROOT,
        env=ours | {f"TRIMTAB_{name}": value for name, value in settings.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def refusal(process: subprocess.Popen[str]) -> str:
    """Return the one line that a service that does not start has to say."""
    said, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2, complaint
    assert said == ""
    assert complaint.startswith("trimtab: ")
    assert complaint.count("\n") == 1
    return complaint


def test_a_setting_that_makes_no_sense_is_one_line(data_dir: Path) -> None:
    complaint = refusal(start(PORT="eighty", DATA_DIR=str(data_dir)))

    assert "TRIMTAB_PORT is not an integer from 1 to 65535: 'eighty'" in complaint


def test_a_token_is_made_by_command_beside_a_service_that_runs(port: int, data_dir: Path) -> None:
    service = start(PORT=str(port), DATA_DIR=str(data_dir))
    try:
        wait_until_ready(f"http://127.0.0.1:{port}")
        made = start("token", "create", "--kind", "reader", "--name", "wall", DATA_DIR=str(data_dir))
        token, said = made.communicate(timeout=PATIENCE)

        with Client(f"http://127.0.0.1:{port}", token.strip()) as reader:
            studies = list(reader.studies())
    finally:
        service.send_signal(signal.SIGTERM)
        service.communicate(timeout=PATIENCE)

    assert made.returncode == 0, said
    assert token.startswith("ttk_reader_")
    assert token.count("\n") == 1
    assert token.strip() not in said
    assert studies == []


def test_a_token_of_a_kind_that_is_none_is_refused(data_dir: Path) -> None:
    made = start("token", "create", "--kind", "root", "--name", "x", DATA_DIR=str(data_dir))

    _, said = made.communicate(timeout=PATIENCE)

    assert made.returncode == 2
    assert "invalid choice: 'root'" in said


@pytest.mark.parametrize(
    "url",
    ["postgresql://user:secret@127.0.0.1:1/trimtab", "postgresql:///trimtab?host=127.0.0.1&port=1&password=secret"],
)
def test_a_database_that_cannot_be_reached_is_one_line_without_its_password(
    data_dir: Path, port: int, url: str
) -> None:
    complaint = refusal(start(DATABASE_URL=url, DATA_DIR=str(data_dir), PORT=str(port)))

    assert "cannot use the database" in complaint
    assert "check TRIMTAB_DATABASE_URL" in complaint
    assert "secret" not in complaint


def test_a_port_in_use_is_one_line(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        complaint = refusal(start(PORT=str(port), DATA_DIR=str(data_dir)))

    assert f"cannot listen on 127.0.0.1:{port}: Address already in use; a service may run there" in complaint
    assert "set TRIMTAB_PORT" in complaint


def test_a_data_folder_that_cannot_be_written_is_one_line(tmp_path: Path, port: int) -> None:
    (tmp_path / "file").touch()

    complaint = refusal(start(DATA_DIR=str(tmp_path / "file" / "data"), PORT=str(port)))

    assert "set TRIMTAB_DATA_DIR" in complaint


def test_a_schema_that_another_role_has_not_migrated_yet_is_one_line(
    data_dir: Path, port: int, empty_database_url: str
) -> None:
    settings = {"DATABASE_URL": empty_database_url, "MIGRATION_URL": f"{empty_database_url}&connect_timeout=5"}

    complaint = refusal(start(**settings, DATA_DIR=str(data_dir), PORT=str(port)))

    assert "the schema is behind: run `python -m service migrate`" in complaint
    assert not is_current(empty_database_url)


def test_migrate_migrates_and_ends(data_dir: Path, empty_database_url: str) -> None:
    process = start("migrate", DATABASE_URL=empty_database_url, DATA_DIR=str(data_dir))

    process.communicate(timeout=PATIENCE)

    assert process.returncode == 0
    assert is_current(empty_database_url)
    assert not (data_dir / "token").exists()


def test_a_service_on_an_empty_database_migrates_serves_and_ends_on_sigterm(
    data_dir: Path, port: int, empty_database_url: str
) -> None:
    process = start(DATABASE_URL=empty_database_url, DATA_DIR=str(data_dir), PORT=str(port))
    server = f"http://127.0.0.1:{port}"
    wait_until_ready(server)
    token = (data_dir / "token").read_text().strip()

    with Client(server, token) as client:
        studies = list(client.studies())
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=PATIENCE)

    assert studies == []
    assert process.returncode in {0, -signal.SIGTERM}
    assert (data_dir / "token").stat().st_mode & 0o777 == 0o600
    assert token not in log
    assert "Traceback" not in log


def wait_until_ready(server: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if httpx2.get(f"{server}/readyz", trust_env=False).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.02)
