"""What is said of tokens."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from trimtab.message import Lax, Message, Text
from trimtab.states import TokenKind


class NewToken(Message):
    """A token that is asked for.

    Args:
        kind: What its holder may do.
        name: For people.
    """

    kind: Annotated[TokenKind, Lax]
    name: Annotated[Text, Field(min_length=1, max_length=200)]


class Token(Message):
    """A token, without the token itself.

    Args:
        id: Names it where it is revoked.
        revoked_at: None: it is valid.
    """

    id: str
    kind: Annotated[TokenKind, Lax]
    name: str
    created_at: datetime
    revoked_at: datetime | None = None


class MadeToken(Token):
    """A token that was just made. `token` is shown this once and kept nowhere."""

    token: str
