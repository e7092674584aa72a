"""The audit table: who changed what, written with the change. A trigger lets nobody change what is in it."""

import json

import sqlalchemy as sa

from service.principals import Principal

_NOTE = sa.text("""
    INSERT INTO trimtab_audit (token_id, action, subject, details)
    VALUES (:token_id, :action, :subject, CAST(:details AS json))
""")


def note(connection: sa.Connection, principal: Principal, action: str, subject: str, **details: object) -> None:
    """Note a change, in its transaction.

    Args:
        connection: Of the change.
        principal: Who makes it.
        action: What is done, such as `delete study`.
        subject: To what.
        details: What else is to be known.
    """
    values = {"token_id": principal.token_id, "action": action, "subject": subject, "details": json.dumps(details)}
    connection.execute(_NOTE, values)
