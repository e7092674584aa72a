"""Studies in the database: create, find, list, change, delete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import sqlalchemy as sa

from service.storage.dimensions import Dimension, Point, dimensions
from trimtab.budget import Budget, Limits
from trimtab.errors import StudyNotFound
from trimtab.protocol import Used
from trimtab.space import Space
from trimtab.spec import StudySpec
from trimtab.states import Purpose, StudyState

_UNLIMITED = 2**31 - 1
"""Trials where the budget does not limit them."""


@dataclass(frozen=True)
class StudyRow:
    """A study as it is stored.

    Args:
        spec: Resolved, as it was at creation.
        space: As it is now; None: as it was.
        revision: How often it has changed.
        purpose: What it is for.
        parent: The study that it follows, by name.
        children: The studies that follow it, by name.
    """

    study_id: int
    spec: StudySpec
    state: StudyState
    reason: str | None
    budget: Budget
    used: Used
    closing: str | None
    trial_seconds: float | None
    step_seconds: float | None
    created: int
    added: int
    finished: int
    best_trial_id: int | None
    best_point: Point | None
    space: Space | None
    revision: int
    tags: list[str]
    priority: int
    purpose: Purpose
    parent: str | None
    children: list[str]
    created_at: datetime
    ended_at: datetime | None

    @property
    def prospect(self) -> str:
        """What is to be said where none of its trials is complete."""
        if not self.state.is_ended:
            return f" yet: the study is {self.state}"
        return f", and none will be: the study is {self.state}. Its failed trials say why (GET .../trials?state=fail)"

    @cached_property
    def dimensions(self) -> Sequence[Dimension]:
        """Its space, Optuna's way."""
        return dimensions(self.current_spec.searched)

    @cached_property
    def current_spec(self) -> StudySpec:
        """The spec with what may have changed since the creation: budget, limits and bounds."""
        return self.spec.model_copy(
            update={
                "budget": self.budget,
                "limits": Limits(trial_seconds=self.trial_seconds, step_seconds=self.step_seconds),
                "tags": tuple(self.tags),
                "priority": self.priority,
                "space": self.space or self.spec.space,
            }
        )

    @property
    def declared(self) -> Space:
        """The space that its points are written in: of define-by-run all that trials have asked for so far."""
        return self.current_spec.declared if self.spec.is_define_by_run else self.spec.declared


@dataclass(frozen=True)
class Revision:
    """All of a study that may be changed by hand; a space of None stays as it is."""

    state: StudyState
    reason: str | None
    failed_in_a_row: int
    budget: Budget
    closing: str | None
    trial_seconds: float | None
    step_seconds: float | None
    space: Space | None
    tags: Sequence[str]
    priority: int


_INSERT = sa.text("""
    WITH study AS (
      INSERT INTO studies (study_name) VALUES (:name)
      ON CONFLICT (study_name) DO NOTHING
      RETURNING study_id
    ), direction AS (
      INSERT INTO study_directions (study_id, objective, direction)
      SELECT study_id, o.position - 1, CAST(o.direction AS studydirection)
      FROM study, unnest(CAST(:directions AS text[])) WITH ORDINALITY AS o (direction, position)
    )
    INSERT INTO trimtab_studies (study_id, spec, task, trial_seconds, step_seconds, budget, epochs, seconds,
      device_seconds, target, patience, tags, priority, purpose, parent_id, family_id)
    SELECT study_id, CAST(:spec AS json), :task, :trial_seconds, :step_seconds, :budget, :epochs, :seconds,
      :device_seconds, :target, :patience, CAST(:tags AS text[]), :priority, :purpose, :parent_id,
      (SELECT coalesce(family_id, study_id) FROM trimtab_studies WHERE study_id = CAST(:parent_id AS bigint))
    FROM study
    RETURNING study_id
""")

_COLUMNS = """
    study_id, CAST(spec AS text) AS spec, state, reason, trial_seconds, step_seconds, created, added, finished,
    best_trial_id,
    (SELECT json_object_agg(param_name, param_value) FROM trial_params WHERE trial_id = best_trial_id) AS best_point,
    CAST(space AS text) AS space, revision, tags, priority, created_at, ended_at, closing, purpose,
    (SELECT study_name FROM studies p WHERE p.study_id = parent_id) AS parent,
    ARRAY (
      SELECT study_name FROM trimtab_studies c JOIN studies USING (study_id)
      WHERE c.parent_id = trimtab_studies.study_id ORDER BY study_id) AS children,
    nullif(budget, 2147483647) AS trials, epochs, seconds, device_seconds, target, patience,
    CASE WHEN epochs IS NOT NULL THEN epochs_used END AS used_epochs,
    CAST(extract(epoch FROM coalesce(ended_at, clock_timestamp()) - first_leased_at) AS float8) AS used_seconds,
    device_seconds_used + (
      SELECT CAST(coalesce(sum(extract(epoch FROM clock_timestamp() - leased_at)), 0) AS float8)
      FROM trimtab_leases l WHERE l.study_id = trimtab_studies.study_id AND l.ended_at IS NULL) AS used_device_seconds
    FROM trimtab_studies
"""

_FIND = sa.text(f"SELECT {_COLUMNS} WHERE study_id = (SELECT study_id FROM studies WHERE study_name = :name)")

_GET = sa.text(f"SELECT {_COLUMNS} WHERE study_id = :study_id")

# Only the conditions that there are, so that each has its index.
_CONDITIONS = {"state": "AND state = :state", "tag": "AND tags @> ARRAY[CAST(:tag AS text)]"}

_COUNTS = sa.text("""
    SELECT study_id, lower(CAST(state AS text)) AS state, count(*) AS trials
    FROM trials WHERE study_id = ANY(:study_ids) GROUP BY 1, 2
""")

_FIRST_FREE = sa.text("""
    SELECT wanted.name FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS wanted (name, place)
    WHERE NOT EXISTS (SELECT FROM studies WHERE study_name = wanted.name)
    ORDER BY place LIMIT 1
""")

_CHANGE = sa.text("""
    UPDATE trimtab_studies SET
      state = :state, reason = :reason, closing = :closing, failed_in_a_row = :failed_in_a_row,
      budget = :budget, epochs = :epochs, seconds = :seconds, device_seconds = :device_seconds, target = :target,
      patience = :patience, tags = CAST(:tags AS text[]), priority = :priority,
      trial_seconds = :trial_seconds, step_seconds = :step_seconds,
      space = coalesce(CAST(:space AS json), space),
      revision = revision + CASE WHEN CAST(:space AS json) IS NULL THEN 0 ELSE 1 END,
      ended_at = CASE WHEN :has_ended THEN coalesce(ended_at, clock_timestamp()) END
    WHERE study_id = :study_id
""")

_FRESH_NUMBER = sa.text("SELECT nextval(pg_get_serial_sequence('studies', 'study_id'))")


def fresh_number(connection: sa.Connection) -> int:
    """Return a number that no study has had or will get, nor another call."""
    number: int = connection.execute(_FRESH_NUMBER).scalar_one()
    return number


def insert(
    connection: sa.Connection, spec: StudySpec, *, purpose: Purpose = Purpose.SEARCH, parent_id: int | None = None
) -> bool:
    """Store a new study of the resolved `spec`; return False, storing nothing, if the name is taken."""
    values = {
        "name": spec.name,
        "directions": [objective.direction.upper() for objective in spec.objectives],
        "spec": spec.model_dump_json(),
        "task": spec.task.name if spec.task else None,
        "purpose": purpose,
        "parent_id": parent_id,
        "tags": list(spec.tags),
        "priority": spec.priority,
        **_limits(spec.budget),
        **dict(spec.limits),
    }
    return connection.execute(_INSERT, values).one_or_none() is not None


def find(connection: sa.Connection, name: str) -> StudyRow | None:
    """Return the study called `name`; None if there is none."""
    row = connection.execute(_FIND, {"name": name}).one_or_none()
    return _study(row) if row else None


def require(connection: sa.Connection, name: str) -> StudyRow:
    """Return the study called `name`.

    Raises:
        StudyNotFound: There is none.
    """
    study = find(connection, name)
    if study is None:
        raise StudyNotFound(f"there is no study {name!r}")
    return study


def get(connection: sa.Connection, study_id: int) -> StudyRow | None:
    """Return the study of that id; None if it is gone."""
    row = connection.execute(_GET, {"study_id": study_id}).one_or_none()
    return _study(row) if row else None


def first_free(connection: sa.Connection, names: Sequence[str]) -> str | None:
    """Return the first of some names that no study has, made with Optuna itself or not; None: all are taken."""
    free: str | None = connection.execute(_FIRST_FREE, {"names": list(names)}).scalar_one_or_none()
    return free


def newest(
    connection: sa.Connection, *, state: StudyState | None, tag: str | None, before: int | None, limit: int
) -> list[StudyRow]:
    """Return up to `limit` studies, newest first, of those older than the study of id `before`."""
    conditions = {name: value for name, value in (("state", state), ("tag", tag)) if value is not None}
    listed = f"""
        SELECT {_COLUMNS}
        WHERE study_id < coalesce(:before, 9223372036854775807) {" ".join(_CONDITIONS[name] for name in conditions)}
        ORDER BY study_id DESC LIMIT :limit
    """
    rows = connection.execute(sa.text(listed), {**conditions, "before": before, "limit": limit})
    return [_study(row) for row in rows]


def counts(connection: sa.Connection, study_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return for each study how many trials it has in each state."""
    found: dict[int, dict[str, int]] = {study_id: {} for study_id in study_ids}
    for study_id, state, trials in connection.execute(_COUNTS, {"study_ids": list(study_ids)}):
        found[study_id][state] = trials
    return found


def change(connection: sa.Connection, study_id: int, revision: Revision) -> None:
    """Change a study that this transaction has locked."""
    space = revision.space.model_dump_json() if revision.space else None
    values = {
        **vars(revision),
        **_limits(revision.budget),
        "space": space,
        "tags": list(revision.tags),
        "has_ended": revision.state.is_ended,
        "study_id": study_id,
    }
    connection.execute(_CHANGE, values)


def _limits(budget: Budget) -> dict[str, float | None]:
    """Return the columns of a budget."""
    limits = dict(budget)
    trials = limits.pop("trials")
    return {"budget": _UNLIMITED if trials is None else trials, **limits}


def _study(row: sa.Row[tuple[object, ...]]) -> StudyRow:
    values = row._asdict()
    # A newer replica beside this one may have stored a field that this one does not know.
    spec = StudySpec.model_validate_json(values.pop("spec"), extra="ignore")
    space = values.pop("space")
    used = {field: values.pop(f"used_{field}") for field in ("epochs", "seconds", "device_seconds")}
    return StudyRow(
        budget=Budget(**{field: values.pop(field) for field in Budget.model_fields}),
        used=Used(trials=values["created"], **used),
        space=Space.model_validate_json(space) if space else None,
        spec=spec,
        state=StudyState(values.pop("state")),
        purpose=Purpose(values.pop("purpose")),
        **values,
    )
