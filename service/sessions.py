"""Signed cookies of people who signed in with a token in a browser: what a page is asked for with."""

import hmac
import secrets
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeTimedSerializer

from service.tokens import Tokens

COOKIE = "trimtab_session"

LIFE_SECONDS = 12 * 3600
"""A working day; whoever comes back after it signs in again."""

_SALT = "trimtab session"


@dataclass(frozen=True)
class Session:
    """Somebody who signed in.

    Args:
        token_id: Of the token that was given; None: the operator's own.
        nonce: Of this session alone.
    """

    token_id: int | None
    nonce: str


class Sessions:
    """Makes and reads cookies. No replica keeps any: all sign with the operator's token, and another one ends them.

    Args:
        operator: The operator's token.
    """

    def __init__(self, operator: Tokens) -> None:
        self._key = operator.key("sessions")
        self._signer = URLSafeTimedSerializer(self._key, salt=_SALT)

    def begin(self, token_id: int | None) -> str:
        """Return the cookie of a new session, for whoever holds this token."""
        return self._signer.dumps([token_id, secrets.token_urlsafe(16)])

    def read(self, cookie: str) -> Session | None:
        """Return the session of a cookie; None: it is none of ours, or too old."""
        try:
            token_id, nonce = self._signer.loads(cookie, max_age=LIFE_SECONDS)
        except BadSignature:
            return None
        return Session(token_id, nonce)

    def form_key(self, session: Session) -> str:
        """Return what a form of this session carries, which no other site can know (cross-site request forgery)."""
        return hmac.digest(self._key, f"form {session.nonce}".encode(), "sha256").hex()

    def is_form_key(self, session: Session, given: str) -> bool:
        """Return whether a form comes from a page of this session, in the same time whatever it carries."""
        return hmac.compare_digest(self.form_key(session).encode(), given.encode())
