"""Who holds a token. What was looked up is believed for a second, so that a busy worker costs no look at each call."""

import time
from collections.abc import Callable
from datetime import datetime
from threading import Lock

import sqlalchemy as sa
from cachetools import LRUCache

from service import tokens
from service.database import autocommit
from service.principals import OPERATOR, Principal
from service.sessions import Session
from service.storage import tokens as stored
from service.tokens import Tokens
from trimtab.errors import Unauthorized

BELIEVED_SECONDS = 1.0
"""A revoked token is taken nowhere after that; so long whoever revokes one waits for the answer."""

_MAX_BELIEVED = 4096

_REFUSED = (
    "the token is not valid: mistyped, revoked, or of another service; "
    "TRIMTAB_TOKEN, TRIMTAB_TOKEN_FILE or TRIMTAB_DATA_DIR/token of whoever asks holds it"
)


class Recognition:
    """Recognises tokens.

    Args:
        operator: The operator's own, which is in no database.
        engine: Where the others are.
        now: Tells the database's time.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        operator: Tokens,
        engine: sa.Engine,
        *,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._operator = operator
        self._engine = engine
        self._now = now
        self._clock = clock
        self._believed: LRUCache[bytes, tuple[float, Principal | None]] = LRUCache(_MAX_BELIEVED)
        self._lock = Lock()

    def at_once(self, token: str) -> Principal | None:
        """Return whose token this is if that is known without a look into the database; None: it is not.

        Raises:
            Unauthorized: Nobody's.
        """
        if self._operator.is_operator(token):
            return OPERATOR
        if not tokens.is_made(token):
            raise Unauthorized(_REFUSED)
        with self._lock:
            seen_at, principal = self._believed.get(tokens.digest(token), (float("-inf"), None))
        if self._clock() - seen_at >= BELIEVED_SECONDS:
            return None
        if principal is None:
            raise Unauthorized(_REFUSED)
        return principal

    def by_look(self, token: str) -> Principal:
        """Return whose token this is by the database.

        Raises:
            Unauthorized: Nobody's, or it was revoked.
            Unavailable: The database is away or busy.
        """
        digest = tokens.digest(token)
        # The time before the look: what it saw is not older than this.
        seen_at = self._clock()
        with autocommit(self._engine) as connection:
            found = stored.find(connection, digest)
        principal = Principal(kind=found[1], token_id=found[0]) if found else None
        with self._lock:
            self._believed[digest] = (seen_at, principal)
        if principal is None:
            raise Unauthorized(_REFUSED)
        return principal

    def of_session(self, session: Session) -> Principal:
        """Return who signed in. A page is asked for by people: each look is one into the database.

        Raises:
            Unauthorized: The session is over, or the token was revoked since, or is not of this database.
            Unavailable: The database is away or busy.
        """
        if session.is_over(self._now()):
            raise Unauthorized("the session is over: sign in again")
        if session.token_id is None:
            return OPERATOR
        with autocommit(self._engine) as connection:
            kind = stored.kind(connection, session.token_id, session.mark)
        if kind is None:
            raise Unauthorized("the token of this session is valid no more: sign in again")
        return Principal(kind=kind, token_id=session.token_id)
