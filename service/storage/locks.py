"""Locks studies: what the end of a trial depends on, and nobody else can change meanwhile. Within one transaction."""

from dataclasses import dataclass

import sqlalchemy as sa

from service.prepared import prepared
from trimtab.states import StudyState


@dataclass(frozen=True)
class LockedStudy:
    """What the end of a trial depends on and changes; nobody else can change it now.

    Args:
        budget: Trials that there may be.
        created: Trials so far, of those that the budget counts.
        added: Trials that came already finished: it does not count them.
        finished: Trials that have ended, added ones among them.
        best_value: Of the best trial; None while there is none.
        epochs: A limit of the budget; None: there is none. Likewise seconds, device_seconds, target and patience.
        epochs_used: Reports counted.
        closing: Why no trial is handed out any more, though some are open; None: they are.
    """

    study_id: int
    state: StudyState
    reason: str | None
    budget: int
    created: int
    added: int
    finished: int
    failed_in_a_row: int
    best_value: float | None
    epochs: int | None
    epochs_used: int
    seconds: float | None
    device_seconds: float | None
    target: float | None
    patience: int | None
    closing: str | None

    @property
    def ended(self) -> int:
        """Trials that have ended, of those that the budget counts."""
        return self.finished - self.added

    @property
    def open(self) -> int:
        """Trials that run or wait."""
        return self.created - self.ended

    @property
    def is_limited(self) -> bool:
        """Whether its budget limits anything but the number of trials."""
        limits = (self.epochs, self.seconds, self.device_seconds, self.target, self.patience)
        return any(limit is not None for limit in limits)


_LOCK_STUDY = """
    SELECT study_id, state, reason, budget, created, added, finished, failed_in_a_row, best_value,
      epochs, epochs_used, seconds, device_seconds, target, patience, closing
    FROM trimtab_studies
    WHERE study_id = ({study})
    FOR NO KEY UPDATE
"""


_LOCK_STUDY_OF = prepared(
    "lock_study", _LOCK_STUDY.format(study="SELECT study_id FROM trimtab_leases WHERE lease_id = :lease_id")
)


_LOCK_STUDY_NAMED = sa.text(_LOCK_STUDY.format(study="SELECT study_id FROM studies WHERE study_name = :name"))


_LOCK_STUDY_BY_ID = sa.text(_LOCK_STUDY.format(study=":study_id"))


_HURRY = sa.text("SET LOCAL lock_timeout = '200ms'")


def hurry(connection: sa.Connection) -> None:
    """Let this transaction fail soon where somebody holds a row that it needs: longer than any call of ours does."""
    connection.execute(_HURRY)


def lock_study(connection: sa.Connection, lease_id: int) -> LockedStudy | None:
    """Lock the study that this lease is of; None if there is no such lease."""
    return _locked(connection.execute(_LOCK_STUDY_OF, {"lease_id": lease_id}).one_or_none())


def lock_study_named(connection: sa.Connection, name: str) -> LockedStudy | None:
    """Lock the study called `name`; None if there is none."""
    return _locked(connection.execute(_LOCK_STUDY_NAMED, {"name": name}).one_or_none())


def lock_study_by_id(connection: sa.Connection, study_id: int) -> LockedStudy | None:
    """Lock a study; None if it is gone."""
    return _locked(connection.execute(_LOCK_STUDY_BY_ID, {"study_id": study_id}).one_or_none())


def _locked(row: sa.Row[tuple[object, ...]] | None) -> LockedStudy | None:
    if row is None:
        return None
    values = row._asdict()
    return LockedStudy(state=StudyState(values.pop("state")), **values)
