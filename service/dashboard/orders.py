"""What the dashboard's process is asked for, and what it answers."""

import json
from dataclasses import asdict, dataclass, field

SERVER_ERROR = 500
"""From this status on the dashboard failed."""

_END_OF_HEAD = b"\n"


@dataclass(frozen=True)
class Order:
    """What is asked of the dashboard.

    Args:
        database: The URL of the database, with its password.
        path: As the dashboard has it: `/api/…` or `/csv/…`.
        query: What follows the question mark.
        takes_gzip: The answer may be compressed.
    """

    database: str = field(repr=False)
    path: str
    query: str
    takes_gzip: bool

    def to_bytes(self) -> bytes:
        """Return the order as it goes to the process."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, sent: bytes) -> "Order":
        """Return the order that was sent."""
        return cls(**json.loads(sent))


@dataclass(frozen=True)
class Answer:
    """What the dashboard answers.

    Args:
        status: As HTTP has it.
        headers: Likewise.
        body: Likewise; where the dashboard failed, why.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    def to_bytes(self) -> bytes:
        """Return the answer as it comes back."""
        return json.dumps([self.status, self.headers]).encode() + _END_OF_HEAD + self.body

    @classmethod
    def from_bytes(cls, sent: bytes) -> "Answer":
        """Return the answer that came back."""
        head, _, body = sent.partition(_END_OF_HEAD)
        status, headers = json.loads(head)
        return cls(status, headers, body)
