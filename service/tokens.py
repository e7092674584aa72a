"""What a token looks like, and the operator's own: made, kept and compared.

ttk_worker_<43 characters: 256 random bits><8 hexadecimal digits: the CRC-32 of what is before them>
"""

import hmac
import os
import re
import secrets
from hashlib import sha256
from pathlib import Path
from zlib import crc32

from trimtab.errors import Misconfigured
from trimtab.states import TokenKind

_PREFIX = "ttk_"
_FORM = re.compile(rf"{_PREFIX}(?:{'|'.join(TokenKind)})_[A-Za-z0-9_-]{{43}}[0-9a-f]{{8}}")
_CHECK_LENGTH = 8


class Tokens:
    """Knows the operator's token by its SHA-256 only."""

    def __init__(self, admin_token: str) -> None:
        self._digest = digest(admin_token)

    def is_operator(self, token: str) -> bool:
        """Return whether this is the operator's token, in the same time whatever it is."""
        return hmac.compare_digest(digest(token), self._digest)

    def key(self, purpose: str) -> bytes:
        """Return a key for a purpose: the same in every replica with this token, and of no use for finding it."""
        return hmac.digest(self._digest, purpose.encode(), "sha256")


def digest(token: str) -> bytes:
    """Return what of a token is stored: its SHA-256."""
    return sha256(token.encode()).digest()


def made(kind: TokenKind) -> str:
    """Return a new token: random, but for a prefix to know it by and a checksum."""
    body = f"{_PREFIX}{kind}_{secrets.token_urlsafe(32)}"
    return body + _check(body)


def is_made(token: str) -> bool:
    """Return whether a token may be one that was made here: a mistyped or foreign one is not."""
    return bool(_FORM.fullmatch(token)) and token.endswith(_check(token[:-_CHECK_LENGTH]))


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


def _check(body: str) -> str:
    return f"{crc32(body.encode()):08x}"


def _create(path: Path) -> None:
    """Write a new token unless there is one, whole or not at all, whoever else does the same now."""
    if path.exists():
        return
    draft = path.with_name(f".token.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(made(TokenKind.ADMIN) + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
