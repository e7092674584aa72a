"""A study is trained on the contents that its data sets had when it was created, whatever is put later."""

from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa

from service.storage import datasets as stored
from service.storage import studies
from trimtab import fitting
from trimtab.data import BUILT_IN, DataSpec
from trimtab.errors import Invalid
from trimtab.protocol import FieldProblem
from trimtab.spec import StudySpec

_LISTED = 50

_FIELDS = ("dataset", "validation_dataset", "test_dataset")


def resolved(connection: sa.Connection, spec: StudySpec) -> StudySpec:
    """Return a spec with every default filled in, and the contents of its data sets; they stay with the transaction.

    The spec of a study that there is by that name keeps that study's contents.

    Raises:
        Invalid: There is no such data set, or what is asked for does not go with the data.
    """
    if spec.task is None:
        return spec.resolved()
    data = spec.task.data
    _refuse([*_needless(data)])
    wanted = {name: sha256 for name in data.datasets if (sha256 := _content(connection, spec, name, data))}
    rows = {row.name: row for row in stored.pin(connection, wanted)}
    known = {**BUILT_IN, **{name: row.description.facts for name, row in rows.items()}}
    _refuse([*_unknown(connection, data, known)])
    contents = {name: row.sha256 for name, row in rows.items()}
    task = spec.task.model_copy(update={"data": data.model_copy(update={"contents": contents})})
    whole = spec.model_copy(update={"task": task}).resolved(known)
    _refuse(fitting.problems(task, whole.declared, known))
    return whole


def check(connection: sa.Connection, spec: StudySpec) -> None:
    """Return if what a study of settled contents asks for goes with its data.

    Raises:
        Invalid: It does not.
    """
    if spec.task:
        _refuse(fitting.problems(spec.task, spec.declared, stored.facts_of(connection, spec.task.data)))


def _content(connection: sa.Connection, spec: StudySpec, name: str, data: DataSpec) -> str | None:
    """Return the hash of what a data set is to be; None: it is built in, or there is none."""
    if name in BUILT_IN:
        return None
    if name in data.contents:
        return data.contents[name]
    before = studies.find(connection, spec.name)
    if before and before.spec.task and name in before.spec.task.data.contents:
        return before.spec.task.data.contents[name]
    newest = stored.newest(connection, name)
    return newest.sha256 if newest else None


def _needless(data: DataSpec) -> Iterator[FieldProblem]:
    for name in data.contents:
        if name in BUILT_IN or name not in data.datasets:
            text = "is built in: it has one content" if name in BUILT_IN else "is none of the data sets that are named"
            yield FieldProblem(field=f"task.data.contents.{name}", message=text)


def _unknown(connection: sa.Connection, data: DataSpec, known: Mapping[str, object]) -> Iterator[FieldProblem]:
    for field in _FIELDS:
        name: str | None = getattr(data, field)
        if name is None or name in known:
            continue
        if name in data.contents:
            yield FieldProblem(field=f"task.data.contents.{name}", message="is the SHA-256 of no version of it")
        else:
            there_are = ", ".join([*BUILT_IN, *stored.names(connection, limit=_LISTED)])
            add = f"add it: trimtab data put FILE --name {name}"
            yield FieldProblem(
                field=f"task.data.{field}", message=f"is not a data set: {name!r}; there are {there_are}; {add}"
            )


def _refuse(problems: Sequence[FieldProblem]) -> None:
    if problems:
        raise Invalid("the study does not go with its data", errors=problems)
