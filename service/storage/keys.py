"""Idempotency keys in the database: claimed with an effect, and kept with its answer, in one transaction."""

from dataclasses import dataclass

import sqlalchemy as sa

from service.prepared import prepared


@dataclass(frozen=True)
class Key:
    """What makes two requests the same one.

    Args:
        principal_id: Of the token that calls; 0: the operator's own.
        route: Method and path template.
        key: As the caller chose it.
        request: SHA-256 of what is asked.
    """

    principal_id: int
    route: str
    key: str
    request: bytes


@dataclass(frozen=True)
class Kept:
    """An answer that was kept.

    Args:
        request: SHA-256 of what was asked.
        status: Of HTTP.
        headers: That the answer had beside those that every answer has.
        body: Byte for byte; None: it was shown once and is not kept.
    """

    request: bytes
    status: int
    headers: dict[str, str]
    body: bytes | None


_MATCH = "principal_id = :principal_id AND route = :route AND key = :key"

_FIND = prepared("find_key", f"SELECT request, status, headers, body FROM trimtab_keys WHERE {_MATCH}")

_CLAIM = prepared(
    "claim_key",
    """
    INSERT INTO trimtab_keys (principal_id, route, key, request) VALUES (:principal_id, :route, :key, :request)
    ON CONFLICT DO NOTHING
    RETURNING key
""",
)

_KEEP = prepared(
    "keep_key",
    f"UPDATE trimtab_keys SET status = :status, headers = CAST(:headers AS json), body = :body WHERE {_MATCH}",
)


def _named(key: Key) -> dict[str, str | int]:
    return {"principal_id": key.principal_id, "route": key.route, "key": key.key}


def find(connection: sa.Connection, key: Key) -> Kept | None:
    """Return the answer that was kept under this key; None if there is none."""
    row = connection.execute(_FIND, _named(key)).one_or_none()
    if row is None:
        return None
    return Kept(bytes(row.request), row.status, row.headers, None if row.body is None else bytes(row.body))


def claim(connection: sa.Connection, key: Key) -> bool:
    """Take the key for the effect of this transaction; return False if an answer is kept under it.

    A transaction that has taken it and is still under way is waited for.
    """
    return connection.execute(_CLAIM, vars(key)).one_or_none() is not None


def keep(connection: sa.Connection, key: Key, *, status: int, headers: str, body: bytes | None) -> None:
    """Store the answer under the key that this transaction has taken.

    Args:
        connection: In that transaction.
        key: Claimed.
        status: Of HTTP.
        headers: A JSON object.
        body: None: what is shown once is not kept.
    """
    connection.execute(_KEEP, {**_named(key), "status": status, "headers": headers, "body": body})
