"""The likeliest first mistakes, made for real: what is said stands in the page about them, with what to do."""

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from service import __main__ as service
from service import embedded
from service.settings import Settings
from tests.e2e.running import REPOSITORY, TOKEN
from tests.ports import held_port
from trimtab import cli
from trimtab.errors import Misconfigured
from trimtab.installation import UNASKED
from workers import devices
from workers.tasks import own

PAGE = (REPOSITORY / "docs/how-to/first-mistakes.md").read_text()

Run = Callable[..., str]


@pytest.fixture
def run(server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `trimtab`; returns what it says on standard error, as it would where the service has its usual place."""
    monkeypatch.setenv("TRIMTAB_SERVER", server)
    monkeypatch.setenv("TRIMTAB_TOKEN", TOKEN)
    monkeypatch.setattr("trimtab.retries.TRIES", 1)

    def run(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["trimtab", *arguments])
        with pytest.raises(SystemExit):
            cli.main()
        said = capsys.readouterr().err
        assert said.count("\n") <= 1
        return said.replace(server, "http://127.0.0.1:8000")

    return run


def quoted(said: str) -> str | None:
    """Return which message of the page this is; None: it stands not there."""
    messages = [row.split("`")[1] for row in PAGE.splitlines() if row.startswith("| `")]
    return next((message for message in messages if message in said), None)


def spec(tmp_path: Path, text: str) -> str:
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    return str(path)


def test_a_service_that_is_not_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with held_port() as port:
        url = f"http://127.0.0.1:{port}"
        monkeypatch.setenv("TRIMTAB_SERVER", url)

        said = run("study", "list").replace(url, "http://127.0.0.1:8000")

    assert quoted(said)
    assert "start the service there (python -m service)" in said


def test_no_token(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRIMTAB_TOKEN")
    monkeypatch.setenv("TRIMTAB_TOKEN_FILE", "/home/me/.local/share/trimtab/token")

    assert quoted(run("study", "list"))


def test_a_token_of_another_service(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TRIMTAB_TOKEN")
    monkeypatch.setenv("TRIMTAB_DATA_DIR", str(tmp_path))
    (tmp_path / "token").write_text("ttk_admin_of-another-service")

    said = run("study", "list")

    assert quoted(said)
    assert "TRIMTAB_DATA_DIR/token" in said


@pytest.mark.parametrize("task", ["mlp", "mymodels:build"])
def test_a_task_that_no_worker_has(run: Run, tmp_path: Path, task: str) -> None:
    space = "space: {learning_rate: {type: float, low: 1e-4, high: 0.1}}"

    said = run("study", "create", "--file", spec(tmp_path, f"name: waits\ntask: {{name: '{task}'}}\n{space}"))

    assert task in (quoted(said) or "")


def test_a_study_without_a_task_that_nobody_asks_for() -> None:
    assert quoted(UNASKED.text) == UNASKED.text


def test_a_name_that_is_taken(run: Run) -> None:
    run("study", "create", "taken", "--trials", "5")

    assert quoted(run("study", "create", "taken", "--trials", "60"))


def test_a_data_set_that_is_not_there(run: Run) -> None:
    said = run("study", "create", "study", "--data", "flowers")

    assert quoted(said)
    assert "trimtab data put FILE --name flowers" in said


def test_a_field_that_is_misspelt(run: Run, tmp_path: Path) -> None:
    assert quoted(run("study", "create", "-f", spec(tmp_path, "name: x\ntask: {name: mlp}\nbudgets: {trials: 3}")))


def test_a_module_that_is_not_there() -> None:
    with pytest.raises(Misconfigured) as error:
        own.load("mymodels:build")

    assert quoted(str(error.value))
    assert "PYTHONPATH" in str(error.value)


def test_a_gpu_that_is_not_there() -> None:
    with pytest.raises(Misconfigured) as error:
        devices.device_of("cuda:0", slot=0, cuda_devices=0)

    assert quoted(str(error.value))


def test_a_port_that_is_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Misconfigured) as error:
            service._listener(Settings.from_environment({"TRIMTAB_PORT": str(port)}))

    assert quoted(str(error.value).replace(str(port), "8000"))


def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def mkdir(path: Path, **_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    # The tests may run as root, who can write everywhere.
    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(Misconfigured) as error:
        embedded.start(Path("/data/trimtab"))

    assert quoted(str(error.value))


def test_a_database_that_is_not_there() -> None:
    with pytest.raises(Misconfigured) as error:
        service._migrated("postgresql+psycopg2://me:secret@db.invalid/trimtab")

    assert quoted(str(error.value).replace("db.invalid", "db"))
    assert "secret" not in str(error.value)
