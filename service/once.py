"""A request that takes effect once, however often it is sent: its answer is stored in the transaction of its effect.

claim the key -> the effect -> keep the answer -> commit. Who comes second waits for the first at the claim.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy import exc

from service.database import autocommit, is_lock_timeout, transaction
from service.storage import keys
from service.storage.keys import Kept, Key
from trimtab.errors import IdempotencyMismatch, InProgress, TokenAlreadyShown
from trimtab.message import Message

OK = 200


class Replayed(Exception):
    """The request took effect before; `kept` is the answer that it got then."""

    def __init__(self, kept: Kept) -> None:
        super().__init__("answered before")
        self.kept = kept


class Once:
    """One request, by its Idempotency-Key. Without one it takes effect each time that it is sent.

    Args:
        key: None: there is none.
    """

    def __init__(self, key: Key | None) -> None:
        self._key = key
        self._is_kept = False

    @contextmanager
    def transaction(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        """Give a connection in a transaction for an effect; unless its answer is kept, a key is not used up.

        Raises:
            Replayed: The request took effect before.
            IdempotencyMismatch: The key was used for another request.
            InProgress: The first request with this key is still under way.
            Unavailable: As service.database.transaction.
        """
        with transaction(engine) as connection:
            if self._key is None:
                yield connection
                return
            self._claim(connection, self._key)
            yield connection
            if not self._is_kept:
                connection.rollback()

    @contextmanager
    def statement(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        """Give a connection for an effect of one statement: committed with it, or with the answer that is kept."""
        with autocommit(engine) if self._key is None else self.transaction(engine) as connection:
            yield connection

    def replay(self, connection: sa.Connection) -> None:
        """Look whether the request took effect before.

        Raises:
            Replayed, IdempotencyMismatch: As for a transaction.
        """
        if self._key and (kept := keys.find(connection, self._key)):
            raise _answered(self._key, kept)

    def keep(
        self, connection: sa.Connection, answer: Message, *, status: int = OK, headers: Mapping[str, str] | None = None
    ) -> None:
        """Keep the answer, in the transaction of the effect."""
        self._keep(connection, answer.model_dump_json().encode(), status=status, headers=headers or {})

    def keep_secret(self, connection: sa.Connection, *, status: int) -> None:
        """Keep that there was an answer, but not what it said."""
        self._keep(connection, None, status=status, headers={})

    def _keep(self, connection: sa.Connection, body: bytes | None, *, status: int, headers: Mapping[str, str]) -> None:
        if self._key:
            keys.keep(connection, self._key, status=status, headers=json.dumps(headers), body=body)
            self._is_kept = True

    def _claim(self, connection: sa.Connection, key: Key) -> None:
        try:
            is_first = keys.claim(connection, key)
        except exc.OperationalError as error:
            if is_lock_timeout(error):
                raise InProgress("the first request with this key is still under way", retry_after=1) from error
            raise
        if not is_first:
            kept = keys.find(connection, key)
            assert kept, "a key that is taken has its answer"
            raise _answered(key, kept)


UNKEYED = Once(None)


def _answered(key: Key, kept: Kept) -> Replayed | IdempotencyMismatch | TokenAlreadyShown:
    if kept.request != key.request:
        return IdempotencyMismatch("this Idempotency-Key was used for another request")
    if kept.body is None:
        return TokenAlreadyShown("the token was shown when it was made; revoke it and make another")
    return Replayed(kept)
