"""The answer to a COMMIT is lost on its way: the caller is asked to come back, and then hears what took effect once."""

from collections.abc import Callable, Iterator

import httpx2
import pytest
import sqlalchemy as sa

from tests.reliability.distant import Distant, distant
from tests.service import record
from tests.service.runs import lease_of
from tests.service.specs import METRIC, body, spec
from trimtab.protocol import Lease

TIMES = {"expires_in": 0, "expires_at": 0}
"""What of an answer is as old as the answer."""

COUNT = """
    SELECT (SELECT count(*) FROM trimtab_studies), (SELECT count(*) FROM trimtab_leases),
      (SELECT count(*) FROM trimtab_reports), (SELECT count(*) FROM trimtab_leases WHERE ended_at IS NOT NULL)
"""


@pytest.fixture
def cut(database_url: str) -> Iterator[Distant]:
    with distant(database_url) as cut:
        yield cut


Send = Callable[[httpx2.Client, Lease], httpx2.Response]


def on_lease(http: httpx2.Client, lease: Lease, method: str, verb: str, **content: object) -> httpx2.Response:
    headers = {"Trimtab-Fence": str(lease.fence)}
    return http.request(method, f"/v1/leases/{lease.id}/{verb}", json=content, headers=headers)


COMPLETE = {"outcome": "complete", "metrics": {METRIC: 0.5}}

# What is sent, whose answer is lost, and what has taken effect then: studies, leases, reports, ended leases.
CALLS: dict[str, tuple[Send, bytes, tuple[int, ...]]] = {
    "create": (lambda http, _: http.post("/v1/studies", json=body("other")), b"COMMIT", (2, 1, 0, 0)),
    "ask": (
        lambda http, _: http.post("/v1/leases", json={"worker": "w"}, headers={"Idempotency-Key": "one"}),
        b"COMMIT",
        (1, 2, 0, 0),
    ),
    "report": (
        lambda http, lease: on_lease(http, lease, "POST", "reports", step=1, metrics={METRIC: 0.5}),
        b"EXECUTE trimtab_record",
        (1, 1, 1, 0),
    ),
    "tell": (lambda http, lease: on_lease(http, lease, "PUT", "result", **COMPLETE), b"COMMIT", (1, 1, 0, 1)),
}


@pytest.mark.parametrize(("send", "words", "effect"), CALLS.values(), ids=CALLS)
def test_a_call_whose_commit_is_not_answered_takes_effect_once_and_is_answered_when_it_is_sent_again(
    cut: Distant, engine: sa.Engine, send: Send, words: bytes, effect: tuple[int, ...]
) -> None:
    cut.served.client.create_study(spec())
    lease = lease_of(cut.served.client)
    cut.relay.lose_answer_to(words)

    lost = send(cut.served.http, lease)
    after = counted(engine)
    answers = [send(cut.served.http, lease) for _ in range(2)]

    assert (lost.status_code, lost.json()["code"], lost.headers["Retry-After"]) == (503, "unavailable", "1")
    assert after == effect == counted(engine)
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].json() | TIMES == answers[1].json() | TIMES


def counted(engine: sa.Engine) -> tuple[int, ...]:
    with engine.connect() as connection:
        return tuple(connection.execute(sa.text(COUNT)).one())


def test_the_client_by_itself_gets_one_lease_from_an_ask_whose_commit_is_not_answered(
    cut: Distant, engine: sa.Engine
) -> None:
    cut.served.client.create_study(spec())
    cut.relay.lose_answer_to(b"COMMIT")

    lease = lease_of(cut.served.client)

    assert record.value(engine, "SELECT max(lease_id) FROM trimtab_leases") == int(lease.id)
    assert counted(engine)[1] == 1
