"""The same Idempotency-Key: one effect, one answer, byte for byte."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from service import database
from service.litter import forget
from service.replica import Replica
from tests.service import record
from tests.service.runs import lease_of
from tests.service.served import Serve
from tests.service.specs import METRIC, body, spec
from trimtab.client import Client
from trimtab.protocol import Lease

KEY = "Idempotency-Key"
# Figures that one writer of JSON writes otherwise than another.
AWKWARD = {METRIC: 1e-05, "loss": 1e16, "other": 3.0, "none": None}


@dataclass(frozen=True)
class Call:
    """A request that has an effect."""

    method: str
    path: str
    content: dict[str, Any] | None
    is_on_lease: bool = True

    def send(
        self, http: httpx2.Client, lease: Lease, key: str | None = "a-key", *, padding: str = ""
    ) -> httpx2.Response:
        headers = {"Trimtab-Fence": str(lease.fence)} if self.is_on_lease else {}
        return http.request(
            self.method,
            self.path.format(lease=lease.id),
            content=(json.dumps(self.content) if self.content else "") + padding,
            headers=headers | {"Content-Type": "application/json"} | ({KEY: key} if key else {}),
        )


CALLS = {
    "create": Call("POST", "/v1/studies", body("another"), is_on_lease=False),
    "ask": Call("POST", "/v1/leases", {"worker": "w", "study": "study", "count": 2}, is_on_lease=False),
    "report": Call("POST", "/v1/leases/{lease}/reports", {"step": 1, "metrics": AWKWARD}),
    "heartbeat": Call("POST", "/v1/leases/{lease}/heartbeat", None),
    "tell": Call("PUT", "/v1/leases/{lease}/result", {"outcome": "complete", "metrics": AWKWARD}),
}


@pytest.fixture
def lease(client: Client) -> Lease:
    client.create_study(spec(space={"x": {"type": "float", "low": 1e-8, "high": 1e-4, "scale": "log"}}))
    return lease_of(client)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_request_sent_again_gets_the_same_bytes_from_every_replica_and_has_no_effect(
    call: Call, http: httpx2.Client, lease: Lease, engine: sa.Engine, start_replica: Serve
) -> None:
    first = call.send(http, lease)
    before = record.rows(engine)

    again = [call.send(to, lease) for to in (http, start_replica().http)]

    assert first.status_code in {200, 201}
    assert "Idempotent-Replayed" not in first.headers
    for answer in again:
        assert (answer.status_code, answer.content) == (first.status_code, first.content)
        assert answer.headers["Idempotent-Replayed"] == "true"
        assert answer.headers.get("Location") == first.headers.get("Location")
    assert record.rows(engine) == before


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_another_request_with_the_same_key_is_refused(
    call: Call, http: httpx2.Client, lease: Lease, engine: sa.Engine
) -> None:
    call.send(http, lease)
    before = record.rows(engine)

    answer = call.send(http, lease, padding=" ")

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert record.rows(engine) == before


def test_many_reports_sent_again_get_the_same_bytes(http: httpx2.Client, lease: Lease, engine: sa.Engine) -> None:
    good = {"lease": lease.id, "fence": lease.fence, "step": 1, "metrics": AWKWARD}
    call = Call("POST", "/v1/reports", {"reports": [good, good | {"fence": 7}]}, is_on_lease=False)
    first = call.send(http, lease)
    before = record.rows(engine)

    again = call.send(http, lease)

    assert [result.get("verdict") or result["code"] for result in first.json()["results"]] == ["continue", "lease_lost"]
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert record.rows(engine) == before


def test_a_refusal_uses_no_key_up(http: httpx2.Client, client: Client, lease: Lease) -> None:
    call = Call("POST", "/v1/leases", {"worker": "w", "study": "later"}, is_on_lease=False)
    refused = call.send(http, lease)
    client.create_study(spec("later"))

    answer = call.send(http, lease)

    assert refused.status_code == 404
    assert len(answer.json()["leases"]) == 1


def test_an_empty_ask_uses_no_key_up(http: httpx2.Client, client: Client) -> None:
    client.create_study(spec(budget={"trials": 1}))
    lease = lease_of(client)
    call = Call("POST", "/v1/leases", {"worker": "w", "study": "study"}, is_on_lease=False)
    empty = call.send(http, lease).json()
    client.tell(lease, "released")

    answer = call.send(http, lease).json()

    assert (empty["leases"], empty["reason"]) == ([], "nothing_now")
    assert [given["trial"] for given in answer["leases"]] == [0]


def test_a_study_that_exists_already_is_shown_as_it_is_each_time(http: httpx2.Client, lease: Lease) -> None:
    first = CALLS["create"].send(http, lease, key=None)
    known = CALLS["create"].send(http, lease)

    again = CALLS["create"].send(http, lease)

    assert [answer.status_code for answer in (first, known, again)] == [201, 200, 200]
    assert "Idempotent-Replayed" not in again.headers


def test_the_lost_answer_of_the_ask_for_the_last_trial_comes_again(http: httpx2.Client, client: Client) -> None:
    client.create_study(spec(budget={"trials": 1}))
    ask = {"worker": "w", "study": "study"}
    first = http.post("/v1/leases", json=ask, headers={KEY: "k"})

    again = http.post("/v1/leases", json=ask, headers={KEY: "k"})

    assert len(first.json()["leases"]) == 1
    assert again.content == first.content


def test_a_report_sent_again_after_its_lease_was_told_gets_its_first_answer(
    http: httpx2.Client, client: Client, lease: Lease
) -> None:
    first = CALLS["report"].send(http, lease)
    client.tell(lease, "complete", metrics={METRIC: 0.5})

    again = CALLS["report"].send(http, lease)

    assert (again.status_code, again.content) == (200, first.content)


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_requests_with_one_key_at_the_same_time_have_one_effect_and_one_answer(
    call: Call, start_replica: Serve, lease: Lease, engine: sa.Engine
) -> None:
    replicas = [start_replica(), start_replica()]
    before = record.transactions(engine)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: call.send(replicas[n % 2].http, lease), range(8)))

    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert len(record.transactions(engine) - before) == 1


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for a lock as long as he would."""
    monkeypatch.setitem(database._OPTIONS, "lock_timeout", "200ms")


@pytest.fixture
def under_way(hurried: None, lease: Lease, engine: sa.Engine) -> Iterator[Callable[[], None]]:
    """The first ask with the key has not committed yet; what is given ends it without."""
    with engine.connect() as connection:
        connection.execute(
            sa.text("INSERT INTO trimtab_keys VALUES (0, 'POST /v1/leases', 'a-key', :request)"), {"request": b"?"}
        )
        yield connection.rollback


@pytest.mark.usefixtures("under_way")
def test_who_comes_while_the_first_is_under_way_is_asked_to_come_back(http: httpx2.Client, lease: Lease) -> None:
    answer = CALLS["ask"].send(http, lease)

    assert (answer.status_code, answer.json()["code"]) == (409, "in_progress")
    assert answer.headers["Retry-After"] == "1"


def test_when_the_first_came_to_nothing_the_next_has_the_effect(
    under_way: Callable[[], None], http: httpx2.Client, lease: Lease
) -> None:
    under_way()

    answer = CALLS["ask"].send(http, lease)

    assert (answer.status_code, len(answer.json()["leases"])) == (200, 2)


@pytest.mark.parametrize("key", [b"", b"two words", "é".encode(), b"x" * 256])
def test_a_key_that_is_none_is_refused(http: httpx2.Client, key: bytes) -> None:
    answer = http.post("/v1/leases", json={"worker": "w"}, headers={KEY.encode(): key})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, KEY)


def test_keys_are_forgotten_after_a_day(http: httpx2.Client, lease: Lease, engine: sa.Engine) -> None:
    for key, hours in (("fresh", 23), ("old", 25)):
        CALLS["heartbeat"].send(http, lease, key=key)
        age = f"UPDATE trimtab_keys SET created_at = now() - interval '{hours} hours' WHERE key = :key"
        record.execute(engine, age, key=key)

    forget(Replica(engine, 30.0))

    kept = "SELECT string_agg(key, ',') FROM trimtab_keys WHERE key IN ('fresh', 'old')"
    assert record.value(engine, kept) == "fresh"
