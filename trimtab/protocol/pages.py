"""What a list answers."""

from typing import Generic, TypeVar

from trimtab.message import Message

Item = TypeVar("Item")


class Page(Message, Generic[Item]):
    """A part of a list, and where the rest begins: None at its end."""

    items: list[Item]
    next: str | None = None
