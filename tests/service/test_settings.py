"""The service's settings: what may be set, and what is refused in one line that says what to do."""

from pathlib import Path

import pytest

from service import tokens
from service.artifacts import Artifacts
from service.settings import Settings
from trimtab.errors import Misconfigured

TOKEN = {"TRIMTAB_ADMIN_TOKEN": "ttk_secret-of-32-characters-and-a-few"}


def test_without_any_setting_there_is_a_default_for_each() -> None:
    settings = Settings.from_environment({})

    assert (settings.host, settings.port, settings.lease_seconds) == ("127.0.0.1", 8000, 30)
    assert (settings.database_url, settings.migration_url, settings.admin_token) == (None, None, None)
    assert settings.data_dir.is_absolute()


def test_what_is_set_to_nothing_is_not_set() -> None:
    names = ["DATABASE_URL", "MIGRATION_URL", "DATA_DIR", "HOST", "PORT", "ADMIN_TOKEN", "ADMIN_TOKEN_FILE"]

    settings = Settings.from_environment({f"TRIMTAB_{name}": "" for name in [*names, "LEASE_SECONDS"]})

    assert settings == Settings.from_environment({})


def test_each_setting_is_read(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "TRIMTAB_DATABASE_URL": "postgresql://user:pass@db:5433/trimtab?sslmode=require",
            "TRIMTAB_MIGRATION_URL": "postgresql+psycopg2://owner@db/trimtab",
            "TRIMTAB_DATA_DIR": str(tmp_path),
            "TRIMTAB_HOST": "0.0.0.0",
            "TRIMTAB_PORT": "80",
            "TRIMTAB_LEASE_SECONDS": "5",
            **TOKEN,
        }
    )

    assert settings == Settings(
        database_url="postgresql+psycopg2://user:pass@db:5433/trimtab?sslmode=require",
        migration_url="postgresql+psycopg2://owner@db/trimtab",
        data_dir=tmp_path,
        host="0.0.0.0",
        port=80,
        admin_token=TOKEN["TRIMTAB_ADMIN_TOKEN"],
        lease_seconds=5,
        requests_per_second=1000,
        artifacts=None,
        max_checkpoint_bytes=2**30,
        max_dataset_bytes=2**31,
    )


def test_a_token_may_come_from_a_file(tmp_path: Path) -> None:
    file, token = tmp_path / "token", "f" * 32
    file.write_text(f"{token}\n")

    settings = Settings.from_environment({"TRIMTAB_ADMIN_TOKEN_FILE": str(file), "TRIMTAB_HOST": "0.0.0.0"})

    assert settings.admin_token == token


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_needs_no_token_of_the_operators(host: str) -> None:
    settings = Settings.from_environment({"TRIMTAB_HOST": host})

    assert settings.host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "service", "127.0.0.1.example.org"])
@pytest.mark.parametrize("token", ["", "  "])
def test_beyond_this_machine_the_operator_must_choose_a_token(host: str, token: str) -> None:
    with pytest.raises(Misconfigured, match="set TRIMTAB_ADMIN_TOKEN_FILE"):
        Settings.from_environment({"TRIMTAB_HOST": host, "TRIMTAB_ADMIN_TOKEN": token})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRIMTAB_PORT", "http"),
        ("TRIMTAB_PORT", "0"),
        ("TRIMTAB_PORT", "65536"),
        ("TRIMTAB_PORT", "-1"),
        ("TRIMTAB_PORT", "8000.0"),
        ("TRIMTAB_PORT", "8²"),
        ("TRIMTAB_LEASE_SECONDS", "0"),
        ("TRIMTAB_LEASE_SECONDS", "half a minute"),
        ("TRIMTAB_LEASE_SECONDS", "86401"),
        ("TRIMTAB_LEASE_SECONDS", "inf"),
        ("TRIMTAB_DATABASE_URL", "sqlite:///trimtab.db"),
        ("TRIMTAB_DATABASE_URL", "trimtab"),
        ("TRIMTAB_DATABASE_URL", "postgresql://user:secret@host:port/trimtab"),
        ("TRIMTAB_DATABASE_URL", "postgresql://user:secret@[::1/trimtab"),
        ("TRIMTAB_MIGRATION_URL", "postgresql+asyncpg://user:secret@host/trimtab"),
        ("TRIMTAB_ADMIN_TOKEN", "two words of 32 characters and more"),
        ("TRIMTAB_ADMIN_TOKEN", "clé-of-32-characters-and-a-few-more"),
        ("TRIMTAB_ADMIN_TOKEN", "line\nline-of-32-characters-and-more"),
        ("TRIMTAB_ADMIN_TOKEN", "secret"),
        ("TRIMTAB_ADMIN_TOKEN_FILE", "/nowhere/token"),
        ("TRIMTAB_ADMIN_TOKEN_FILE", "/dev/null"),
        ("TRIMTAB_ADMIN_TOKEN_FILE", "/bin/sh"),
        ("TRIMTAB_ADMIN_TOKEN_FILE", "/"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name_in_one_line(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name}") as refused:
        Settings.from_environment({name: value})

    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_token_that_somebody_could_guess_is_refused_wherever_it_is_from(tmp_path: Path) -> None:
    (file := tmp_path / "token").write_text("k" * 31 + "\n")

    for read in (
        lambda: Settings.from_environment({"TRIMTAB_ADMIN_TOKEN": "k" * 31}),
        lambda: Settings.from_environment({"TRIMTAB_ADMIN_TOKEN_FILE": str(file)}),
        lambda: tokens.kept_in(tmp_path),
    ):
        with pytest.raises(Misconfigured, match="at least 32 characters, not 31: `openssl rand -hex 32` makes one"):
            read()


def test_the_file_of_the_data_folder_holds_a_token_or_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff" * 40)

    with pytest.raises(Misconfigured, match="ASCII"):
        tokens.kept_in(tmp_path)


def test_what_cannot_be_a_store_is_said_at_the_start() -> None:
    for url in ("nosuch://bucket", "s3://bucket"):
        with pytest.raises(Misconfigured, match="TRIMTAB_ARTIFACTS"):
            Artifacts(url)
