"""A study that is being written: what would become of it, before it is made."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice

import sqlalchemy as sa
from pydantic import JsonValue
from pydantic_core import from_json as read_json

from service import admission, shown
from service.database import autocommit, transaction
from service.datasets import pins
from service.naming import numbered
from service.replica import Replica
from service.storage import studies
from trimtab.errors import Conflict, Invalid
from trimtab.space import Space
from trimtab.spec import StudySpec, TaskSpec
from trimtab.validation import built, from_json

_NAMELESS = "draft"

_ASKED_AT_ONCE = 1000
"""Names: hardly anybody has more studies of one name."""


@dataclass(frozen=True)
class Draft:
    """What would become of a study.

    Args:
        space: The default space of its task, for its data; None: there is none.
        spec: It, with every default filled in; None: it would be refused.
        refused: Why.
        warnings: What whoever creates it should know.
    """

    space: Space | None
    spec: StudySpec | None = None
    refused: Conflict | Invalid | None = None
    warnings: Sequence[str] = ()


def examine(replica: Replica, written: bytes) -> Draft:
    """Return what would become of a study whose spec is this JSON. Nothing is made.

    Raises:
        Unavailable: The database is away or busy.
    """
    with transaction(replica.engine) as connection:
        space = _default_space(connection, written)
        try:
            spec = admission.admitted(connection, from_json(StudySpec, written))
            if study := studies.find(connection, spec.name):
                admission.check_same(study.spec, spec)
        except (Conflict, Invalid) as refused:
            return Draft(space, refused=refused)
        return Draft(space, spec, warnings=shown.warnings(connection, spec))


def copied(replica: Replica, name: str) -> dict[str, JsonValue]:
    """Return the fields of a study like another one, under a name that is free.

    Raises:
        StudyNotFound: There is no study of that name.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        spec = studies.require(connection, name).current_spec
        free = _free(connection, numbered(name))
    given = spec.model_dump(mode="json", exclude_none=True)
    # Two fields mean something by being null: nobody's task, and a budget without a limit.
    return given | {"name": free, "task": given.get("task"), "budget": given["budget"] or {"trials": None}}


def free_name(replica: Replica, name: str) -> str:
    """Return a name, or that name with a number, that no study has.

    Raises:
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        return _free(connection, chain([name], numbered(name)))


def _free(connection: sa.Connection, names: Iterator[str]) -> str:
    free = None
    while free is None:
        free = studies.first_free(connection, list(islice(names, _ASKED_AT_ONCE)))
    return free


def _default_space(connection: sa.Connection, written: bytes) -> Space | None:
    for task in _tasks(written):
        with suppress(Invalid):
            return pins.resolved(connection, built(StudySpec, {"name": _NAMELESS, "task": task})).space
    return None


def _tasks(written: bytes) -> Iterator[TaskSpec]:
    """Yield the task that is named, with its data, and without: what is wrong with these leaves it its space."""
    given: JsonValue = None
    with suppress(ValueError):
        given = read_json(written)
    match given:
        case {"task": {"name": name, **others}}:
            for fields in ({"name": name, "data": others.get("data", {})}, {"name": name}):
                with suppress(Invalid):
                    yield built(TaskSpec, fields)
