"""Who changed what is on record, once for each change, for good."""

import httpx2
import pytest
import sqlalchemy as sa

from tests.service import record
from tests.service.runs import lease_of
from tests.service.specs import body, spec
from trimtab.client import Client

ENTRIES = sa.text("SELECT token_id, action, subject, details FROM trimtab_audit ORDER BY entry_id")


def entries(engine: sa.Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(ENTRIES)]


def test_changes_of_tokens_and_studies_are_noted_with_who_made_them(http: httpx2.Client, engine: sa.Engine) -> None:
    made = http.post("/v1/tokens", json={"kind": "user", "name": "ann"}).json()
    ann = {"Authorization": f"Bearer {made['token']}"}
    http.post("/v1/studies", json=body(), headers=ann)
    http.delete("/v1/studies/study", headers=ann)

    http.delete(f"/v1/tokens/{made['id']}")

    number = int(made["id"])
    assert entries(engine) == [
        (None, "make token", made["id"], {"kind": "user", "name": "ann"}),
        (number, "create study", "study", {}),
        (number, "delete study", "study", {}),
        (None, "revoke token", made["id"], {"kind": "user", "name": "ann"}),
    ]


def test_what_changes_nothing_is_not_noted(http: httpx2.Client, client: Client, engine: sa.Engine) -> None:
    client.create_study(spec())
    before = entries(engine)

    client.create_study(spec())
    http.post("/v1/studies", json=body(budget={"trials": 7}))
    http.delete("/v1/studies/other")
    http.delete("/v1/tokens/999999")
    client.tell(lease_of(client), "released")

    assert entries(engine) == before


def test_a_change_sent_again_is_noted_once(http: httpx2.Client, engine: sa.Engine) -> None:
    for _ in range(2):
        http.post("/v1/studies", json=body(), headers={"Idempotency-Key": "k"})

    assert entries(engine) == [(None, "create study", "study", {})]


@pytest.mark.parametrize(
    "change", ["UPDATE trimtab_audit SET subject = 'x'", "DELETE FROM trimtab_audit", "TRUNCATE trimtab_audit"]
)
def test_nobody_changes_what_was_noted(client: Client, engine: sa.Engine, change: str) -> None:
    client.create_study(spec())

    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        record.execute(engine, change)

    assert len(entries(engine)) == 1
