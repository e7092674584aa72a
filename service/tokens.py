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

_MARK_BYTES = 8

_LEAST_LENGTH = 32
"""Of the operator's token: 128 bits as hexadecimal digits. Who has the cookie of a session, signed with it, can try
guesses at home as fast as a machine computes SHA-256."""


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


def mark(token: str) -> bytes:
    """Return how the SHA-256 of a token begins: it tells tokens apart, and is of no use for finding one."""
    return digest(token)[:_MARK_BYTES]


def checked(token: str, source: str) -> str:
    """Return a token that somebody chose as the operator's.

    Raises:
        Misconfigured: It is none that can be sent, or one that could be guessed; the message names where it is from.
    """
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Misconfigured(f"{source}: a token has ASCII letters, digits and signs only, and no spaces")
    if len(token) < _LEAST_LENGTH:
        raise Misconfigured(
            f"{source}: the operator's token has at least {_LEAST_LENGTH} characters, not {len(token)}: "
            "`openssl rand -hex 32` makes one"
        )
    return token


def made(kind: TokenKind) -> str:
    """Return a new token: random, but for a prefix to know it by and a checksum."""
    body = f"{_PREFIX}{kind}_{secrets.token_urlsafe(32)}"
    return body + _check(body)


def is_made(token: str) -> bool:
    """Return whether a token may be one that was made here: a mistyped or foreign one is not."""
    return bool(_FORM.fullmatch(token)) and token.endswith(_check(token[:-_CHECK_LENGTH]))


def file_in(data_dir: Path) -> Path:
    """Return the file of this folder that the operator's token is kept in."""
    return data_dir / "token"


def kept_in(data_dir: Path) -> str:
    """Return the token in the file `token` of this folder, made at the first call, readable by its owner only.

    Raises:
        Misconfigured: The file can be neither read nor written, or somebody wrote one into it that is refused.
    """
    path = file_in(data_dir)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        _create(path)
        token = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be used: {error.strerror}; set TRIMTAB_DATA_DIR to a folder that can"
        ) from error
    if not token:
        raise Misconfigured(f"{path} is empty: delete it, and a new one is made at the next start")
    return checked(token, str(path))


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
