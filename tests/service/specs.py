"""Studies as tests need them."""

import json
from typing import Any

from trimtab.message import Value
from trimtab.spec import StudySpec

METRIC = "error"


def spec(name: str = "study", **changes: Any) -> StudySpec:
    """Return a small study that anybody asks and tells: one parameter, random points, no pruning."""
    return StudySpec.model_validate_json(json.dumps(body(name, **changes)))


def body(name: str = "study", **changes: Any) -> dict[str, Any]:
    """Return the same as it goes over the wire."""
    return {
        "name": name,
        "task": None,
        "space": {"x": {"type": "float", "low": 0.0, "high": 1.0}},
        "objectives": [{"metric": METRIC}],
        "sampler": {"name": "random"},
        "pruner": {"name": "none"},
        "budget": {"trials": 10},
    } | changes


def number(value: Value) -> float:
    """Return the value of a parameter that is a number."""
    assert isinstance(value, int | float)
    return float(value)
