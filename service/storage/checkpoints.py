"""Checkpoints in the database: which files there are, after which steps. The rows say what counts."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from service.storage.leases import LIVE, RENEWED, RUNG_STEP, Reference
from trimtab.protocol import Checkpoint

KEPT = 2
"""Of a trial: the newest, and the one before in case that the newest cannot be read."""


@dataclass(frozen=True)
class StoredCheckpoint:
    """A checkpoint and where its file is."""

    step: int
    sha256: str
    size: int
    path: str

    @property
    def described(self) -> Checkpoint:
        """The same as it goes over the wire."""
        return Checkpoint(step=self.step, sha256=self.sha256, size=self.size)


_COLUMNS = "step, sha256, size, path"

_NEWEST = sa.text(f"""
    SELECT {_COLUMNS} FROM trimtab_checkpoints
    WHERE trial_id = (SELECT trial_id FROM trimtab_leases WHERE lease_id = :lease_id)
    ORDER BY step DESC LIMIT 1
""")

_AT = sa.text(f"""
    SELECT {_COLUMNS} FROM trimtab_checkpoints
    WHERE trial_id = (SELECT trial_id FROM trimtab_leases WHERE lease_id = :lease_id) AND step = :step
""")

_KEEP = sa.text(f"""
    WITH lease AS (
      UPDATE trimtab_leases SET {RENEWED}
      WHERE {LIVE} AND start_step < :step AND last_step >= :step
      RETURNING trial_id, fence
    ), before AS (
      SELECT path FROM trimtab_checkpoints JOIN lease USING (trial_id) WHERE step = :step
    )
    INSERT INTO trimtab_checkpoints (trial_id, fence, {_COLUMNS})
    SELECT trial_id, fence, CAST(:step AS int), :sha256, CAST(:size AS bigint), :path FROM lease
    ON CONFLICT (trial_id, step) DO UPDATE
    SET fence = excluded.fence, sha256 = excluded.sha256, size = excluded.size, path = excluded.path
    RETURNING trial_id, (SELECT path FROM before) AS replaced
""")

_DROP_OLD = sa.text("""
    DELETE FROM trimtab_checkpoints WHERE trial_id = :trial_id AND step NOT IN (
      SELECT step FROM trimtab_checkpoints WHERE trial_id = :trial_id ORDER BY step DESC LIMIT :kept)
    RETURNING path
""")

_BEST = """
    (SELECT CASE direction WHEN 'MINIMIZE' THEN min(intermediate_value) ELSE max(intermediate_value) END
     FROM trial_intermediate_values JOIN trials USING (trial_id) JOIN study_directions d USING (study_id)
     WHERE trial_id = {trial_id} AND step <= {step} AND intermediate_value_type = 'FINITE'
       AND d.objective = coalesce(
         (SELECT o.position - 1 FROM trimtab_studies s
          CROSS JOIN LATERAL json_array_elements(s.spec -> 'objectives') WITH ORDINALITY AS o (objective, position)
          WHERE s.study_id = d.study_id AND o.objective ->> 'metric' = s.spec -> 'pruner' ->> 'metric'), 0)
     GROUP BY direction)
"""


def best_until(step: str, trial_id: str) -> str:
    """Return SQL for the best value up to a step of a trial's curve, which is of the objective that stops trials."""
    return _BEST.format(step=step, trial_id=trial_id)


CUT = f"""
    cut AS (
      DELETE FROM trial_intermediate_values i USING start WHERE i.trial_id = start.trial_id AND i.step > start.step
    ), fallen AS (
      DELETE FROM trial_system_attributes a USING start, trial_system_attributes s
      WHERE a.trial_id = start.trial_id AND s.trial_id = start.trial_id
        AND a.key IN (s.key, left(s.key, -{len(RUNG_STEP)}))
        AND CASE WHEN s.key LIKE 'completed\\_rung\\_%{RUNG_STEP}' THEN CAST(s.value_json AS int) > start.step END
    )
"""
"""Cuts a trial's curve, and with it the rungs that it came to later: all after `start` (trial_id, step)."""

# A lease that has reported nothing starts at the checkpoint before, or at the beginning, and the curve is cut there.
_DROP = sa.text(f"""
    WITH lease AS (
      SELECT lease_id, trial_id, last_step = start_step AND start_step >= :step AS is_untouched
      FROM trimtab_leases WHERE {LIVE} FOR NO KEY UPDATE
    ), gone AS (
      DELETE FROM trimtab_checkpoints c USING lease
      WHERE c.trial_id = lease.trial_id AND c.step = :step AND c.path = :path
      RETURNING c.trial_id
    ), start AS (
      SELECT trial_id, coalesce(
        (SELECT max(c.step) FROM trimtab_checkpoints c WHERE c.trial_id = gone.trial_id AND c.step < :step), 0) AS step
      FROM gone JOIN lease USING (trial_id) WHERE is_untouched
    ), {CUT}
    UPDATE trimtab_leases l
    SET start_step = start.step, last_step = start.step, best = {best_until("start.step", "start.trial_id")}
    FROM lease JOIN start USING (trial_id) WHERE l.lease_id = lease.lease_id
""")

_DROP_FINISHED = sa.text("""
    DELETE FROM trimtab_checkpoints c USING trimtab_trials t JOIN trimtab_studies s USING (study_id)
    WHERE c.trial_id = t.trial_id AND t.outcome IS NOT NULL AND s.best_trial_id IS DISTINCT FROM t.trial_id
    RETURNING c.path
""")


def newest(connection: sa.Connection, lease_id: int) -> StoredCheckpoint | None:
    """Return the newest checkpoint of the trial that this lease is of; None if it has none."""
    row = connection.execute(_NEWEST, {"lease_id": lease_id}).one_or_none()
    return StoredCheckpoint(*row) if row else None


def at(connection: sa.Connection, lease_id: int, step: int) -> StoredCheckpoint | None:
    """Return the checkpoint of that trial after a step; None if it has none there."""
    row = connection.execute(_AT, {"lease_id": lease_id, "step": step}).one_or_none()
    return StoredCheckpoint(*row) if row else None


def keep(
    connection: sa.Connection, lease: Reference, checkpoint: StoredCheckpoint, *, lease_seconds: float
) -> Sequence[str] | None:
    """Record a checkpoint whose file is written, and renew the lease.

    Returns:
        The files that are no longer needed; None, with nothing written, if the lease is not live, or the step is
        none that it has reported.
    """
    values = {**vars(lease), **vars(checkpoint), "lease_seconds": lease_seconds}
    kept = connection.execute(_KEEP, values).one_or_none()
    if kept is None:
        return None
    old = connection.execute(_DROP_OLD, {"trial_id": kept.trial_id, "kept": KEPT}).scalars().all()
    return [*old, kept.replaced] if kept.replaced else old


def drop(connection: sa.Connection, lease: Reference, checkpoint: StoredCheckpoint) -> None:
    """Forget a checkpoint that cannot be read; a lease that has reported nothing starts at the one before."""
    connection.execute(_DROP, {**vars(lease), "step": checkpoint.step, "path": checkpoint.path})


def drop_finished(connection: sa.Connection) -> Sequence[str]:
    """Forget the checkpoints of finished trials but of each study's best; return their files."""
    return connection.execute(_DROP_FINISHED).scalars().all()
