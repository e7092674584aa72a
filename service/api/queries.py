"""The part of an address after its question mark: nobody is to think that it was understood where it was not."""

from collections.abc import Iterable, Sequence
from itertools import islice

from trimtab.errors import Invalid
from trimtab.protocol import FieldProblem

_SHOWN = 100
"""Characters of a name."""

_NAMED = 10
"""Problems: an address may have thousands of parameters."""


def check_query(given: Iterable[str], known: Sequence[str]) -> None:
    """Return if all parameters that an address has are known.

    Args:
        given: Their names.
        known: Those that a route takes.

    Raises:
        Invalid: One is not.
    """
    text = f"is no parameter of this address: it takes {', '.join(known) or 'none'}"
    unknown = (name[:_SHOWN] for name in given if name not in known)
    if problems := [FieldProblem(field=name, message=text) for name in islice(unknown, _NAMED)]:
        raise Invalid("the address is not valid", errors=problems)
