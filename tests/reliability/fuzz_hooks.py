"""What schemathesis does before it sends a request."""

import os
from itertools import count
from typing import Any

import schemathesis

KEPT = "fuzz-"
"""Studies whose names begin so are there for others to be asked of, and are not deleted."""

SHORT_SECONDS = 0.01
_numbers = count()


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Wait for nothing for long. In a request that ought to be served, use no key twice and write integers as such."""
    if case.method == "DELETE" and str((case.path_parameters or {}).get("name")).startswith(KEPT):
        case.path_parameters["name"] = "another"
    for name, value in (case.headers or {}).items():
        if isinstance(value, int):  # A fence that a link took from an answer.
            case.headers[name] = str(value)
    for part in (case.body, case.query):
        if isinstance(part, dict) and is_long(part.get("wait")):
            part["wait"] = SHORT_SECONDS
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"fuzz-{os.getpid()}-{next(_numbers)}"
    # To a JSON schema 3.0 is an integer. To the service it is not: its messages are strict.
    case.body = whole(case.body)


def is_long(wait: object) -> bool:
    """Return whether this is a time that may be waited for, and that a test does not have."""
    try:
        return SHORT_SECONDS < float(wait) <= 60  # type: ignore[arg-type]  # whatever it is
    except (TypeError, ValueError, OverflowError):
        return False


def whole(value: Any) -> Any:
    """Return `value` with integers for floats that are whole."""
    if isinstance(value, dict):
        return {key: whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
