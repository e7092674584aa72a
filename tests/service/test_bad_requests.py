"""What is no JSON, too large, too deep or hostile is refused with its name, and never a defect."""

import json
import time
from collections.abc import AsyncIterator

import httpx2
import pytest
from anyio.from_thread import BlockingPortal

from service.settings import MAX_BODY_BYTES
from tests.service.served import Served
from tests.service.specs import body
from trimtab.client import Client

JSON = {"Content-Type": "application/json"}


def field_of(answer: httpx2.Response) -> str:
    """Return the one field that a refusal names."""
    assert answer.status_code == 422, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    (problem,) = answer.json()["errors"]
    return str(problem["field"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"name=study",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 5_000,
        b"[]",
        b"null",
        b'"study"',
        b"NaN",
    ],
    ids=lambda content: repr(content[:10]),
)
def test_a_body_that_is_no_json_object_is_refused(client: Client, http: httpx2.Client, content: bytes) -> None:
    answer = http.post("/v1/studies", content=content, headers=JSON)

    assert field_of(answer) == "body"
    assert list(client.studies()) == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_body_that_is_not_said_to_be_json_is_refused(http: httpx2.Client, kind: str) -> None:
    answer = http.post("/v1/studies", content=json.dumps(body()), headers={"Content-Type": kind})

    assert field_of(answer) == "Content-Type"


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.trimtab+json"]
)
def test_json_may_be_called_by_each_of_its_names(http: httpx2.Client, kind: str) -> None:
    answer = http.post("/v1/studies", content=json.dumps(body()), headers={"Content-Type": kind})

    assert answer.status_code == 201


@pytest.mark.parametrize("content", ['{"name": "a", "name": "b", %s', '{"budget": {"trials": 1, "trials": 2}, %s'])
def test_a_field_that_is_given_twice_is_refused_though_one_of_them_could_be_taken(
    client: Client, http: httpx2.Client, content: str
) -> None:
    answer = http.post("/v1/studies", content=content % json.dumps(body("c"))[1:], headers=JSON)

    assert field_of(answer) == "body"
    assert "twice" in answer.text
    assert list(client.studies()) == []


def test_a_body_of_the_greatest_length_is_read(http: httpx2.Client) -> None:
    content = json.dumps(body()).encode().ljust(MAX_BODY_BYTES)

    answer = http.post("/v1/studies", content=content, headers=JSON)

    assert answer.status_code == 201


def test_a_body_that_says_that_it_is_too_long_is_not_read(http: httpx2.Client) -> None:
    content = json.dumps(body()).encode().ljust(MAX_BODY_BYTES + 1)

    answer = http.post("/v1/studies", content=content, headers=JSON)

    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


def test_a_body_that_turns_out_too_long_is_not_read_to_its_end(
    served: Served, http: httpx2.Client, portal: BlockingPortal
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1024

    async def post() -> httpx2.Response:
        transport = httpx2.ASGITransport(served.app)
        async with httpx2.AsyncClient(transport=transport, headers=http.headers) as client:
            return await client.post("http://testserver/v1/studies", content=endless(), headers=JSON)

    answer = portal.call(post)

    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


@pytest.mark.parametrize("key", ["model", "checkpoint", "a/model", "/v1/datasets/a", "v1/leases/1/checkpoint"])
def test_an_attribute_may_have_no_more_bytes_for_being_called_like_a_file(http: httpx2.Client, key: str) -> None:
    answer = http.put(f"/v1/leases/1/attributes/{key}", content=b" " * (MAX_BODY_BYTES + 1), headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_the_limit_of_requests_is_not_that_of_files(served: Served, http: httpx2.Client) -> None:
    puts = {path: verbs["put"] for path, verbs in served.app.openapi()["paths"].items() if "put" in verbs}
    files = {path for path, put in puts.items() if "application/json" not in put["requestBody"]["content"]}

    refused = {path for path in puts if http.put(path, content=b" " * (MAX_BODY_BYTES + 1)).status_code == 413}

    assert files == {"/v1/leases/{lease_id}/checkpoint", "/v1/leases/{lease_id}/model", "/v1/datasets/{name}"}
    assert refused == set(puts) - files


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/v1/studies", body() | {f"x{n}": 1 for n in range(80_000)}),
        ("/v1/studies", body() | {"x" * 1_000_000: 1}),
        ("/v1/studies", body(name="x" * 1_000_000)),
        ("/v1/studies", body(space={f"x{n}": 1 for n in range(80_000)})),
        ("/v1/studies", body(space={"x": {"type": "categorical", "choices": [[]] * 250_000}})),
        ("/v1/studies", body(task={"name": "mlp", "fixed": {f"x{n}": None for n in range(60_000)}})),
        ("/v1/leases", {"worker": "w", "tasks": [1] * 300_000}),
        ("/v1/reports", {"reports": [1] * 300_000}),
    ],
    ids=["fields", "long field", "long name", "parameters", "choices", "fixed", "tasks", "reports"],
)
def test_a_megabyte_of_nonsense_is_answered_soon_and_in_few_words(
    http: httpx2.Client, path: str, content: dict[str, object]
) -> None:
    begin = time.process_time()

    answer = http.post(path, json=content)

    assert answer.status_code == 422
    assert time.process_time() - begin < 5
    assert len(answer.content) < 10_000


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/studies?limit=0", "limit"),
        ("/v1/studies?limit=1001", "limit"),
        ("/v1/studies?limit=ten", "limit"),
        ("/v1/studies?state=happy", "state"),
        ("/v1/studies?cursor=", "cursor"),
        ("/v1/studies?cursor=-1", "cursor"),
        ("/v1/studies?cursor=9999999999999999999", "cursor"),
        ("/v1/studies?cursor=%D9%A1", "cursor"),
        ("/v1/workers?cursor=%00", "cursor"),
        ("/v1/workers?cursor=%ED%A0%80", "cursor"),
        ("/v1/studies/a%20b", "name"),
        ("/v1/studies/a%00", "name"),
        ("/v1/studies/study/trials?sort=value", "sort"),
        ("/v1/studies/study/trials?cursor=x", "cursor"),
        ("/v1/studies/study/trials/-1", "number"),
        ("/v1/studies/study/trials/2147483648", "number"),
        ("/v1/studies/study/trials/1.5", "number"),
        ("/v1/studies/study/best-trial?wait=nan", "wait"),
        ("/v1/studies/study/best-trial?wait=inf", "wait"),
        ("/v1/studies/study/best-trial?wait=-1", "wait"),
        ("/v1/studies/study/best-trial?wait=61", "wait"),
    ],
)
def test_a_path_or_query_that_is_not_valid_is_refused_by_its_name(http: httpx2.Client, path: str, field: str) -> None:
    answer = http.get(path)

    assert field_of(answer) == field


@pytest.mark.parametrize("fence", ["", "0", "-1", "one", "1.5", "2147483648"])
def test_a_fence_that_is_no_fence_is_refused_by_its_name(http: httpx2.Client, fence: str) -> None:
    answer = http.post("/v1/leases/1/heartbeat", headers={"Trimtab-Fence": fence})

    assert field_of(answer) == "Trimtab-Fence"


def test_a_call_on_a_lease_without_its_fence_is_refused(http: httpx2.Client) -> None:
    answer = http.post("/v1/leases/1/heartbeat")

    assert field_of(answer) == "Trimtab-Fence"


def test_a_path_that_is_not_there_is_a_problem_too(http: httpx2.Client) -> None:
    answer = http.get("/v1/nothing")

    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_a_method_that_a_path_does_not_take_is_a_problem_too(http: httpx2.Client) -> None:
    answer = http.put("/v1/studies")

    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert answer.headers["Allow"] == "GET, POST"


def test_a_defect_is_answered_without_its_details(served: Served, http: httpx2.Client) -> None:
    @served.app.get("/v1/broken")
    def broken() -> None:
        raise ZeroDivisionError("secret")

    http._transport._transport.raise_server_exceptions = False  # type: ignore[attr-defined]  # show the answer
    answer = http.get("/v1/broken")

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "secret" not in answer.text


def test_a_field_that_is_misspelt_is_answered_with_the_one_that_is_near(http: httpx2.Client) -> None:
    answer = http.post("/v1/studies", json={"name": "study", "task": {"name": "mlp"}, "budgets": {"trials": 3}})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "budgets", "message": "is unknown; did you mean budget?"}]
