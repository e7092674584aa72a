"""What trainings wrote, in the database: the first lines and the last of each lease."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from service.storage.leases import LIVE, Reference
from trimtab.trial_logs import FIRST_LINES, LAST_LINES

# The lease's row is held until the commit: nothing is written for one that ends meanwhile.
_KEEP = sa.text(f"""
    WITH lease AS MATERIALIZED (SELECT lease_id FROM trimtab_leases WHERE {LIVE} FOR SHARE), kept AS (
      INSERT INTO trimtab_logs (lease_id, line, text)
      SELECT lease_id, CAST(:first AS int) + position - 1, text
      FROM lease, unnest(CAST(:lines AS text[])) WITH ORDINALITY AS given (text, position)
      ON CONFLICT (lease_id, line) DO NOTHING
    )
    SELECT count(*) FROM lease
""")

_CUT = sa.text("""
    DELETE FROM trimtab_logs WHERE lease_id = :lease_id AND line >= :first_lines
      AND line <= (SELECT max(line) FROM trimtab_logs WHERE lease_id = :lease_id) - :last_lines
""")

_TRIAL = sa.text("""
    SELECT o.trial_id,
      t.state = 'RUNNING' OR t.state = 'WAITING' AND s.state IN ('running', 'paused') AS is_growing
    FROM trimtab_trials o JOIN trials t USING (trial_id)
    JOIN trimtab_studies s ON s.study_id = o.study_id
    JOIN studies n ON n.study_id = o.study_id
    WHERE n.study_name = :study AND o.number = :number
""")

_LINES = """
    SELECT l.attempt, l.fence, g.line, g.text, g.at,
      g.line - coalesce(lag(g.line) OVER (PARTITION BY l.fence ORDER BY g.line), -1) - 1 AS left_out
    FROM trimtab_leases l JOIN trimtab_logs g USING (lease_id)
    WHERE l.trial_id = :trial_id AND coalesce(l.attempt = :attempt, true)
"""

_PAGE = sa.text(f"""
    SELECT * FROM ({_LINES}) AS lines WHERE (fence, line) > (:fence, :line) ORDER BY fence, line LIMIT :limit
""")

_LAST = sa.text(f"""
    SELECT fence, line FROM ({_LINES}) AS lines ORDER BY fence DESC, line DESC OFFSET :tail LIMIT 1
""")

# A few leases at a time: an attempt may have thousands of lines.
_FORGET = sa.text("""
    DELETE FROM trimtab_logs WHERE lease_id IN (
      SELECT lease_id FROM trimtab_leases l
      WHERE ended_at < clock_timestamp() - make_interval(days => :days)
        AND EXISTS (SELECT FROM trimtab_logs g WHERE g.lease_id = l.lease_id)
      LIMIT 100)
""")


@dataclass(frozen=True)
class Place:
    """A line of a trial, by the fence of its lease and its number."""

    fence: int
    line: int


BEGINNING = Place(fence=0, line=-1)
"""Before all lines."""


@dataclass(frozen=True)
class LoggedTrial:
    """A trial whose lines are read.

    Args:
        is_growing: It runs, or waits for its next attempt: there may be more to come.
    """

    trial_id: int
    is_growing: bool


def keep(connection: sa.Connection, lease: Reference, *, first: int, lines: Sequence[str]) -> bool:
    """Store lines that are not stored yet, and drop those of the middle; return False if the lease is not live."""
    values = {**vars(lease), "first": first, "lines": list(lines)}
    if not connection.execute(_KEEP, values).scalar_one():
        return False
    if first + len(lines) > FIRST_LINES + LAST_LINES:
        kept = {"first_lines": FIRST_LINES, "last_lines": LAST_LINES}
        connection.execute(_CUT, {"lease_id": lease.lease_id, **kept})
    return True


def trial(connection: sa.Connection, study: str, number: int) -> LoggedTrial | None:
    """Return a trial of a study; None if there is none."""
    row = connection.execute(_TRIAL, {"study": study, "number": number}).one_or_none()
    return LoggedTrial(row.trial_id, row.is_growing) if row else None


def page(
    connection: sa.Connection, trial_id: int, *, attempt: int | None, after: Place, limit: int
) -> list[dict[str, Any]]:
    """Return up to `limit` lines of a trial after a place, in their order; None: of all its attempts."""
    values = {"trial_id": trial_id, "attempt": attempt, **vars(after), "limit": limit}
    return [dict(row) for row in connection.execute(_PAGE, values).mappings()]


def before_tail(connection: sa.Connection, trial_id: int, *, attempt: int | None, tail: int) -> Place:
    """Return the line before the last `tail` ones."""
    row = connection.execute(_LAST, {"trial_id": trial_id, "attempt": attempt, "tail": tail}).one_or_none()
    return Place(row.fence, row.line) if row else BEGINNING


def forget(connection: sa.Connection, *, days: int) -> int:
    """Delete the lines of some leases that ended longer ago; return how many lines they had."""
    return connection.execute(_FORGET, {"days": days}).rowcount
