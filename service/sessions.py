"""Signed cookies of people who signed in with a token in a browser: what a page is asked for with."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from itsdangerous import BadData, URLSafeSerializer

from service.tokens import Tokens

COOKIE = "trimtab_session"

SECURE_COOKIE = f"__Host-{COOKIE}"
"""Its name by TLS: nobody but this very host can give a browser one of that name (RFC 6265bis, 4.1.3.2)."""

LIFE_SECONDS = 12 * 3600
"""A working day; whoever comes back after it signs in again."""

_SALT = "trimtab session 2"
"""Another number where a cookie holds other things: one of before is none of ours then."""


@dataclass(frozen=True)
class Session:
    """Somebody who signed in.

    Args:
        token_id: Of the token that was given; None: the operator's own.
        mark: Of that token too, as `service.tokens.mark` gives it: in a database that is made anew others get its id.
        nonce: Of this session alone.
        begun_at: By the database's time, like all that replicas compare.
    """

    token_id: int | None
    mark: bytes
    nonce: str
    begun_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Return whether it has lasted long enough."""
        return (now - self.begun_at).total_seconds() >= LIFE_SECONDS


class Sessions:
    """Makes and reads cookies. No replica keeps any: all sign with the operator's token, and another one ends them.

    Args:
        operator: The operator's token.
    """

    def __init__(self, operator: Tokens) -> None:
        self._key = operator.key("sessions")
        self._signer = URLSafeSerializer(self._key, salt=_SALT)

    def begin(self, token_id: int | None, mark: bytes, *, now: datetime) -> str:
        """Return the cookie of a new session, for whoever holds this token."""
        cookie: str = self._signer.dumps([token_id, mark.hex(), secrets.token_urlsafe(16), int(now.timestamp())])
        return cookie

    def read(self, cookie: str) -> Session | None:
        """Return the session of a cookie; None: it is none of ours. It may be over."""
        try:
            token_id, mark, nonce, begun_at = self._signer.loads(cookie)
        except BadData:
            return None
        return Session(token_id, bytes.fromhex(mark), nonce, datetime.fromtimestamp(begun_at, UTC))

    def form_key(self, session: Session) -> str:
        """Return what a form of this session carries, which no other site can know (cross-site request forgery)."""
        return hmac.digest(self._key, f"form {session.nonce}".encode(), "sha256").hex()

    def is_form_key(self, session: Session, given: str) -> bool:
        """Return whether a form comes from a page of this session, in the same time whatever it carries."""
        return given.isascii() and hmac.compare_digest(self.form_key(session), given)


def cookie_name(scheme: str) -> str:
    """Return what the cookie of a session is called for a browser that speaks by this scheme."""
    return SECURE_COOKIE if scheme == "https" else COOKIE
