"""Temporary folders outlive no service for long, however it ended."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from service import scratch
from service.scratch import Scratch

MAKE = "import time; from service.scratch import Scratch; s = Scratch(); print(s.folder, flush=True); time.sleep(600)"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def age(path: Path) -> None:
    """Let a folder be as old as one that a process left which was killed long ago."""
    os.utime(path, (time.time() - 3600, time.time() - 3600))


def test_a_folder_goes_with_all_that_is_in_it(folder: Path) -> None:
    made = Scratch()
    (made.folder / "put").write_bytes(b"x")

    made.close()

    assert list(folder.iterdir()) == []


def test_a_folder_of_a_process_that_was_killed_is_swept_and_one_that_lives_is_not(folder: Path) -> None:
    environment = os.environ | {"TMPDIR": str(folder)}
    with subprocess.Popen([sys.executable, "-c", MAKE], env=environment, stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout
        left = Path(maker.stdout.readline().strip())
        (left / "put").write_bytes(b"x")
        age(left)
        scratch.sweep()
        outlived = left.exists()
        maker.kill()
    age(left)

    scratch.sweep()

    assert outlived
    assert not left.exists()


def test_what_is_young_or_not_of_ours_is_left_alone(folder: Path) -> None:
    others = [folder / "trimtab-x", folder / "trimtab-put-link", folder / "trimtab-put-file", folder / "kept"]
    for made in (others[0], others[3]):
        made.mkdir()
    others[1].symlink_to(others[3])
    others[2].touch()
    young = folder / "trimtab-put-young"
    young.mkdir()
    for other in (others[0], others[2], others[3]):
        age(other)

    scratch.sweep()

    assert all(path.exists() for path in (*others, young))


def test_a_folder_of_another_account_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = folder / "trimtab-put-theirs"
    theirs.mkdir()
    age(theirs)
    monkeypatch.setattr(os, "geteuid", lambda: theirs.stat().st_uid + 1)

    scratch.sweep()

    assert theirs.exists()
