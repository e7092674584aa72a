"""Who calls, and what that gives a right to."""

from dataclasses import dataclass
from enum import StrEnum

from trimtab.states import TokenKind


class Scope(StrEnum):
    """What a route needs a right to. Each route declares one."""

    VERSION = "version"
    READ = "read"
    DATASETS = "datasets"
    STUDIES = "studies"
    LEASES = "leases"
    TOKENS = "tokens"


_RIGHTS = {
    TokenKind.ADMIN: frozenset(Scope),
    TokenKind.USER: frozenset({Scope.VERSION, Scope.READ, Scope.DATASETS, Scope.STUDIES, Scope.LEASES}),
    TokenKind.WORKER: frozenset({Scope.VERSION, Scope.DATASETS, Scope.LEASES}),
    TokenKind.READER: frozenset({Scope.VERSION, Scope.READ}),
}


@dataclass(frozen=True)
class Principal:
    """Who calls.

    Args:
        kind: Of the token.
        token_id: Of the token; None: the operator's own, which is in no table.
    """

    kind: TokenKind
    token_id: int | None = None

    def may(self, scope: Scope) -> bool:
        """Return whether the token gives a right to this."""
        return scope in _RIGHTS[self.kind]

    @property
    def bound_to(self) -> int | None:
        """The token whose leases alone may be called on; None: anybody's."""
        return None if self.kind is TokenKind.ADMIN else self.token_id


OPERATOR = Principal(TokenKind.ADMIN)
"""Whoever has the token of TRIMTAB_ADMIN_TOKEN, or of the data folder."""
