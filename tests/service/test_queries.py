"""What an address asks for is understood, or refused: on every route."""

import re

import httpx2
import pytest
from fastapi.testclient import TestClient

from tests.service.served import Served
from tests.service.specs import body

TOKENS = "/v1/tokens"
PROBED = ("/healthz", "/readyz")


def test_an_unknown_parameter_is_refused_and_the_known_ones_are_named(http: httpx2.Client) -> None:
    answer = http.put("/v1/datasets/flowers", params={"knd": "regression"}, content=b"x")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    (problem,) = answer.json()["errors"]
    assert problem["field"] == "knd"
    assert problem["message"] == "is no parameter of this address: it takes target, kind"


def test_a_route_without_parameters_says_so(http: httpx2.Client) -> None:
    answer = http.post("/v1/studies", params={"dry_run": "true"}, json=body())

    assert answer.json()["errors"] == [
        {"field": "dry_run", "message": "is no parameter of this address: it takes none"}
    ]
    assert http.get("/v1/studies").json()["items"] == []


def test_every_route_refuses_what_it_does_not_know_and_nothing_else(served: Served) -> None:
    paths = served.app.openapi()["paths"]
    routes = [(verb, path, verbs[verb]) for path, verbs in paths.items() for verb in verbs if path not in PROBED]

    for verb, path, operation in routes:
        at = re.sub(r"{\w+}", "1", path)
        known = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
        refused = served.http.request(verb, at, params={"nonsense": "1"})
        passed = served.http.request(verb, at, params=dict.fromkeys(known, "-"))
        assert refused.json()["errors"][0]["field"] == "nonsense", (verb, path)
        assert "is no parameter of this address" not in passed.text, (verb, path)

    assert len(routes) > 40


def test_very_many_parameters_are_no_very_long_answer(http: httpx2.Client) -> None:
    answer = http.get("/v1/studies", params={f"{number}-{'x' * 200}": "1" for number in range(100)})

    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 10
    assert len(answer.content) < 5000


def test_who_has_no_right_hears_of_that_first(served: Served, http: httpx2.Client) -> None:
    token = http.post(TOKENS, json={"kind": "reader", "name": "r"}).json()["token"]
    reader = TestClient(served.app, headers={"Authorization": f"Bearer {token}"})

    assert reader.delete("/v1/studies/one", params={"nonsense": "1"}).status_code == 403


@pytest.mark.parametrize("path", PROBED)
def test_a_probe_may_ask_as_it_likes(http: httpx2.Client, path: str) -> None:
    assert http.get(path, params={"at": "now"}).status_code == 200
