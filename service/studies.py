"""Create, read, list, change and delete studies."""

import logging

import sqlalchemy as sa

from service import admission, cursors, heritage, revisions, sampling, shown
from service.database import autocommit, transaction
from service.datasets import pins
from service.once import UNKEYED, Once
from service.principals import OPERATOR, Principal
from service.replica import Replica
from service.settling import close_if_due
from service.storage import audit, closings, deletions, locks, studies
from trimtab.errors import Conflict, Invalid, StudyExists, StudyNotFound
from trimtab.protocol import FieldProblem, Page, Study, StudyChange
from trimtab.spec import StudySpec
from trimtab.states import StudyState

CREATED = 201

_log = logging.getLogger(__name__)


def create(
    replica: Replica, spec: StudySpec, *, principal: Principal = OPERATOR, once: Once = UNKEYED
) -> tuple[Study, bool]:
    """Create a study; the same spec again gives the study as it is.

    Returns:
        The study, and whether it was created now.

    Raises:
        StudyExists: The name is taken by a study of another spec.
        Invalid: It does not go with its data, or cannot start from the study that it is to start from.
        Unavailable: The database is away or busy.
    """
    with once.transaction(replica.engine) as connection:
        resolved = admission.admitted(connection, spec)
        is_new = studies.insert(connection, resolved)
        study = studies.find(connection, spec.name)
        if study is None:
            raise StudyExists(f"the name {spec.name!r} is taken by a study that was made with Optuna itself")
        admission.check_same(study.spec, resolved)
        if is_new:
            heritage.inherit(connection, study)
            close_if_due(connection, study.study_id, spec=study.spec)
            study = studies.require(connection, spec.name)
        answer = shown.read(connection, study)
        if is_new:
            audit.note(connection, principal, "create study", spec.name)
            once.keep(connection, answer, status=CREATED, headers=location(answer))
    if is_new:
        _log.info("study %(study)s is created", {"study": spec.name})
    replica.offers.announce()
    return answer, is_new


def read(replica: Replica, name: str) -> Study:
    """Return a study as it is.

    Raises:
        StudyNotFound: There is none of that name.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        return _read(connection, name)


def page(replica: Replica, *, state: StudyState | None, tag: str | None, cursor: str | None, limit: int) -> Page[Study]:
    """Return a page of studies, the newest first.

    Raises:
        Invalid: The cursor is none of ours.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        before = cursors.integer(cursor)
        rows = studies.newest(connection, state=state, tag=tag, before=before, limit=limit + 1)
        counts = studies.counts(connection, [row.study_id for row in rows])
        items = [shown.study(connection, row, counts[row.study_id]) for row in rows[:limit]]
    return Page(items=items, next=str(rows[limit - 1].study_id) if len(rows) > limit else None)


def change(replica: Replica, name: str, wanted: StudyChange, *, principal: Principal = OPERATOR) -> Study:
    """Change what of a study may be changed by hand. Twice is the same as once.

    Raises:
        StudyNotFound: There is none of that name.
        Invalid: The budget is smaller than what is used of it, or the bounds do not go with the space or the data.
        Conflict: The study cannot be brought from its state into the other, or is settled: its trials are.
        Unavailable: The database is away or busy.
    """
    with transaction(replica.engine) as connection:
        locked = locks.lock_study_named(connection, name)
        if locked is None:
            raise StudyNotFound(f"there is no study {name!r}")
        row = studies.require(connection, name)
        if wanted.space and row.spec.is_define_by_run:
            problem = FieldProblem(field="space", message="is what its trials ask for: change it there")
            raise Invalid("the space cannot be changed", errors=[problem])
        before = shown.read(connection, row)
        if before.purpose.is_settled and (wanted.budget or wanted.space):
            raise Conflict(f"study {name!r} has the trials that it was made with: it is a {before.purpose}")
        if wanted.budget and wanted.budget.epochs and locked.epochs is None:
            closings.count_epochs(connection, locked.study_id)
        usage = closings.usage(connection, locked.study_id)
        revised = revisions.revise(locked, usage, before.spec, wanted, sampler=sampling.chosen(row.spec).sampler)
        studies.change(connection, locked.study_id, revised)
        close_if_due(connection, locked.study_id, spec=before.spec)
        after = _read(connection, name)
        if wanted.space:
            pins.check(connection, after.spec)
        changes = _changes(before, after)
        if changes:
            audit.note(connection, principal, "change study", name, **changes)
    if changes:
        change = wanted.model_dump_json(exclude_unset=True)
        _log.info("study %(study)s is changed: %(change)s", {"study": name, "change": change})
    replica.offers.announce()
    replica.changes.announce()
    return after


def delete(replica: Replica, name: str, *, principal: Principal = OPERATOR) -> None:
    """Delete a study with all its trials, and its checks, confirmations and final models with theirs.

    Workers on them learn at their next call. What a prescription made of it stays.

    Raises:
        StudyNotFound: There is none of that name.
        Unavailable: The database is away or busy.
    """
    with transaction(replica.engine) as connection:
        deleted = deletions.delete(connection, name)
        if not deleted:
            raise StudyNotFound(f"there is no study {name!r}")
        for each in deleted:
            audit.note(connection, principal, "delete study", each)
    for each in deleted:
        _log.info("study %(study)s is deleted", {"study": each})
    replica.offers.announce()
    replica.changes.announce()


def location(study: Study) -> dict[str, str]:
    """Return the header that says where a study is."""
    return {"Location": f"/v1/studies/{study.name}"}


def _read(connection: sa.Connection, name: str) -> Study:
    return shown.read(connection, studies.require(connection, name))


def _changes(before: Study, after: Study) -> dict[str, object]:
    """Return what was changed by hand, each as it was and as it is."""
    was, now = _changeable(before), _changeable(after)
    return {field: {"from": was[field], "to": now[field]} for field in was if was[field] != now[field]}


def _changeable(study: Study) -> dict[str, object]:
    return {
        "state": study.state,
        "budget": study.spec.budget.model_dump(exclude_none=True),
        "limits": dict(study.spec.limits),
        "space": study.spec.declared.model_dump(mode="json"),
        "tags": study.spec.tags,
        "priority": study.spec.priority,
    }
