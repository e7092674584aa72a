"""Makes the next study of one: with the doctor's edits to its spec."""

import logging
import re
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from pydantic import ValidationError

from service import given, heritage, limits, shown
from service.datasets import pins
from service.diagnoses import examined
from service.diagnosis import amended
from service.naming import numbered
from service.once import UNKEYED, Once
from service.principals import OPERATOR, Principal
from service.replica import Replica
from service.settling import close_if_due
from service.storage import audit, locks, studies
from service.storage.studies import StudyRow
from trimtab.budget import Limits
from trimtab.diagnosis import Edit, Prescription
from trimtab.errors import Conflict, Invalid, NothingToPrescribe, StudyExists, StudyNotFound
from trimtab.protocol import FieldProblem, Study
from trimtab.spec import StudySpec
from trimtab.states import Purpose
from trimtab.warm_start import WarmStart

CREATED = 201

_log = logging.getLogger(__name__)


def prescribe(
    replica: Replica,
    name: str,
    wanted: Prescription,
    *,
    principal: Principal = OPERATOR,
    once: Once = UNKEYED,
) -> Study:
    """Make a study with the doctor's edits, all of them or those that are wanted, to the spec of another.

    It follows that one, and begins with its finished trials where they go with the edited spec.

    Raises:
        StudyNotFound: There is no study of that name.
        NothingToPrescribe: The doctor proposes no edits.
        NoCompleteTrial, NoFeasibleTrial, SeveralObjectives: As for a diagnosis.
        StudyExists: The wanted name is taken.
        Invalid: The doctor does not propose a wanted edit, or those that are wanted do not go without the others.
        Conflict: It is itself a companion of another study.
        Unavailable: The database is away or busy.
    """
    with once.transaction(replica.engine) as connection:
        parent = _locked(connection, name)
        spec = _edited(parent.current_spec, _chosen(examined(connection, parent).edits, wanted, study=name))
        pins.check(connection, spec)
        made = _stored(connection, parent, spec, wanted.name)
        heritage.inherit(connection, made)
        close_if_due(connection, made.study_id, spec=made.spec)
        answer = shown.read(connection, studies.require(connection, made.spec.name))
        audit.note(connection, principal, "prescribe study", answer.name, parent=name)
        once.keep(connection, answer, status=CREATED, headers=location(answer))
    _log.info("study %(study)s is prescribed for %(parent)s", {"study": answer.name, "parent": name})
    replica.offers.announce()
    return answer


def location(study: Study) -> dict[str, str]:
    """Return the header that says where a study is."""
    return {"Location": f"/v1/studies/{study.name}"}


def _locked(connection: sa.Connection, name: str) -> StudyRow:
    """Lock the study, so that it is there as long as the one that follows it is being made."""
    if locks.lock_study_named(connection, name) is None:
        raise StudyNotFound(f"there is no study {name!r}")
    parent = studies.require(connection, name)
    if parent.purpose not in {Purpose.SEARCH, Purpose.PRESCRIPTION}:
        if parent.parent is None:
            raise Conflict(
                f"{name!r} is the {parent.purpose} of a study that is deleted: there is none to prescribe for"
            )
        raise Conflict(f"{name!r} is the {parent.purpose} of {parent.parent!r}: prescribe for that one")
    return parent


def _chosen(edits: Sequence[Edit], wanted: Prescription, *, study: str) -> list[Edit]:
    if not edits:
        raise NothingToPrescribe(f"the doctor proposes no edits to {study!r}: its diagnosis says what there is to say")
    if wanted.edits is None:
        return list(edits)
    proposed = {edit.path for edit in edits}
    problems = [
        FieldProblem(
            field=f"edits.{place}", message=f"is not proposed: {path!r}; there are {', '.join(sorted(proposed))}"
        )
        for place, path in enumerate(wanted.edits)
        if path not in proposed
    ]
    if problems:
        raise Invalid("the doctor proposes other edits", errors=problems)
    return [edit for edit in edits if edit.path in wanted.edits]


def _edited(parent: StudySpec, edits: Sequence[Edit]) -> StudySpec:
    """Return the spec with the edits, and as much more time as its trials need.

    It begins with the trials of the other study where their figures compare.

    Raises:
        Invalid: All edits together make a study, these alone none.
    """
    try:
        spec = amended(parent, edits)
    except ValidationError as error:
        problem = FieldProblem(field="edits", message="do not make a study without the others")
        raise Invalid("the edits that are wanted need others", errors=[problem]) from error
    is_comparable = given.comparable(parent, spec) is None
    warm_start = WarmStart(study=parent.name) if is_comparable else None
    return spec.model_copy(update={"warm_start": warm_start, "limits": _limits(parent, spec)})


def _limits(parent: StudySpec, spec: StudySpec) -> Limits:
    if spec.task is None:
        return spec.limits
    return limits.lengthened(parent.limits, limits.length(parent), limits.length(spec))


def _stored(connection: sa.Connection, parent: StudyRow, spec: StudySpec, wanted: str | None) -> StudyRow:
    for name in [wanted] if wanted else _names(parent):
        named = spec.model_copy(update={"name": name})
        if studies.insert(connection, named, purpose=Purpose.PRESCRIPTION, parent_id=parent.study_id):
            return studies.require(connection, name)
    raise StudyExists(f"the name {wanted!r} is taken")


def _names(parent: StudyRow) -> Iterator[str]:
    """Return what the next study may be called: digits-2 after digits, digits-3 after that."""
    name = parent.spec.name
    if parent.purpose is Purpose.PRESCRIPTION:
        name = re.sub(r"-[0-9]+$", "", name)
    return numbered(name)
