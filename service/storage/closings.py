"""What a study has used of its budget, and how it comes to its end in the database."""

from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True)
class Usage:
    """What a study has used up of its budget, beside trials.

    Args:
        epochs: Reports counted.
        seconds: Since the first lease; None: there was none.
        device_seconds: Of all leases together, live ones until now.
        unimproved: Trials that ended since the best one did, counted up to the budget's patience; None: there is no
            best one, or no patience.
    """

    epochs: int
    seconds: float | None
    device_seconds: float
    unimproved: int | None


# How many trials ended since the best one is asked only where the budget has patience, and as far as that goes.
_USAGE = sa.text("""
    SELECT epochs_used AS epochs, CAST(extract(epoch FROM clock_timestamp() - first_leased_at) AS float8) AS seconds,
      device_seconds_used + (
        SELECT CAST(coalesce(sum(extract(epoch FROM clock_timestamp() - leased_at)), 0) AS float8)
        FROM trimtab_leases l WHERE l.study_id = s.study_id AND ended_at IS NULL) AS device_seconds,
      CASE WHEN patience IS NOT NULL AND best_trial_id IS NOT NULL THEN (
        SELECT count(*) FROM (
          SELECT FROM trimtab_trials t WHERE t.study_id = :study_id AND origin <> 'added' AND finish_order > (
            SELECT finish_order FROM trimtab_trials b WHERE b.trial_id = s.best_trial_id)
          ORDER BY finish_order DESC LIMIT s.patience) AS since) END AS unimproved
    FROM trimtab_studies s WHERE study_id = :study_id
""")


# Each second, in each replica: the first two conditions are those of an index.
_USED_UP = sa.text("""
    SELECT study_id FROM trimtab_studies s
    WHERE state IN ('running', 'paused')
      AND (epochs IS NOT NULL OR seconds IS NOT NULL OR device_seconds IS NOT NULL)
      AND coalesce(closing NOT LIKE 'budget.%', true)
      AND (epochs_used >= epochs
        OR first_leased_at + make_interval(secs => seconds) <= clock_timestamp()
        OR CASE WHEN device_seconds IS NOT NULL THEN device_seconds_used + (
          SELECT CAST(coalesce(sum(extract(epoch FROM clock_timestamp() - leased_at)), 0) AS float8)
          FROM trimtab_leases l WHERE l.study_id = s.study_id AND ended_at IS NULL) >= device_seconds END)
    ORDER BY study_id
""")


_BEGIN_CLOSING = sa.text("UPDATE trimtab_studies SET closing = :reason WHERE study_id = :study_id")


_STOP_ALL = sa.text("""
    UPDATE trimtab_leases SET stop_reason = :reason
    WHERE study_id = :study_id AND ended_at IS NULL AND stop_reason IS NULL
""")


_COMPLETE = sa.text("""
    UPDATE trimtab_studies SET state = 'complete', reason = closing, ended_at = clock_timestamp()
    WHERE study_id = :study_id AND state IN ('running', 'paused') AND closing IS NOT NULL
      AND finished = created + added
""")


_COUNT_LEASES = sa.text("UPDATE trimtab_leases SET is_counted = true WHERE study_id = :study_id AND ended_at IS NULL")


_COUNT_EPOCHS = sa.text("""
    UPDATE trimtab_studies s SET epochs_used = (
      SELECT count(*) FROM trimtab_leases JOIN trimtab_reports USING (lease_id)
      JOIN trimtab_trials t USING (trial_id) WHERE t.study_id = :study_id)
    WHERE study_id = :study_id
""")


def usage(connection: sa.Connection, study_id: int) -> Usage:
    """Return what a study has used up of its budget."""
    return Usage(**connection.execute(_USAGE, {"study_id": study_id}).one()._asdict())


def used_up(connection: sa.Connection) -> list[int]:
    """Return studies of which a limit is reached that no end of a trial brings about, and that still go on."""
    return list(connection.execute(_USED_UP).scalars())


def begin_closing(connection: sa.Connection, study_id: int, *, reason: str) -> None:
    """Let a locked study hand out no more trials, and the workers of those that run hear a stop."""
    connection.execute(_BEGIN_CLOSING, {"study_id": study_id, "reason": reason})
    stop_all(connection, study_id, reason=reason)


def stop_all(connection: sa.Connection, study_id: int, *, reason: str) -> None:
    """Let the workers of all running trials of a study hear a stop at their next call."""
    connection.execute(_STOP_ALL, {"study_id": study_id, "reason": reason})


def complete(connection: sa.Connection, study_id: int) -> bool:
    """Let a closing study be complete if all its trials have ended; return whether it is by that."""
    return connection.execute(_COMPLETE, {"study_id": study_id}).rowcount == 1


def count_epochs(connection: sa.Connection, study_id: int) -> None:
    """Count the reports of a locked study that were not counted so far; from now on each one is counted as it comes.

    Each report takes its lease: those under way come first, and those that come later find that they are counted.
    """
    connection.execute(_COUNT_LEASES, {"study_id": study_id})
    connection.execute(_COUNT_EPOCHS, {"study_id": study_id})
