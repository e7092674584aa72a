"""Whatever is put in place of whatever part of a request, the service answers, and has no defect."""

import json
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service.served import Served
from tests.service.specs import METRIC, body, spec

VALID: dict[str, tuple[str, str, dict[str, Any]]] = {
    "create a study": ("POST", "/v1/studies", body("another", task={"name": "mlp"}, max_attempts=3)),
    "ask": (
        "POST",
        "/v1/leases",
        {"worker": "w", "tasks": ["mlp"], "study": "study", "count": 1, "wait": 0, "host": "h", "device": "d"},
    ),
    "report": ("POST", "/v1/leases/{lease}/reports", {"step": 1, "metrics": {METRIC: 0.5, "loss": None}}),
    "tell": (
        "PUT",
        "/v1/leases/{lease}/result",
        {"outcome": "complete", "metrics": {METRIC: 0.5}, "step": 1, "message": "m"},
    ),
    "report many": (
        "POST",
        "/v1/reports",
        {"reports": [{"lease": "1", "fence": 1, "step": 1, "metrics": {METRIC: 0.5}}]},
    ),
}

# Half characters, NUL, numbers beyond every type, and what looks like another thing.
SCALARS = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, -1, 2**31, 2**63, -(2**63) - 1, 10**400, -0.0, 1e308, 5e-324, float("nan"), float("inf")])
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "\0", "\ud800", "%s", "{}", "{field}", "'; --", "x" * 10_001, "1", "null", "default"])
    | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the paths of all parts of a body."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inside for place in places(part, (*path, key)))]


def replaced(value: Any, path: tuple[str | int, ...], part: object) -> Any:
    """Return `value` with another part at `path`."""
    if not path:
        return part
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], part)
    return copy


@pytest.fixture
def leased(served: Served) -> Served:
    served.client.create_study(spec(budget={"trials": 1_000_000}))
    return served


@pytest.mark.parametrize(("method", "path", "valid"), VALID.values(), ids=VALID)
@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_request_with_one_part_replaced_is_answered(
    leased: Served, method: str, path: str, valid: dict[str, Any], data: st.DataObject
) -> None:
    lease = leased.client.ask("worker", study="study").leases[0]
    place = data.draw(st.sampled_from(places(valid)))
    content = json.dumps(replaced(valid, place, data.draw(VALUES)))

    answer = call(leased.http, method, path.format(lease=lease.id), content, fence=lease.fence)

    assert answer.status_code in {200, 201, 404, 409, 422}, answer.text
    json.loads(answer.text, parse_constant=pytest.fail)


def call(http: httpx2.Client, method: str, path: str, content: str, *, fence: int) -> httpx2.Response:
    headers = {"Content-Type": "application/json", "Trimtab-Fence": str(fence)}
    return http.request(method, path, content=content, headers=headers)
