"""Tokens: make, list, revoke."""

from collections.abc import Iterator

from trimtab.client.calls import PAGE, Calls
from trimtab.errors import TokenNotFound
from trimtab.protocol import MadeToken, NewToken, Page, Token
from trimtab.requests import Request, new_key
from trimtab.states import TokenKind
from trimtab.validation import built


class TokenCalls(Calls):
    """What there is to do with tokens."""

    def make_token(self, kind: TokenKind | str, name: str) -> MadeToken:
        """Make a token. It is in the answer, and nowhere else.

        Args:
            kind: What its holder may do.
            name: For people.

        Raises:
            Forbidden: The token of this client is no administrator's.
            TokenAlreadyShown: It was made, and the answer was lost. Revoke it and make another.
        """
        body = built(NewToken, {"kind": kind, "name": name}).model_dump_json()
        return self._call(MadeToken, Request("POST", "/v1/tokens", body=body, key=new_key()))

    def tokens(self) -> Iterator[Token]:
        """Return the tokens, the oldest first, revoked ones among them.

        Raises:
            Forbidden: The token of this client is no administrator's.
        """
        return self._items(Page[Token], "/v1/tokens", PAGE)

    def revoke_token(self, token_id: str) -> None:
        """Revoke a token. When this returns no replica takes it any more. Twice is the same as once.

        Raises:
            Forbidden: The token of this client is no administrator's.
            TokenNotFound: There is none of that id.
        """
        self._delete(f"/v1/tokens/{int(token_id)}", TokenNotFound)
