"""What the service says of itself."""

from trimtab.message import Message


class Health(Message):
    """The service is well."""

    status: str
