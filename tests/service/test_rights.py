"""What each kind of token may do: every route, every method, every kind."""

import httpx2
import pytest
import sqlalchemy as sa
from anyio.from_thread import BlockingPortal
from fastapi import APIRouter
from fastapi.testclient import TestClient

from service import app as application
from service.app import create_app
from service.replica import Replica
from service.tokens import Tokens
from tests.service.documented import Documented
from tests.service.routes import routes_of
from tests.service.served import Served

ADMIN, USER, WORKER, READER = KINDS = ("admin", "user", "worker", "reader")
OPEN = ("/healthz", "/readyz", "/openapi.json", "/docs", "/sign-in", "/static/{digest}/{name}")

# A form is refused without the key of its session too, and also with 403.
NO_RIGHT = "has no right to this"

READS = {ADMIN, USER, READER}
CHANGES = {ADMIN, USER}
WORKS = {ADMIN, USER, WORKER}

RIGHTS = {
    ("get", "/v1/studies"): READS,
    ("post", "/v1/studies"): CHANGES,
    ("get", "/v1/studies/{name}"): READS,
    ("patch", "/v1/studies/{name}"): CHANGES,
    ("delete", "/v1/studies/{name}"): CHANGES,
    ("get", "/v1/studies/{name}/best-trial"): READS,
    ("get", "/v1/studies/{name}/best-trials"): READS,
    ("post", "/v1/studies/{name}/confirmation"): CHANGES,
    ("get", "/v1/studies/{name}/confirmation"): READS,
    ("post", "/v1/studies/{name}/final"): CHANGES,
    ("get", "/v1/studies/{name}/final"): READS,
    ("get", "/v1/studies/{name}/final/model"): READS,
    ("get", "/v1/studies/{name}/diagnosis"): READS,
    ("get", "/v1/studies/{name}/events"): READS,
    ("get", "/v1/studies/{name}/export"): READS,
    ("get", "/v1/studies/{name}/importances"): READS,
    ("post", "/v1/studies/{name}/prescriptions"): CHANGES,
    ("get", "/v1/studies/{name}/checks"): READS,
    ("post", "/v1/studies/{name}/checks"): CHANGES,
    ("get", "/v1/studies/{name}/progress"): READS,
    ("get", "/v1/studies/{name}/replay"): READS,
    ("get", "/v1/studies/{name}/rounds"): READS,
    ("get", "/v1/studies/{name}/trials"): READS,
    ("post", "/v1/studies/{name}/trials"): CHANGES,
    ("get", "/v1/studies/{name}/trials/{number}"): READS,
    ("get", "/v1/studies/{name}/trials/{number}/diagnosis"): READS,
    ("post", "/v1/studies/{name}/trials/{number}/stop"): CHANGES,
    ("get", "/v1/studies/{name}/trials/{number}/logs"): READS,
    ("get", "/v1/workers"): READS,
    ("post", "/v1/leases"): WORKS,
    ("post", "/v1/leases/{lease_id}/reports"): WORKS,
    ("post", "/v1/leases/{lease_id}/heartbeat"): WORKS,
    ("post", "/v1/leases/{lease_id}/logs"): WORKS,
    ("post", "/v1/leases/{lease_id}/suggestions"): WORKS,
    ("put", "/v1/leases/{lease_id}/attributes/{key:path}"): WORKS,
    ("put", "/v1/leases/{lease_id}/result"): WORKS,
    ("put", "/v1/leases/{lease_id}/checkpoint"): WORKS,
    ("get", "/v1/leases/{lease_id}/checkpoint"): WORKS,
    ("put", "/v1/leases/{lease_id}/model"): WORKS,
    ("post", "/v1/reports"): WORKS,
    ("get", "/v1/datasets"): READS,
    ("get", "/v1/datasets/{name}"): READS,
    ("put", "/v1/datasets/{name}"): CHANGES,
    ("get", "/v1/datasets/{name}/content"): WORKS,
    ("delete", "/v1/datasets/{name}"): CHANGES,
    ("get", "/v1/tokens"): {ADMIN},
    ("post", "/v1/tokens"): {ADMIN},
    ("delete", "/v1/tokens/{token_id}"): {ADMIN},
    ("get", "/v1/version"): set(KINDS),
    ("get", "/metrics"): READS,
}

PAGES = {
    ("get", "/"): READS,
    ("get", "/workers"): READS,
    ("get", "/studies/{name}"): READS,
    ("get", "/studies/{name}/budget"): READS,
    ("get", "/studies/{name}/curves"): READS,
    ("get", "/studies/{name}/figures/{figure}"): READS,
    ("get", "/studies/{name}/optuna"): READS,
    ("get", "/studies/{name}/plane"): READS,
    ("get", "/studies/{name}/prescriptions"): READS,
    ("get", "/studies/{name}/state"): READS,
    ("get", "/studies/{name}/trials"): READS,
    ("get", "/studies/{name}/trials/{number}"): READS,
    ("get", "/studies/{name}/trials/{number}/curve"): READS,
    ("get", "/fragments/studies"): READS,
    ("get", "/fragments/studies/{name}"): READS,
    ("get", "/fragments/studies/{name}/trials"): READS,
    ("get", "/fragments/studies/{name}/trials/{number}"): READS,
    ("get", "/fragments/studies/{name}/trials/{number}/diagnosis"): READS,
    ("get", "/fragments/studies/{name}/trials/{number}/figures"): READS,
    ("get", "/fragments/studies/{name}/trials/{number}/reports"): READS,
    ("get", "/fragments/worker-days"): READS,
    ("get", "/fragments/workers"): READS,
    ("get", "/optuna"): READS,
    ("get", "/optuna/{path:path}"): READS,
    ("get", "/optuna/{digest}/bundle.js"): READS,
    ("get", "/optuna/api/{path:path}"): READS,
    ("get", "/optuna/csv/{study_id}"): READS,
    ("get", "/new"): CHANGES,
    ("post", "/new"): CHANGES,
    ("post", "/new/draft"): CHANGES,
    ("post", "/studies/{name}/budget"): CHANGES,
    ("get", "/studies/{name}/delete"): CHANGES,
    ("post", "/studies/{name}/delete"): CHANGES,
    ("post", "/studies/{name}/prescriptions"): CHANGES,
    ("post", "/studies/{name}/state"): CHANGES,
    ("post", "/studies/{name}/trials/{number}/stop"): CHANGES,
    ("post", "/sign-out"): set(KINDS),
}


@pytest.fixture
def holders(served: Served, portal: BlockingPortal) -> dict[str, httpx2.Client]:
    """A client with a token of each kind."""
    found: dict[str, httpx2.Client] = {}
    for kind in KINDS:
        token = served.http.post("/v1/tokens", json={"kind": kind, "name": kind}).json()["token"]
        http = TestClient(served.app, headers={"Authorization": f"Bearer {token}"})
        http.portal = portal
        http._transport = Documented(http._transport)
        found[kind] = http
    return found


def test_every_route_is_open_to_those_who_have_a_right_to_it_and_to_nobody_else(
    served: Served, holders: dict[str, httpx2.Client]
) -> None:
    routes = [(verb, path) for verb, path in routes_of(served.app) if path not in OPEN]

    passed = {
        (verb, path): {kind for kind, http in holders.items() if NO_RIGHT not in http.request(verb, path).text}
        for verb, path in routes
    }

    assert passed == RIGHTS | PAGES


def test_who_has_no_right_is_told_so_before_his_body_is_looked_at(holders: dict[str, httpx2.Client]) -> None:
    answer = holders[READER].post("/v1/studies", content="{", headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert answer.json()["detail"] == "a token of kind reader has no right to this: it takes one of kind admin or user"


def test_a_right_gives_no_path_that_is_not_there(holders: dict[str, httpx2.Client]) -> None:
    answers = [http.get("/v1/nothing").status_code for http in holders.values()]

    assert answers == [404, 404, 404, 404]


def test_an_application_with_a_route_that_says_no_scope_does_not_start(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    careless = APIRouter()
    careless.add_api_route("/v1/careless", lambda: None)
    routes = [*application._routes(), *careless.routes]
    monkeypatch.setattr(application, "_routes", lambda: routes)

    with pytest.raises(RuntimeError, match="declare no scope: /v1/careless"):
        create_app(Replica(engine, 30.0), Tokens("t"))
