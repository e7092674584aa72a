"""The admin token: made, kept and compared."""

import hmac
import os
import secrets
from hashlib import sha256
from pathlib import Path

from trimtab.errors import Misconfigured

_PREFIX = "ttk_"


class Tokens:
    """Knows the admin token by its SHA-256 only."""

    def __init__(self, admin_token: str) -> None:
        self._digest = sha256(admin_token.encode()).digest()

    def is_admin(self, token: str) -> bool:
        """Return whether this is the admin token, in the same time whatever it is."""
        return hmac.compare_digest(sha256(token.encode()).digest(), self._digest)


def kept_in(data_dir: Path) -> str:
    """Return the token in the file `token` of this folder, made at the first call, readable by its owner only.

    Raises:
        Misconfigured: The file can be neither read nor written.
    """
    path = data_dir / "token"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        _create(path)
        token = path.read_text().strip()
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be used: {error.strerror}; set TRIMTAB_DATA_DIR to a folder that can"
        ) from error
    if not token:
        raise Misconfigured(f"{path} is empty: delete it, and a new one is made at the next start")
    return token


def _create(path: Path) -> None:
    """Write a new token unless there is one, whole or not at all, whoever else does the same now."""
    if path.exists():
        return
    draft = path.with_name(f".token.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(_PREFIX + secrets.token_urlsafe(32) + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
