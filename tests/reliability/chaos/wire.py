"""HTTP messages as bytes: as much of HTTP as our own client and service speak, one with a length each."""

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_KEY = re.compile(rb"\r\nidempotency-key:", re.IGNORECASE)
_OF_THE_MOMENT = frozenset({"expires_in", "expires_at"})
OK = 200


@dataclass(frozen=True)
class HttpMessage:
    """A request or a response.

    Args:
        head: Its first line and its headers, with the empty line.
        body: What follows.
    """

    head: bytes
    body: bytes

    @property
    def raw(self) -> bytes:
        """The message as it goes over the wire."""
        return self.head + self.body

    @property
    def is_ask(self) -> bool:
        """Whether it asks for leases."""
        return self.head.startswith(b"POST /v1/leases ")

    @property
    def is_repeatable(self) -> bool:
        """Whether twice is promised to be the same as once."""
        creates = self.is_ask or self.head.startswith(b"POST /v1/studies ")
        return not creates or bool(_KEY.search(self.head))

    @property
    def status(self) -> int:
        """Of a response."""
        return int(self.head.split(b" ", 2)[1])

    @property
    def has_leases(self) -> bool:
        """Whether it is a response that gives leases."""
        return self.status == OK and bool(json.loads(self.body).get("leases"))

    @property
    def sense(self) -> object:
        """What a response says, but for what is of the moment."""
        return _lasting(json.loads(self.body))


async def read(reader: asyncio.StreamReader) -> HttpMessage:
    """Read one message.

    Raises:
        EOFError: The other side is done, or was cut off.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return HttpMessage(head, await reader.readexactly(int(length[1])) if length else b"")


def _lasting(found: Any) -> object:
    if isinstance(found, dict):
        return {name: _lasting(value) for name, value in found.items() if name not in _OF_THE_MOMENT}
    return [_lasting(value) for value in found] if isinstance(found, list) else found
