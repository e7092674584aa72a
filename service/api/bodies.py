"""JSON bodies, of which each field is given once: where two readers may differ in what a body says, it is refused."""

import json
from typing import Any

from fastapi import Request

SHOWN = 100
"""Characters of a name that is sent back."""


class ExactRequest(Request):
    """A request whose JSON gives no field twice."""

    async def json(self) -> Any:
        """Return what the body says.

        Raises:
            json.JSONDecodeError: It is no JSON, or an object in it gives a field twice.
        """
        if not hasattr(self, "_json"):
            self._json = json.loads(await self.body(), object_pairs_hook=_object)
        return self._json


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen = set[str]()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise json.JSONDecodeError(f"an object has the name {twice[:SHOWN]!r} twice", "", 0)
    return found
