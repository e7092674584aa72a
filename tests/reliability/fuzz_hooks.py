"""What schemathesis does before it sends a request."""

import os
from hashlib import sha256
from itertools import count
from typing import Any

import schemathesis

from tests.service.specs import METRIC

Case = schemathesis.Case[Any]

KEPT = "fuzz-"
"""Studies whose names begin so are there for trials to be asked of."""

SHORT_SECONDS = 0.01
_numbers = count()


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Wait for nothing for long, and leave nothing to refuse in a request that ought to be served."""
    if str(case.path_parameters.get("name")).startswith(KEPT):
        keep(case)
    for part in (case.body, case.query):
        if isinstance(part, dict) and is_long(part.get("wait")):
            part["wait"] = SHORT_SECONDS
    for name in [name for name, value in case.headers.items() if isinstance(value, int)]:
        case.headers[name] = str(case.headers[name])  # A fence, which a link took from an answer.
    if case.meta is not None and case.meta.generation.mode.is_positive:
        make_servable(case)


def keep(case: Case) -> None:
    """Let a study that others are to be asked of go on."""
    if case.method == "DELETE":
        case.path_parameters["name"] = "another"
    if case.method == "PATCH" and isinstance(case.body, dict):
        case.body |= {"state": "running", "budget": {"trials": 1_000_000}, "limits": {"trial_seconds": 3_600}}


def make_servable(case: Case) -> None:
    """Use no key twice, measure what is optimised, say what is sent and why; write 3.0 as 3, as messages have it."""
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"fuzz-{os.getpid()}-{next(_numbers)}"
    if isinstance(case.body, dict) and isinstance(metrics := case.body.get("metrics"), dict):
        metrics[METRIC] = 0.5
    if isinstance(case.body, dict) and case.body.keys() & {"override", "reason"}:
        case.body["reason"] = "why" if case.body.get("override") is True else None
    if isinstance(case.body, bytes) and "sha256" in case.query:
        case.query["sha256"] = sha256(case.body).hexdigest()
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
