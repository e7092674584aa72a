"""Write the secrets of a compose project: random, once, each in a volume of its own, readable by its owner alone."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

# Each folder is a volume, so that a container is given its own secret and no other.
SECRETS = Path("/secrets")
ROLES = {
    "administrator": "postgres",
    "owner": "trimtab_owner",
    "service": "trimtab_service",
    "reader": "trimtab_reader",
}


def main() -> None:
    """Write what is missing and keep what is there, so that every start may run this."""
    keep(SECRETS / "api/token", f"ttk_{secrets.token_urlsafe(32)}\n")
    for folder, role in ROLES.items():
        keep(SECRETS / folder / "pgpass", f"postgres:5432:*:{role}:{secrets.token_urlsafe(32)}\n")
    # PostgreSQL reads it as a user of its own, who is in this user's group.
    keep(SECRETS / "administrator/password", password(SECRETS / "administrator/pgpass"), mode=0o640)


def keep(path: Path, content: str, mode: int = 0o600) -> None:
    """Write a file, whole and on disk or not at all, unless it exists."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as fresh:
        os.fchmod(fresh.fileno(), mode)
        fresh.write(content)
        fresh.flush()
        os.fsync(fresh.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh.name)


def password(pgpass: Path) -> str:
    """Return the password that a password file of libpq holds."""
    return pgpass.read_text().rstrip("\n").rpartition(":")[2]


if __name__ == "__main__":
    main()
