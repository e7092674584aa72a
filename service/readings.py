"""The lock of a test set: who has read it, over all studies that are linked by prescriptions."""

import sqlalchemy as sa

from service.storage import families
from service.storage.families import FamilyRead
from service.storage.studies import StudyRow
from trimtab.data import DataSpec
from trimtab.errors import TestSetRead


def check(connection: sa.Connection, study: StudyRow, *, is_override: bool) -> bool:
    """Return whether the test set of a locked study was read before; nobody else reads it in this transaction.

    Raises:
        TestSetRead: It was, and that is not to be overridden.
    """
    families.lock(connection, study.study_id)
    reads = of(connection, study)
    if reads and not is_override:
        raise TestSetRead(_text(study, reads[0]))
    return bool(reads)


def of(connection: sa.Connection, study: StudyRow) -> list[FamilyRead]:
    """Return each reading of the test set of a study: its own, then those of the studies that it is linked to."""
    if study.spec.task is None:
        return []
    data = study.spec.task.data
    return [read for read in families.reads(connection, study.study_id) if is_same_test_set(read.data, data)]


def is_same_test_set(one: DataSpec, other: DataSpec) -> bool:
    """Return whether two studies are tested on the same examples.

    How the rest of them is dealt to training, validation and folds does not matter.
    """
    return _origin(one) == _origin(other)


def _origin(data: DataSpec) -> tuple[object, ...]:
    """Return what says which examples are the test set."""
    name = data.test_dataset or data.validation_dataset or data.dataset
    content = (name, data.contents.get(name))
    if data.test_dataset:
        return content
    split = data.split
    return (*content, split.method, split.test, split.group, split.time, split.seed)


def _text(study: StudyRow, read: FamilyRead) -> str:
    whose = "" if read.study_id == study.study_id else f" of {read.study!r}, which is of the same data and split,"
    return (
        f"the test set of {study.spec.name!r} was read by {read.final_study!r}{whose} at {read.at.isoformat()}; "
        "an override with a reason reads it again, and is recorded"
    )
