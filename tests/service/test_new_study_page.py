import re
from html import unescape

import httpx2
import pytest

from tests.service.served import TOKEN, Served
from trimtab.client import Client
from trimtab.states import TokenKind

SPEC = '{"name": "mine", "task": {"name": "mlp"}, "budget": {"trials": 3}}'


@pytest.fixture
def browser(served: Served) -> httpx2.Client:
    return httpx2.Client(
        base_url="http://testserver", transport=served.http._transport, headers={"Accept": "text/html"}
    )


def form_key(browser: httpx2.Client, token: str = TOKEN) -> str:
    browser.post("/sign-in", data={"token": token})
    found = re.search(r'name="form_key" value="([0-9a-f]+)"', browser.get("/").text)
    assert found
    return found[1]


def test_a_study_is_created_from_its_json_and_shown(browser: httpx2.Client, client: Client) -> None:
    key = form_key(browser)

    made = browser.post("/new", data={"form_key": key, "spec": SPEC})

    assert (made.status_code, made.headers["Location"]) == (303, "/studies/mine")
    assert client.study("mine").spec.budget.trials == 3


@pytest.mark.parametrize(
    ("spec", "status", "said"),
    [
        (SPEC.replace('"budget"', '"budgte"'), 422, "budgte"),
        ('{"name": "mine", <script>', 422, "JSON"),
        ("", 422, "JSON"),
        (SPEC.replace("mlp", "mlq"), 422, "task.name"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_written_is_kept(
    browser: httpx2.Client, client: Client, spec: str, status: int, said: str
) -> None:
    key = form_key(browser)

    page = browser.post("/new", data={"form_key": key, "spec": spec})

    written = re.search(r"<textarea[^>]*>(.*?)</textarea>", page.text, re.DOTALL)
    assert page.status_code == status
    assert written
    assert unescape(written[1]) == spec
    assert said in page.text[page.text.index('role="alert"') :]
    assert "<script>" not in page.text
    assert list(client.studies()) == []


def test_a_name_that_is_taken_is_said(browser: httpx2.Client) -> None:
    key = form_key(browser)
    browser.post("/new", data={"form_key": key, "spec": SPEC})

    page = browser.post("/new", data={"form_key": key, "spec": SPEC.replace("3", "4")})

    assert page.status_code == 409
    assert "exists with another spec" in page.text


def test_a_form_begins_with_the_spec_of_a_study_that_is_named(browser: httpx2.Client) -> None:
    browser.post("/new", data={"form_key": form_key(browser), "spec": SPEC})

    page = browser.get("/new?like=mine")

    assert "&#34;name&#34;: &#34;mine&#34;" in page.text


def test_a_reader_creates_nothing(browser: httpx2.Client, client: Client) -> None:
    key = form_key(browser, client.make_token(TokenKind.READER, "guest").token)

    assert browser.get("/new").status_code == 403
    assert browser.post("/new", data={"form_key": key, "spec": SPEC}).status_code == 403
    assert 'href="/new"' not in browser.get("/").text
