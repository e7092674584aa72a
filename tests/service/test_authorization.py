"""Nobody passes without the token, but to see that the service is well and how it is called."""

import httpx2
import pytest
from anyio.from_thread import BlockingPortal
from fastapi.testclient import TestClient

from tests.service.served import TOKEN, Served

OPEN = ["/healthz", "/readyz", "/openapi.json", "/docs"]


@pytest.fixture
def stranger(served: Served, portal: BlockingPortal) -> httpx2.Client:
    http = TestClient(served.app)
    http.portal = portal
    return http


@pytest.mark.parametrize("path", OPEN)
def test_health_and_the_description_of_the_api_are_open(stranger: httpx2.Client, path: str) -> None:
    answer = stranger.get(path)

    assert answer.status_code == 200


def test_every_other_route_demands_the_token(served: Served, stranger: httpx2.Client) -> None:
    routes = [(verb, path) for path, verbs in served.app.openapi()["paths"].items() for verb in verbs]

    open_paths = [path for verb, path in routes if stranger.request(verb, path).status_code != 401]

    assert len(routes) > 10
    assert open_paths == ["/healthz", "/readyz"]


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/nothing", "/redoc", "/healthz/", "//healthz", "/docs/oauth2-redirect"]
)
def test_what_is_not_there_is_closed_too(stranger: httpx2.Client, path: str) -> None:
    answer = stranger.get(f"http://testserver{path}")

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer{TOKEN}", f"Bearer x{TOKEN}", f"Bearer {TOKEN[:-1]}"],
)
def test_a_token_that_is_malformed_or_wrong_is_refused(stranger: httpx2.Client, authorization: str) -> None:
    answer = stranger.get("/v1/studies", headers={"Authorization": authorization})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "unauthorized"


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN}"])
def test_the_token_opens_whatever_the_case_of_its_scheme(stranger: httpx2.Client, authorization: str) -> None:
    answer = stranger.get("/v1/studies", headers={"Authorization": authorization})

    assert answer.status_code == 200


def test_the_token_is_asked_for_before_a_body_is_looked_at(stranger: httpx2.Client) -> None:
    answer = stranger.post("/v1/studies", content="{", headers={"Content-Type": "application/json"})

    assert answer.status_code == 401
