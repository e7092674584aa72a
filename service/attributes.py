"""What a trial leaves on record of itself: Optuna's user attributes."""

from service.calls import after_outage, look, not_live
from service.database import autocommit
from service.once import UNKEYED, Once
from service.replica import Replica
from service.storage import suggestions
from service.storage.leases import Reference
from service.storage.suggestions import MAX_ATTRIBUTES_BYTES
from trimtab.errors import Invalid
from trimtab.protocol import FieldProblem
from trimtab.suggestions import Attribute


@after_outage
def put(replica: Replica, lease: Reference, key: str, attribute: Attribute, *, once: Once = UNKEYED) -> Attribute:
    """Keep an attribute of the trial, in place of the one of that key, and renew the lease.

    Raises:
        LeaseNotFound, LeaseLost, LeaseEnded, StudyDeleted, Forbidden: As for a report.
        Invalid: The attributes of the trial would be too large.
        Unavailable: The database is away or busy.
    """
    with once.transaction(replica.engine) as connection:
        is_kept = suggestions.keep_attribute(
            connection, lease, key, attribute.value, lease_seconds=replica.lease_seconds
        )
        if is_kept:
            once.keep(connection, attribute)
            return attribute
    with autocommit(replica.engine) as connection:
        row = look(connection, lease)
    if not row.is_live:
        raise not_live(row)
    message = f"makes more than {MAX_ATTRIBUTES_BYTES:,} bytes of all attributes of this trial: that is the most"
    raise Invalid("the attribute is too large", errors=[FieldProblem(field="value", message=message)])
