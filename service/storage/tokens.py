"""Tokens in the database: by their SHA-256 alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from service.prepared import prepared
from trimtab.states import TokenKind


@dataclass(frozen=True)
class TokenRow:
    """A token as it is stored."""

    token_id: int
    kind: TokenKind
    name: str
    created_at: datetime
    revoked_at: datetime | None


_COLUMNS = "token_id, kind, name, created_at, revoked_at"

_INSERT = sa.text(f"""
    INSERT INTO trimtab_tokens (kind, name, digest) VALUES (:kind, :name, :digest) RETURNING {_COLUMNS}
""")

_FIND = prepared(
    "find_token", "SELECT token_id, kind FROM trimtab_tokens WHERE digest = :digest AND revoked_at IS NULL"
)

_KIND = prepared(
    "kind_of_token",
    """
    SELECT kind FROM trimtab_tokens
    WHERE token_id = :token_id AND substring(digest FOR length(CAST(:mark AS bytea))) = :mark AND revoked_at IS NULL
    """,
)

_LIST = sa.text(f"SELECT {_COLUMNS} FROM trimtab_tokens WHERE token_id > :after ORDER BY token_id LIMIT :limit")

_REVOKE = sa.text(f"""
    UPDATE trimtab_tokens SET revoked_at = clock_timestamp() WHERE token_id = :token_id AND revoked_at IS NULL
    RETURNING {_COLUMNS}
""")

_EXISTS = sa.text("SELECT EXISTS (SELECT FROM trimtab_tokens WHERE token_id = :token_id)")


def insert(connection: sa.Connection, *, kind: TokenKind, name: str, digest: bytes) -> TokenRow:
    """Store a new token."""
    return _row(connection.execute(_INSERT, {"kind": kind, "name": name, "digest": digest}).one())


def find(connection: sa.Connection, digest: bytes) -> tuple[int, TokenKind] | None:
    """Return the id and kind of a token that is not revoked; None if there is none of that SHA-256."""
    row = connection.execute(_FIND, {"digest": digest}).one_or_none()
    return (row.token_id, TokenKind(row.kind)) if row else None


def kind(connection: sa.Connection, token_id: int, mark: bytes) -> TokenKind | None:
    """Return the kind of a token that is not revoked; None if there is none of that id whose SHA-256 begins so."""
    found = connection.execute(_KIND, {"token_id": token_id, "mark": mark}).scalar_one_or_none()
    return None if found is None else TokenKind(found)


def page(connection: sa.Connection, *, after: int, limit: int) -> Sequence[TokenRow]:
    """Return up to `limit` tokens, the oldest first, of those newer than the one of id `after`."""
    return [_row(row) for row in connection.execute(_LIST, {"after": after, "limit": limit})]


def revoke(connection: sa.Connection, token_id: int) -> TokenRow | None:
    """Revoke a token; None, with nothing written, if there is none of that id or it was revoked before."""
    row = connection.execute(_REVOKE, {"token_id": token_id}).one_or_none()
    return _row(row) if row else None


def exists(connection: sa.Connection, token_id: int) -> bool:
    """Return whether there is a token of that id, revoked or not."""
    return bool(connection.execute(_EXISTS, {"token_id": token_id}).scalar_one())


def _row(row: sa.Row[tuple[object, ...]]) -> TokenRow:
    values = row._asdict()
    return TokenRow(kind=TokenKind(values.pop("kind")), **values)
