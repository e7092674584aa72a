import re

import httpx2
import pytest

from service.sessions import COOKIE, LIFE_SECONDS
from tests.service.served import TOKEN, Served
from trimtab.client import Client
from trimtab.states import TokenKind

PAGE = {"Accept": "text/html"}


@pytest.fixture
def browser(served: Served) -> httpx2.Client:
    """A client that holds cookies, sends no token and shows where it is led."""
    return httpx2.Client(
        base_url="http://testserver", transport=served.http._transport, headers=PAGE, follow_redirects=False
    )


def signed_in(browser: httpx2.Client, token: str = TOKEN, **fields: str) -> httpx2.Response:
    return browser.post("/sign-in", data={"token": token, **fields})


def form_key(page: httpx2.Response) -> str:
    found = re.search(r'name="form_key" value="([0-9a-f]+)"', page.text)
    assert found
    return found[1]


def test_who_has_not_signed_in_is_led_to_where_one_does_and_back(browser: httpx2.Client) -> None:
    led = browser.get("/?state=running")

    assert (led.status_code, led.headers["Location"]) == (303, "/sign-in?next=/%3Fstate%3Drunning")
    back = signed_in(browser, next="/?state=running")
    assert (back.status_code, back.headers["Location"]) == (303, "/?state=running")
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize("token", ["", "wrong", "ttk_user_wrong", TOKEN + "x"])
def test_a_wrong_token_begins_no_session(browser: httpx2.Client, token: str) -> None:
    answer = signed_in(browser, token)

    assert answer.status_code == 401
    assert "no valid token" in answer.text
    assert COOKIE not in browser.cookies


def test_the_cookie_is_for_this_site_and_no_script(browser: httpx2.Client) -> None:
    cookie = signed_in(browser).headers["Set-Cookie"]

    assert {"HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={LIFE_SECONDS}"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


@pytest.mark.parametrize("wanted", ["https://elsewhere.org", "//elsewhere.org", "/\\elsewhere.org", "javascript:1"])
def test_nobody_is_led_to_another_site(browser: httpx2.Client, wanted: str) -> None:
    assert signed_in(browser, next=wanted).headers["Location"] == "/"


def test_a_session_ends_with_its_token(browser: httpx2.Client, client: Client) -> None:
    made = client.make_token(TokenKind.READER, "guest")
    signed_in(browser, made.token)
    assert browser.get("/").status_code == 200

    client.revoke_token(made.id)

    assert browser.get("/").headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("cookie", ["", "nonsense", "WzEsICJhIl0.aaaaaa.bbbbbb"])
def test_a_made_up_cookie_opens_nothing(browser: httpx2.Client, cookie: str) -> None:
    browser.cookies.set(COOKIE, cookie)

    assert browser.get("/").status_code == 303
    assert browser.get("/v1/studies", headers={"Accept": "application/json"}).status_code == 401


def test_a_session_reads_the_api_and_changes_nothing_there(browser: httpx2.Client) -> None:
    signed_in(browser)

    assert browser.get("/v1/studies").json()["items"] == []
    assert browser.post("/v1/studies", json={"name": "digits", "task": {"name": "mlp"}}).status_code == 401


def test_a_form_of_another_site_is_not_taken(browser: httpx2.Client) -> None:
    signed_in(browser)

    assert browser.post("/sign-out", data={}).status_code == 403
    assert browser.post("/sign-out", data={"form_key": "0" * 64}).status_code == 403


def test_signing_out_forgets_the_session(browser: httpx2.Client) -> None:
    signed_in(browser)

    left = browser.post("/sign-out", data={"form_key": form_key(browser.get("/"))})

    assert left.headers["Location"] == "/sign-in"
    assert browser.get("/").status_code == 303


def test_a_token_of_a_worker_sees_no_page(browser: httpx2.Client, client: Client) -> None:
    signed_in(browser, client.make_token(TokenKind.WORKER, "gpu0").token)

    page = browser.get("/")

    assert page.status_code == 403
    assert "a token of kind worker has no right to this" in page.text


@pytest.mark.parametrize("path", ["/sign-in", "/", "/?state=nonsense"])
def test_every_page_says_that_it_loads_nothing_from_elsewhere(browser: httpx2.Client, path: str) -> None:
    signed_in(browser)

    policy = browser.get(path).headers["Content-Security-Policy"]

    assert "default-src 'none'; script-src 'self'" in policy
    assert "unsafe" not in policy
