"""What schemathesis does before it sends a request."""

import os
from itertools import count
from typing import Any

import schemathesis

Case = schemathesis.Case[Any]

KEPT = "fuzz-"
"""Studies whose names begin so are there for others to be asked of, and are not deleted."""

SHORT_SECONDS = 0.01
_numbers = count()


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Wait for nothing for long, and leave nothing to refuse in a request that ought to be served."""
    if case.method == "DELETE" and str(case.path_parameters.get("name")).startswith(KEPT):
        case.path_parameters["name"] = "another"
    for part in (case.body, case.query):
        if isinstance(part, dict) and is_long(part.get("wait")):
            part["wait"] = SHORT_SECONDS
    for name in [name for name, value in case.headers.items() if isinstance(value, int)]:
        case.headers[name] = str(case.headers[name])  # A fence, which a link took from an answer.
    if case.meta is not None and case.meta.generation.mode.is_positive:
        make_servable(case)


def make_servable(case: Case) -> None:
    """Use no key twice, and write 3.0 as 3: to a JSON schema it is an integer, to strict messages it is not."""
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"fuzz-{os.getpid()}-{next(_numbers)}"
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
