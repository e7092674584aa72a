"""Make, list and revoke tokens."""

import logging

import sqlalchemy as sa

from service import cursors, tokens
from service.database import autocommit, transaction
from service.once import UNKEYED, Once
from service.principals import Principal
from service.storage import audit
from service.storage import tokens as stored
from service.storage.tokens import TokenRow
from trimtab.errors import TokenNotFound
from trimtab.protocol import MadeToken, NewToken, Page, Token

CREATED = 201

_log = logging.getLogger(__name__)


def make(engine: sa.Engine, wanted: NewToken, *, by: Principal, once: Once = UNKEYED) -> MadeToken:
    """Make a token. It is in the answer, and nowhere else.

    Raises:
        TokenAlreadyShown: The request was made before; the token was in that answer.
        Unavailable: The database is away or busy.
    """
    secret = tokens.made(wanted.kind)
    with once.transaction(engine) as connection:
        row = stored.insert(connection, kind=wanted.kind, name=wanted.name, digest=tokens.digest(secret))
        audit.note(connection, by, "make token", str(row.token_id), kind=wanted.kind, name=wanted.name)
        once.keep_secret(connection, status=CREATED)
    _log.info("token %(token)s of kind %(kind)s is made", {"token": row.token_id, "kind": row.kind})
    return MadeToken(token=secret, **_token(row).model_dump())


def page(engine: sa.Engine, *, cursor: str | None, limit: int) -> Page[Token]:
    """Return a page of tokens, the oldest first, revoked ones among them.

    Raises:
        Invalid: The cursor is none of ours.
        Unavailable: The database is away or busy.
    """
    with autocommit(engine) as connection:
        rows = stored.page(connection, after=cursors.integer(cursor) or 0, limit=limit + 1)
    items = [_token(row) for row in rows[:limit]]
    return Page(items=items, next=items[-1].id if len(rows) > limit else None)


def revoke(engine: sa.Engine, token_id: int, *, by: Principal) -> None:
    """Revoke a token. Replicas may still take it for `service.recognition.BELIEVED_SECONDS`. Twice is as once.

    Raises:
        TokenNotFound: There is none of that id.
        Unavailable: The database is away or busy.
    """
    with transaction(engine) as connection:
        if row := stored.revoke(connection, token_id):
            audit.note(connection, by, "revoke token", str(token_id), kind=row.kind, name=row.name)
            _log.info("token %(token)s is revoked", {"token": token_id})
        elif not stored.exists(connection, token_id):
            raise TokenNotFound(f"there is no token '{token_id}'")


def _token(row: TokenRow) -> Token:
    return Token(
        id=str(row.token_id), kind=row.kind, name=row.name, created_at=row.created_at, revoked_at=row.revoked_at
    )
