"""The settings that everybody shares."""

import os
from pathlib import Path

import pytest

from trimtab import settings
from trimtab.errors import Misconfigured


def test_the_service_is_on_this_machine_unless_told() -> None:
    assert settings.server({}) == "http://127.0.0.1:8000"
    assert settings.server({"TRIMTAB_SERVER": ""}) == "http://127.0.0.1:8000"
    assert settings.server({"TRIMTAB_SERVER": " https://tune.example/here "}) == "https://tune.example/here"


def test_a_data_folder_is_where_it_is_told_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert settings.data_dir({"TRIMTAB_DATA_DIR": "data"}) == tmp_path / "data"
    assert settings.data_dir({"TRIMTAB_DATA_DIR": "~/data"}) == Path.home() / "data"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there is no root here")
def test_roots_data_is_not_in_roots_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert settings.data_dir({}) == Path("/var/lib/trimtab")


def test_a_users_data_is_in_the_users_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)

    assert settings.data_dir({}).name == "trimtab"
    assert settings.data_dir({}).is_relative_to(Path.home())


def test_a_token_is_taken_from_the_nearest_place(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-the-folder\n")
    (tmp_path / "mine").write_text("of-the-file\n")
    folder = {"TRIMTAB_DATA_DIR": str(tmp_path)}
    file = {**folder, "TRIMTAB_TOKEN_FILE": str(tmp_path / "mine")}

    assert settings.token(folder) == "of-the-folder"
    assert settings.token(file) == "of-the-file"
    assert settings.token({**file, "TRIMTAB_TOKEN": " given "}) == "given"


def test_without_a_token_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"no token: .*token: No such file or directory; set TRIMTAB_TOKEN"):
        settings.token({"TRIMTAB_DATA_DIR": str(tmp_path)})
