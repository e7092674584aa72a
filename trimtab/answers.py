"""What an answer of the service means: a message, or the error that it stands for."""

import hashlib
from pathlib import Path
from typing import TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from trimtab.errors import Misconfigured, Refused, Unreachable, from_problem
from trimtab.protocol import Checkpoint, Problem

Answer = TypeVar("Answer", bound=BaseModel)


def parsed(response: httpx2.Response, message: type[Answer]) -> Answer:
    """Return the message that an answer holds. Fields that only a newer service knows are left out.

    Raises:
        Refused: The service said no.
        Unreachable: It is no answer of a service of ours.
        Misconfigured: As for a check.
    """
    check(response)
    try:
        return message.model_validate_json(response.content, extra="ignore")
    except ValidationError as error:
        raise _foreign(response) from error


def check(response: httpx2.Response) -> None:
    """Return if the service did what it was asked to.

    Raises:
        Refused: The service said no.
        Unreachable: It is no answer of a service of ours.
        Misconfigured: Who answers says that the service is elsewhere.
    """
    if response.is_success or response.status_code == httpx2.codes.NOT_MODIFIED:
        return
    if response.is_redirect:
        place = response.headers.get("Location", "another place")
        raise Misconfigured(
            f"what answers at {response.url} says to go to {place!r}, which no Trimtab service "
            "does; set TRIMTAB_SERVER to where the service itself is"
        )
    raise _refusal(response)


def checkpoint(response: httpx2.Response, path: Path) -> Checkpoint | None:
    """Return which checkpoint was written to a file; None: the file is not what the service has sent.

    Raises:
        Unreachable: It is no answer of a service of ours.
    """
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 != response.headers.get("Trimtab-SHA256"):
        return None
    step = response.headers.get("Trimtab-Step", "")
    if not step.isdecimal():
        raise _foreign(response)
    return Checkpoint(step=int(step), sha256=sha256, size=path.stat().st_size)


def retry_after(response: httpx2.Response) -> int | None:
    """Return how long the service asks to stay away, in seconds."""
    given = response.headers.get("Retry-After", "")
    # The other form, a date, is not one that our service uses; the pauses between tries do as well.
    return int(given) if given.isascii() and given.isdecimal() else None


def _refusal(response: httpx2.Response) -> Refused | Unreachable:
    try:
        problem = Problem.model_validate_json(response.content, extra="ignore")
    except ValidationError:
        return _foreign(response)
    return from_problem(problem, retry_after=retry_after(response))


def _foreign(response: httpx2.Response) -> Unreachable:
    status = f"{response.status_code} {response.reason_phrase}".strip()
    kind = response.headers.get("Content-Type", "nothing")
    return Unreachable(
        f"what answers at {response.url} is no Trimtab service that this client understands: "
        f"{status}, {kind}; check TRIMTAB_SERVER"
    )
