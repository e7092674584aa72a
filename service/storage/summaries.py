"""Reads studies as lists show them, in as many statements for a page of them as for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from pydantic import TypeAdapter

from trimtab.objectives import Objective
from trimtab.states import Purpose, StudyState


@dataclass(frozen=True)
class SummaryRow:
    """A study in a list.

    Args:
        task: The name of its task; None: anybody trains it.
        budget: Trials; None: it does not limit them.
        created: Trials so far, of those that the budget counts.
        added: Trials that came already finished.
        finished: Trials that have ended.
        best_value: Of the objective; None: there is none yet, or there are several objectives.
        parent_id: The study that it follows; None: none, or it was deleted.
        parent: Its name.
        running: Trials that are leased.
        workers: That hold these leases.
    """

    study_id: int
    name: str
    state: StudyState
    reason: str | None
    purpose: Purpose
    task: str | None
    budget: int | None
    created: int
    added: int
    finished: int
    best_value: float | None
    objectives: Sequence[Objective]
    tags: Sequence[str]
    parent_id: int | None
    parent: str | None
    running: int
    workers: int
    created_at: datetime


_OBJECTIVES = TypeAdapter(list[Objective])

_SETTLED = ", ".join(f"'{purpose}'" for purpose in Purpose if purpose.is_settled)

_COLUMNS = """
    SELECT s.study_id, study_name AS name, state, reason, purpose, task,
      nullif(budget, 2147483647) AS budget, created, added, finished, best_value,
      CAST(spec -> 'objectives' AS text) AS objectives, tags, parent_id,
      (SELECT study_name FROM studies p WHERE p.study_id = parent_id) AS parent,
      (SELECT count(*) FROM trimtab_leases l WHERE l.study_id = s.study_id AND l.ended_at IS NULL) AS running,
      (SELECT count(DISTINCT worker) FROM trimtab_leases l
        WHERE l.study_id = s.study_id AND l.ended_at IS NULL) AS workers,
      created_at
    FROM trimtab_studies s JOIN studies USING (study_id)
"""

# Only the conditions that there are, so that each has its index. A study is found by what follows it, too.
_CONDITIONS = {
    "state": f"""AND s.study_id IN (
        SELECT CASE WHEN purpose IN ({_SETTLED}) THEN parent_id ELSE study_id END
        FROM trimtab_studies WHERE state = :state)""",
    "tag": "AND tags @> ARRAY[CAST(:tag AS text)]",
}

_COMPANIONS = sa.text(f"""
    {_COLUMNS} WHERE parent_id = ANY(:study_ids) AND purpose IN ({_SETTLED}) ORDER BY s.study_id
""")


def newest(
    connection: sa.Connection, *, state: StudyState | None, tag: str | None, before: int | None, limit: int
) -> list[SummaryRow]:
    """Return up to `limit` studies that search, newest first, of those older than the study of id `before`.

    Args:
        connection: To the database.
        state: That a study, or one that exists only for it, is in; None: any.
        tag: That it has; None: any.
        before: None: the newest of all.
        limit: How many at most.
    """
    conditions = {name: value for name, value in (("state", state), ("tag", tag)) if value is not None}
    listed = f"""
        {_COLUMNS}
        WHERE purpose NOT IN ({_SETTLED}) AND s.study_id < coalesce(:before, 9223372036854775807)
          {" ".join(_CONDITIONS[name] for name in conditions)}
        ORDER BY s.study_id DESC LIMIT :limit
    """
    rows = connection.execute(sa.text(listed), {**conditions, "before": before, "limit": limit})
    return [_summary(row) for row in rows]


def companions(connection: sa.Connection, study_ids: Sequence[int]) -> list[SummaryRow]:
    """Return the studies that exist only for those, oldest first."""
    return [_summary(row) for row in connection.execute(_COMPANIONS, {"study_ids": list(study_ids)})]


def _summary(row: sa.Row[tuple[object, ...]]) -> SummaryRow:
    values = row._asdict()
    objectives = _OBJECTIVES.validate_json(values.pop("objectives"), extra="ignore")
    return SummaryRow(
        state=StudyState(values.pop("state")), purpose=Purpose(values.pop("purpose")), objectives=objectives, **values
    )
