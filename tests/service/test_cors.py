"""CORS is closed: no answer allows a page of another origin to read it."""

from collections.abc import Mapping

import pytest
from fastapi.testclient import TestClient

from tests.service.served import TOKEN, Served

ORIGIN = {"Origin": "https://elsewhere.example"}
PREFLIGHT = ORIGIN | {
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "authorization",
}


@pytest.fixture
def browser(served: Served) -> TestClient:
    """Sends what a browser does, which the API's description does not have."""
    return TestClient(served.app)


@pytest.mark.parametrize("path", ["/v1/studies", "/v1/leases", "/healthz", "/docs"])
def test_a_browser_that_asks_first_is_allowed_nothing(browser: TestClient, path: str) -> None:
    answer = browser.options(path, headers=PREFLIGHT)

    assert not answer.is_success
    assert allowances(answer.headers) == []


@pytest.mark.parametrize("path", ["/v1/studies", "/healthz", "/docs"])
def test_a_page_of_another_origin_may_not_read_an_answer(browser: TestClient, path: str) -> None:
    answer = browser.get(path, headers=ORIGIN | {"Authorization": f"Bearer {TOKEN}"})

    assert answer.status_code == 200
    assert allowances(answer.headers) == []


def allowances(headers: Mapping[str, str]) -> list[str]:
    return [name for name in headers if name.lower().startswith("access-control-")]
