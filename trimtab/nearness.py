"""What somebody may have meant who misspelt a name."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, RootModel


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question with the known name that is the nearest, to go on from what is wrong; "" if none is near."""
    found = get_close_matches(name, list(known), n=1)
    return f"; did you mean {found[0]}?" if found else ""


def fields_at(message: type[BaseModel], path: Sequence[int | str]) -> frozenset[str]:
    """Return the fields that there are at a place of a message.

    Args:
        message: The class of the whole.
        path: To the place, in pydantic's terms: fields, positions, keys, and what tells the members of a union apart.
    """
    there = [*_opened(message)]
    for part in path:
        inner = [model for each in there if part in each.model_fields for model in _models(_field(each, part))]
        # What is no field is a position or a key, or says which member of the union it is.
        there = inner or [each for each in there if _is_tagged(each, part)] or there
    return frozenset(name for model in there for name in model.model_fields)


def _field(model: type[BaseModel], name: int | str) -> object:
    field = model.model_fields[str(name)]
    return field.annotation, *field.metadata


def _is_tagged(model: type[BaseModel], tag: int | str) -> bool:
    return any(field.default == tag for field in model.model_fields.values()) or model.__name__ == tag


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the classes of messages that an annotation names, however deep inside."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _opened(annotation)
    for inner in annotation if isinstance(annotation, tuple) else get_args(annotation):
        yield from _models(inner)


def _opened(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield a message itself; of one that is only a name for something else, what it stands for."""
    if issubclass(model, RootModel):
        yield from _models(_root(model))
    else:
        yield model


def _root(model: type[RootModel[Any]]) -> object:
    return model.model_fields["root"].annotation
