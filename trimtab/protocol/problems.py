"""What an error looks like on the wire."""

from trimtab.message import Message


class FieldProblem(Message):
    """What is wrong with one field of a request, by its dotted path."""

    field: str
    message: str


class Problem(Message):
    """An error on the wire (RFC 9457) with a stable `code`; `errors` names the fields at fault.

    Args:
        request_id: Names the request in the service's log; None where it is one of many answers.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[FieldProblem, ...] = ()
    request_id: str | None = None
