"""JSON bodies without what two readers may take differently, or what costs much to find wrong."""

import json
from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException

from trimtab.errors import Invalid

MOST_FIELDS = 1024
"""Of an object; four times what any of ours may have. Each one too many would be an error with its own words."""

_SHOWN = 100


class ExactRequest(Request):
    """A request whose JSON gives no field twice, and no object more fields than anybody needs."""

    async def json(self) -> Any:
        """Return what the body says.

        Raises:
            json.JSONDecodeError: It is no JSON.
            HTTPException: It is, with an object that is refused; the detail goes on from the word "body".
        """
        if not hasattr(self, "_json"):
            self._json = json.loads(await self.body(), object_pairs_hook=exact_object)
        return self._json


def exact_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON.

    Raises:
        HTTPException: It gives a field twice, or too many.
    """
    if len(pairs) > MOST_FIELDS:
        raise HTTPException(Invalid.status, f"has an object of {len(pairs)} fields: at most {MOST_FIELDS}")
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise HTTPException(Invalid.status, f"has an object that gives {twice[:_SHOWN]!r} twice")
    return found
