"""Studies as they are answered: from rows to messages."""

from collections.abc import Mapping

import sqlalchemy as sa

from service import alarms, sampling
from service.storage import datasets, studies
from service.storage.studies import StudyRow
from trimtab import fitting
from trimtab.protocol import ChosenSampler, Counts, Study
from trimtab.spec import StudySpec


def read(connection: sa.Connection, row: StudyRow) -> Study:
    """Return a study as it is."""
    return study(connection, row, studies.counts(connection, [row.study_id])[row.study_id])


def study(connection: sa.Connection, row: StudyRow, counts: Mapping[str, int]) -> Study:
    """Return a study, with its trials by state."""
    return Study(
        name=row.spec.name,
        state=row.state,
        reason=row.reason,
        spec=row.current_spec,
        sampler=_chosen(row.spec),
        counts=Counts(**counts),
        added=row.added,
        alarms=list(alarms.on_bounds(row.dimensions, row.best_point, complete=counts.get("complete", 0))),
        used=row.used,
        closing=row.closing,
        warnings=[] if row.state.is_ended else _warnings(connection, row),
        purpose=row.purpose,
        parent=row.parent,
        children=row.children,
        created_at=row.created_at,
        completed_at=row.ended_at,
    )


def warnings(connection: sa.Connection, spec: StudySpec) -> list[str]:
    """Return what whoever has a study of this spec should know."""
    if spec.task is None:
        return spec.warnings
    return [*spec.warnings, *fitting.warnings(spec.task.data, datasets.facts_of(connection, spec.task.data))]


def _warnings(connection: sa.Connection, row: StudyRow) -> list[str]:
    spec = row.current_spec
    if spec.task is None:
        # What trials have asked for so far need not be all that there is.
        spec = spec.model_copy(update={"space": row.spec.space})
    return warnings(connection, spec)


def _chosen(spec: StudySpec) -> ChosenSampler:
    found = sampling.chosen(spec)
    return ChosenSampler(name=found.sampler.name, reason=found.reason)
