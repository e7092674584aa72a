"""When the service itself ends a lease whose worker lets it go on past a limit: pieces of SQL.

Heartbeats do not move it: a child that hangs has a worker that is well.
"""

GRACE_SECONDS = 10.0
"""Beyond a limit the service waits as long as a worker waits for an answer: its worker is to be first to tell."""


# The same instant wherever it stands in a statement: which of two limits is first must not hang on microseconds.
def _due(limit: str) -> str:
    return f"statement_timestamp() + make_interval(secs => {limit} + {GRACE_SECONDS})"


TRIAL_DUE = _due("trial_seconds")
"""Of a lease that is made now, from its study's row; null where there is no limit. Likewise the next one."""

FIRST_DUE = f"least({TRIAL_DUE}, {_due('step_seconds')})"

NEXT_DUE = f"""
    least(trial_due_at, (
      SELECT {_due("step_seconds")} FROM trimtab_studies s WHERE s.study_id = trimtab_leases.study_id))
"""
"""Of a lease that reports now."""

OVER_AT = "least(expires_at, due_at)"
"""When a lease is over for want of a sign of its worker or because of a limit, whichever is first."""

IS_OVERDUE = "due_at <= expires_at"
"""Of a lease that is over: it is because of a limit."""
