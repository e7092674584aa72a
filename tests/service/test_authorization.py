"""Nobody passes without the token, but to see that the service is well and how it is called."""

import httpx2
import pytest
from anyio.from_thread import BlockingPortal
from fastapi.testclient import TestClient

from tests.service.routes import routes_of
from tests.service.served import TOKEN, Served

OPEN = ["/healthz", "/readyz", "/openapi.json", "/docs"]
OF_THE_SIGN_IN = ["/sign-in", "/static/{digest}/{name}"]
NO_TOKEN = '"code":"unauthorized"'


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
    answers = {(verb, path): stranger.request(verb, path) for verb, path in routes_of(served.app)}

    refused = {route for route, answer in answers.items() if NO_TOKEN in answer.text and answer.status_code == 401}

    assert len(refused) > 80
    assert {path for _, path in answers.keys() - refused} == {*OPEN, *OF_THE_SIGN_IN}


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
