"""Tokens: made, listed and revoked; kept as a hash; good for the leases of their own."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest
import sqlalchemy as sa
from anyio.from_thread import BlockingPortal
from fastapi.testclient import TestClient

from service import access, recognition, tokens
from service.api import tokens as tokens_api
from service.principals import OPERATOR
from tests.service import record
from tests.service.checkpointing import files, put
from tests.service.long_polls import LONG, SOON, wait_until, waiters
from tests.service.runs import lease_of, report
from tests.service.served import TOKEN, Serve, Served
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.errors import Forbidden, Unauthorized
from trimtab.protocol import LeaseReport
from trimtab.states import TokenKind

Hold = Callable[[str], Client]
KEY = {"Idempotency-Key": "a-key"}
MANY = 41
"""More than a replica has threads, and connections."""


@pytest.fixture
def hold(served: Served) -> Hold:
    """Call the service with this token."""
    return lambda token: Client("http://testserver", token, transport=served.http._transport, sleep=lambda _: None)


def make(http: httpx2.Client, kind: str = "worker", name: str = "gpu pool") -> dict[str, str]:
    answer = http.post("/v1/tokens", json={"kind": kind, "name": name})
    assert answer.status_code == 201
    made: dict[str, str] = answer.json()
    return made


def test_a_token_is_shown_once_and_kept_as_a_hash(http: httpx2.Client, engine: sa.Engine) -> None:
    made = make(http)

    listed = http.get("/v1/tokens")

    secret = made.pop("token")
    assert secret.startswith("ttk_worker_")
    assert listed.json()["items"] == [made]
    assert secret not in listed.text + str(record.rows(engine))
    stored = record.value(engine, "SELECT digest FROM trimtab_tokens")
    assert isinstance(stored, memoryview)
    assert bytes(stored) == tokens.digest(secret)


def test_tokens_are_listed_page_by_page(http: httpx2.Client) -> None:
    made = [make(http, name=f"n{number}")["id"] for number in range(3)]

    first = http.get("/v1/tokens?limit=2").json()
    rest = http.get("/v1/tokens", params={"limit": 2, "cursor": first["next"]}).json()

    assert [item["id"] for item in first["items"] + rest["items"]] == made
    assert rest["next"] is None


@pytest.mark.parametrize("kind", TokenKind)
def test_what_is_made_has_a_checksum(kind: TokenKind) -> None:
    token = tokens.made(kind)

    spoilt = [
        token[:position] + ("x" if token[position] != "x" else "y") + token[position + 1 :] for position in (5, 30, -1)
    ]

    assert tokens.is_made(token)
    assert not any(tokens.is_made(other) for other in spoilt)


@pytest.mark.parametrize("body", [{}, {"kind": "root", "name": "x"}, {"kind": "user", "name": ""}, {"kind": "user"}])
def test_a_token_that_makes_no_sense_is_refused(http: httpx2.Client, engine: sa.Engine, body: dict[str, str]) -> None:
    before = record.rows(engine)

    answer = http.post("/v1/tokens", json=body)

    assert answer.status_code == 422
    assert record.rows(engine) == before


def test_when_a_token_is_revoked_no_replica_takes_it_any_more(
    served: Served, start_replica: Serve, portal: BlockingPortal
) -> None:
    made = make(served.http, "reader")
    replicas = [served, start_replica()]
    holders = [TestClient(one.app, headers={"Authorization": f"Bearer {made['token']}"}) for one in replicas]
    for holder in holders:
        holder.portal = portal
    before = [holder.get("/v1/studies").status_code for holder in holders]

    answer = served.http.delete(f"/v1/tokens/{made['id']}")

    assert before == [200, 200]
    assert answer.status_code == 204
    assert [holder.get("/v1/studies").status_code for holder in holders] == [401, 401]


@pytest.mark.usefixtures("unhurried")
def test_who_waits_for_a_revocation_holds_up_nobody(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [make(served.http) for _ in range(MANY)]
    waiting = asyncio.Barrier(MANY)

    async def until_all_wait(_: float) -> None:
        async with asyncio.timeout(SOON):
            await waiting.wait()

    monkeypatch.setattr(tokens_api, "asyncio", SimpleNamespace(sleep=until_all_wait))
    with ThreadPoolExecutor(MANY) as pool:
        answers = list(pool.map(lambda one: served.http.delete(f"/v1/tokens/{one['id']}").status_code, made))

    assert answers == [204] * MANY


def test_whoever_revokes_again_since_the_answer_was_lost_hears_it_when_it_is_so(
    served: Served, hold: Hold, engine: sa.Engine
) -> None:
    made = make(served.http, "reader")
    holder = hold(made["token"])
    list(holder.studies())
    access.revoke(engine, int(made["id"]), by=OPERATOR)

    answer = served.http.delete(f"/v1/tokens/{made['id']}")

    assert answer.status_code == 204
    with pytest.raises(Unauthorized):
        list(holder.studies())


def test_a_token_that_is_not_there_cannot_be_revoked(http: httpx2.Client) -> None:
    answer = http.delete("/v1/tokens/999999")

    assert (answer.status_code, answer.json()["code"]) == (404, "token_not_found")


def test_who_waits_for_a_trial_gets_none_once_the_token_is_revoked(served: Served, hold: Hold) -> None:
    made = make(served.http)
    worker = hold(made["token"])

    with ThreadPoolExecutor(1) as executor:
        asked = executor.submit(worker.ask, "worker", wait=LONG)
        wait_until(lambda: waiters(served.replica) == 1)
        served.http.delete(f"/v1/tokens/{made['id']}")
        served.client.create_study(spec())
        with pytest.raises(Unauthorized):
            asked.result()

    assert served.client.study("study").counts.running == 0


def test_a_token_asked_for_twice_with_one_key_is_made_once_and_not_shown_again(
    http: httpx2.Client, engine: sa.Engine
) -> None:
    wanted = {"kind": "user", "name": "ann"}
    first = http.post("/v1/tokens", json=wanted, headers=KEY)

    again = http.post("/v1/tokens", json=wanted, headers=KEY)

    assert first.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "token_already_shown")
    assert record.value(engine, "SELECT count(*) FROM trimtab_tokens") == 1
    assert record.value(engine, "SELECT count(body) FROM trimtab_keys") == 0


def test_the_keys_of_two_tokens_are_apart(http: httpx2.Client, client: Client, hold: Hold) -> None:
    client.create_study(spec())
    workers = [hold(make(http)["token"]) for _ in range(2)]

    leases = [worker.ask("w", study="study", key="same").leases[0] for worker in workers]

    assert [lease.trial for lease in leases] == [0, 1]


def test_a_lease_is_good_for_the_token_that_asked_and_for_administrators(
    http: httpx2.Client, client: Client, hold: Hold, engine: sa.Engine
) -> None:
    client.create_study(spec())
    owner, other = (hold(make(http)["token"]) for _ in range(2))
    administrator = hold(make(http, "admin")["token"])
    lease = lease_of(owner)
    owner.report(lease, step=1, metrics={METRIC: 0.5})
    before = record.rows(engine)

    for call in (
        lambda: other.report(lease, step=1, metrics={METRIC: 0.5}),
        lambda: other.report(lease, step=2, metrics={METRIC: 0.5}),
        lambda: other.heartbeat(lease),
        lambda: other.tell(lease, "complete", metrics={METRIC: 0.5}),
        lambda: other.tell(lease, "released"),
    ):
        with pytest.raises(Forbidden, match="given to another token"):
            call()
    (refused,) = other.report_many([LeaseReport(lease=lease.id, fence=1, step=2, metrics={METRIC: 0.5})])

    assert isinstance(refused, Forbidden)
    assert record.rows(engine) == before
    assert administrator.heartbeat(lease).verdict == "continue"
    assert owner.tell(lease, "complete", metrics={METRIC: 0.5}).state == "complete"


def test_the_checkpoints_of_a_lease_are_for_the_token_that_asked(
    http: httpx2.Client, client: Client, hold: Hold, engine: sa.Engine, store: Path, tmp_path: Path
) -> None:
    client.create_study(spec())
    owner, other = (hold(make(http)["token"]) for _ in range(2))
    lease = lease_of(owner)
    for step in (1, 2):
        report(owner, lease, step, 0.5)
    sent = put(owner, lease, 1)
    before, kept = record.rows(engine), files(store)

    for step in (1, 2):
        with pytest.raises(Forbidden, match="given to another token"):
            put(other, lease, step)
    with pytest.raises(Forbidden, match="given to another token"):
        other.get_checkpoint(lease, tmp_path / "got")

    assert not (tmp_path / "got").exists()
    assert (record.rows(engine), files(store)) == (before, kept)
    assert owner.get_checkpoint(lease, tmp_path / "got") == sent


def test_the_lease_of_the_operator_is_not_for_a_worker(http: httpx2.Client, client: Client, hold: Hold) -> None:
    client.create_study(spec())
    lease = lease_of(client)

    with pytest.raises(Forbidden):
        hold(make(http)["token"]).heartbeat(lease)


def test_what_is_no_token_costs_the_database_nothing(
    served: Served, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recognition, "BELIEVED_SECONDS", LONG)
    unknown = tokens.made(TokenKind.USER)

    with record.statements(served.replica.engine) as sent:
        for token in ("ttk_x", unknown[:-1] + "g", unknown, unknown, unknown):
            with pytest.raises(Unauthorized):
                list(hold(token).studies())

    assert len(sent) == 1


def test_the_operators_token_costs_the_database_nothing(served: Served, client: Client) -> None:
    with record.statements(served.replica.engine) as sent:
        list(client.studies())

    assert not any("token" in statement for statement in sent)


def test_while_the_database_is_away_a_token_that_is_not_known_is_asked_to_come_back(
    served: Served, http: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = make(http, "reader")["token"]
    monkeypatch.setattr(served.replica.engine, "connect", _no_connection)

    answer = http.get("/v1/studies", headers={"Authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


def _no_connection() -> None:
    raise sa.exc.OperationalError("connect", {}, Exception("away"))


def test_no_log_holds_a_token(http: httpx2.Client, hold: Hold, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = make(http, "user")["token"]

    hold(made).create_study(spec())
    for path in (f"/v1/studies/{made}", f"/v1/studies?cursor={made}"):
        http.get(path)

    said = "\n".join(entry.getMessage() for entry in caplog.records if entry.name.startswith(("service", "uvicorn")))
    assert made not in said
    assert TOKEN not in said
