"""Cursors of lists: where the next page begins."""

import re

from trimtab.errors import Invalid
from trimtab.protocol import FieldProblem

_INTEGER = re.compile(r"[0-9]{1,18}")


def integer(cursor: str | None) -> int | None:
    """Return a cursor that is a number; None for the first page.

    Raises:
        Invalid: It is not a number.
    """
    if cursor is None:
        return None
    if not _INTEGER.fullmatch(cursor):
        problem = FieldProblem(field="cursor", message="is not one that this list gave")
        raise Invalid("the cursor is not valid", errors=[problem])
    return int(cursor)
