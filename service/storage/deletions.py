"""Deletes studies with all that belongs to them, and says so to the workers on them."""

import sqlalchemy as sa

from trimtab.states import Purpose

_LOCK = sa.text("""
    SELECT study_id FROM trimtab_studies
    WHERE study_id = (SELECT study_id FROM studies WHERE study_name = :name) FOR UPDATE
""")

# Whoever makes one more has locked the study first. Their numbers are higher than its own, so the order is that of all.
_LOCK_COMPANIONS = sa.text("""
    SELECT study_id, study_name FROM trimtab_studies s JOIN studies USING (study_id)
    WHERE parent_id = :study_id AND purpose = ANY(:purposes) ORDER BY study_id FOR UPDATE OF s
""")

# In the order of locks: reports under way on these leases end first, later ones find the tombstone.
_LOCK_LEASES = sa.text("""
    SELECT lease_id FROM trimtab_leases WHERE study_id = ANY(:study_ids) AND ended_at IS NULL
    ORDER BY lease_id FOR UPDATE
""")

# Those that ended today too: their worker may tell again, having heard no answer.
_BURY = sa.text("""
    INSERT INTO trimtab_tombstones (lease_id, study)
    SELECT lease_id, study_name
    FROM studies JOIN trimtab_trials t USING (study_id) JOIN trimtab_leases l USING (trial_id)
    WHERE t.study_id = ANY(:study_ids) AND (ended_at IS NULL OR ended_at > clock_timestamp() - interval '1 day')
""")

_DELETE = sa.text("DELETE FROM studies WHERE study_id = ANY(:study_ids)")


def delete(connection: sa.Connection, name: str) -> list[str]:
    """Delete the study called `name` with all that belongs to it, and with the studies that exist only for it.

    Returns:
        The names of those that were deleted, its own first; none if it is not there.
    """
    study_id = connection.execute(_LOCK, {"name": name}).scalar_one_or_none()
    if study_id is None:
        return []
    values = {"study_id": study_id, "purposes": [purpose for purpose in Purpose if purpose.is_settled]}
    companions = {row.study_id: row.study_name for row in connection.execute(_LOCK_COMPANIONS, values)}
    found = {study_id: name, **companions}
    for statement in (_LOCK_LEASES, _BURY, _DELETE):
        connection.execute(statement, {"study_ids": list(found)})
    return list(found.values())
