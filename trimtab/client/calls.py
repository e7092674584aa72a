"""How the verbs of the client are sent, and their answers read."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from trimtab import answers
from trimtab.connection import Connection
from trimtab.errors import NotFound
from trimtab.message import Message
from trimtab.protocol import Page
from trimtab.requests import Request

PAGE = 100
"""Items of a list that are read at once."""

Answer = TypeVar("Answer", bound=Message)
Item = TypeVar("Item", bound=Message)


class Calls:
    """Calls of a service.

    Args:
        connection: To it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _call(self, answer: type[Answer], request: Request) -> Answer:
        return answers.parsed(self._connection.send(request).response, answer)

    def _delete(self, path: str, absent: type[NotFound]) -> None:
        reply = self._connection.send(Request("DELETE", path))
        try:
            answers.check(reply.response)
        except absent:
            # Not there at a second try: the answer to the first one was lost.
            if reply.tries == 1:
                raise

    def _items(
        self, page: type[Page[Item]], path: str, size: int, query: Mapping[str, str] | None = None
    ) -> Iterator[Item]:
        """Return what a list holds. The first page is read at once, so that the caller sees a refusal."""
        asked: dict[str, str | int] = {**(query or {}), "limit": min(size, PAGE)}
        first = self._call(page, Request("GET", path, query=asked))
        return self._from(first, path, asked)

    def _from(self, page: Page[Item], path: str, asked: Mapping[str, str | int]) -> Iterator[Item]:
        yield from page.items
        while page.next is not None:
            page = self._call(type(page), Request("GET", path, query={**asked, "cursor": page.next}))
            yield from page.items
