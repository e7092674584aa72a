"""Write the secrets of a compose project: random, once, each readable by its owner alone."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

# The folders are two volumes, so that a worker is given the token and not the database's password.
API = Path("/secrets/api")
DATABASE = Path("/secrets/database")


def main() -> None:
    """Write what is missing and keep what is there, so that every start may run this."""
    keep(API / "token", f"ttk_{secrets.token_urlsafe(32)}\n")
    password = keep(DATABASE / "password", secrets.token_urlsafe(32))
    keep(DATABASE / "pgpass", f"postgres:5432:*:trimtab:{password}\n")


def keep(path: Path, content: str) -> str:
    """Write a file, whole and on disk or not at all, unless it exists; return what it holds."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as fresh:
        fresh.write(content)
        fresh.flush()
        os.fsync(fresh.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh.name)
    return path.read_text()


if __name__ == "__main__":
    main()
