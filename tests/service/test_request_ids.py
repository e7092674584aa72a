"""Each request has a name, which its answer and the log tell."""

import json
import logging
import re
from collections.abc import Iterator

import httpx2
import pytest
from anyio.from_thread import BlockingPortal
from fastapi.testclient import TestClient

from tests.service.runs import lease_of, report
from tests.service.served import TOKEN, Served
from tests.service.specs import METRIC, spec
from trimtab.logs import Json

MADE = re.compile(r"[0-9a-f]{16}")


class Kept(logging.Handler):
    """Keeps each line as it would be written."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(Json())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def kept() -> Iterator[Kept]:
    handler, ours = Kept(), logging.getLogger("service")
    ours.addHandler(handler)
    before = ours.level
    ours.setLevel(logging.DEBUG)
    yield handler
    ours.setLevel(before)
    ours.removeHandler(handler)


def test_an_answer_bears_the_name_that_the_request_was_given(http: httpx2.Client) -> None:
    answer = http.get("/v1/studies", headers={"X-Request-Id": "of-mine.1_2"})

    assert answer.headers["X-Request-Id"] == "of-mine.1_2"


@pytest.mark.parametrize("given", [b"", b"a b", b"a" * 65, "é".encode(), b'"}', b"a;b"])
def test_a_name_that_none_can_be_is_replaced(http: httpx2.Client, given: bytes) -> None:
    answer = http.get("/v1/studies", headers=httpx2.Headers({b"X-Request-Id": given}))

    assert MADE.fullmatch(answer.headers["X-Request-Id"])


def test_each_request_without_a_name_gets_another(http: httpx2.Client) -> None:
    names = {http.get("/healthz").headers["X-Request-Id"] for _ in range(3)}

    assert len(names) == 3


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/v1/studies/nothing", {}, 404),
        ("GET", "/v1/studies", {"Authorization": "Bearer wrong"}, 401),
        ("GET", "/v1/studies", {"Trimtab-Protocol": "7"}, 400),
        ("POST", "/v1/studies", {"Content-Length": str(2**21)}, 413),
        ("POST", "/v1/studies", {"Content-Type": "application/json"}, 422),
        ("PUT", "/v1/studies", {}, 405),
    ],
)
def test_an_error_says_the_name_of_its_request(
    http: httpx2.Client, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = http.request(method, path, headers={"X-Request-Id": "mine", **headers}, content=b"")

    assert answer.status_code == status
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"] == "mine"


def test_a_defect_says_under_which_name_the_log_has_it(
    served: Served, portal: BlockingPortal, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("service.workers.page", fail)
    http = TestClient(served.app, headers={"Authorization": f"Bearer {TOKEN}"}, raise_server_exceptions=False)
    http.portal = portal

    answer = http.get("/v1/workers", headers={"X-Request-Id": "mine"})

    assert (answer.status_code, answer.headers["X-Request-Id"]) == (500, "mine")
    assert answer.json()["detail"] == "the service has a defect; its log says more of request mine"
    (line,) = [found for found in map(json.loads, kept.lines) if found["level"] == "error"]
    assert (line["request"], line["path"]) == ("mine", "/v1/workers")
    assert "RuntimeError: broken" in line["traceback"]


@pytest.mark.usefixtures("nothing_ahead")
def test_the_log_of_a_trial_is_json_and_says_what_happened_to_whom(served: Served, kept: Kept) -> None:
    client = served.client
    client.create_study(spec())
    lease = lease_of(client)
    report(client, lease, 1, 0.5)
    client.tell(lease, "complete", metrics={METRIC: 0.5})
    client.delete_study("study")

    lines = [json.loads(line) for line in kept.lines]

    said = [(line["message"], line["logger"]) for line in lines if line["level"] == "info"]
    assert said == [
        ("study study is created", "service.studies"),
        (f"lease {lease.id} on trial 0 of study: to worker", "service.asks"),
        (f"lease {lease.id} on trial 0 of study: complete: complete", "service.leases"),
        ("study study is deleted", "service.studies"),
    ]
    asked, told = (line for line in lines if "lease" in line)
    assert (asked["study"], asked["trial"], asked["worker"]) == ("study", 0, "worker")
    assert (told["outcome"], told["state"], str(told["lease"])) == ("complete", "complete", lease.id)
    requests = [line for line in lines if line["level"] == "debug" and line["logger"] == "service.api.watched"]
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [
        ("POST", "/v1/studies", 201),
        ("POST", "/v1/leases", 200),
        ("POST", "/v1/leases/{lease_id}/reports", 200),
        ("PUT", "/v1/leases/{lease_id}/result", 200),
        ("DELETE", "/v1/studies/{name}", 204),
    ]
    assert len({line["request"] for line in lines}) == 5


def test_no_token_is_in_the_log_of_who_makes_and_uses_it(served: Served, kept: Kept) -> None:
    made = served.client.make_token("user", "ttk_of-the-tests")
    served.http.get(f"/v1/studies?token={made.token}", headers={"Authorization": f"Bearer {made.token}"})
    served.http.get(f"/v1/{made.token}")
    served.client.revoke_token(made.id)

    assert len(kept.lines) >= 5
    assert "ttk_" not in "".join(kept.lines)
