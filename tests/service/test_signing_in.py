import time
from datetime import timedelta

import httpx2
import pytest
import sqlalchemy as sa

from service.api.limits import SIGN_IN_BYTES
from service.sessions import COOKIE, LIFE_SECONDS, SECURE_COOKIE
from tests.service import record
from tests.service.browsing import browser_of, form_key, signed_in
from tests.service.served import TOKEN, Connect, Serve, Served
from trimtab.client import Client
from trimtab.states import TokenKind


@pytest.fixture
def browser(served: Served) -> httpx2.Client:
    """A client that holds cookies, sends no token and shows where it is led."""
    return browser_of(served)


def test_who_has_not_signed_in_is_led_to_where_one_does_and_back(browser: httpx2.Client) -> None:
    led = browser.get("/?state=running")

    assert (led.status_code, led.headers["Location"]) == (303, "/sign-in?next=/%3Fstate%3Drunning")
    back = signed_in(browser, next="/?state=running")
    assert (back.status_code, back.headers["Location"]) == (303, "/?state=running")
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize("token", ["", "wrong", "ttk_user_wrong", TOKEN + "x", "é", "x" * 2000])
def test_a_wrong_token_begins_no_session(browser: httpx2.Client, token: str) -> None:
    answer = signed_in(browser, token)

    assert answer.status_code == 401
    assert "no valid token" in answer.text
    assert COOKIE not in browser.cookies


def test_the_cookie_is_for_this_site_and_no_script(browser: httpx2.Client) -> None:
    cookie = signed_in(browser).headers["Set-Cookie"]

    assert {"HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={LIFE_SECONDS}"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


def test_by_tls_the_cookie_is_for_tls_alone_and_of_this_host(served: Served) -> None:
    browser = browser_of(served, "https://testserver")

    cookie = signed_in(browser).headers["Set-Cookie"]
    page = browser.get("/")
    left = browser.post("/sign-out", data={"form_key": form_key(page)})

    assert cookie.startswith(f"{SECURE_COOKIE}=")
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert {"Secure", "Path=/", "Max-Age=0"} <= set(left.headers["Set-Cookie"].split("; "))
    assert browser.get("/").status_code == 303


def test_by_tls_a_cookie_that_another_host_may_have_given_opens_nothing(served: Served) -> None:
    plain, secure = browser_of(served), browser_of(served, "https://testserver")
    signed_in(plain)

    secure.cookies.set(COOKIE, plain.cookies[COOKIE])

    assert secure.get("/").status_code == 303


def test_behind_a_proxy_that_says_so_the_cookie_is_for_tls_alone(connect: Connect) -> None:
    body = f"token={TOKEN}"
    head = (
        "POST /sign-in HTTP/1.1\r\nHost: example.org\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with connect() as connection:
        connection.sendall((head + body).encode())
        answer = connection.makefile("rb").read().decode()

    assert answer.startswith("HTTP/1.1 303")
    assert f"set-cookie: {SECURE_COOKIE}=" in answer


@pytest.mark.parametrize("hours", [-13, -1, 1, 13])
def test_a_session_opens_pages_at_every_replica_whatever_their_own_clocks_say(
    start_replica: Serve, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    one, other = browser_of(start_replica()), browser_of(start_replica())
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda at=time.time: at() + hours * 3600)
        signed_in(one)

    other.cookies.set(COOKIE, one.cookies[COOKIE])

    assert other.get("/").status_code == 200


def test_a_session_is_over_when_it_was_long_enough_by_the_database(browser: httpx2.Client, served: Served) -> None:
    sessions, now = served.app.state.sessions, served.replica.clock.now()
    ages = (LIFE_SECONDS - 60, LIFE_SECONDS)

    cookies = [sessions.begin(None, b"", now=now - timedelta(seconds=age)) for age in ages]
    statuses = [browser.get("/", headers={"Cookie": f"{COOKIE}={cookie}"}).status_code for cookie in cookies]

    assert statuses == [200, 303]


def test_a_cookie_that_is_none_of_ours_opens_nothing(browser: httpx2.Client) -> None:
    signed_in(browser)
    own = browser.cookies[COOKIE]

    for cookie in ("nonsense", own[:-1], f"x{own}", own.partition(".")[0]):
        assert browser.get("/", headers={"Cookie": f"{COOKIE}={cookie}"}).status_code == 303, cookie


def test_signing_in_begins_a_new_session_whatever_was_there(browser: httpx2.Client) -> None:
    signed_in(browser)
    planted = browser.cookies[COOKIE]
    key = form_key(browser.get("/"))

    signed_in(browser)

    assert browser.cookies[COOKIE] != planted
    assert form_key(browser.get("/")) != key


def test_who_has_signed_in_is_not_asked_again(browser: httpx2.Client) -> None:
    signed_in(browser)

    assert browser.get("/sign-in?next=/new").headers["Location"] == "/new"
    assert browser.get("/sign-in?next=https://elsewhere.org").headers["Location"] == "/"


FROM_ELSEWHERE = [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {}]
ARRIVAL = '<meta http-equiv="refresh" content="0; url=/sign-in?next=/new%3Flike%3Dx&amp;again=1">'


@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
def test_who_follows_a_link_is_asked_for_a_token_only_where_a_page_of_ours_has_led(
    browser: httpx2.Client, headers: dict[str, str]
) -> None:
    first = browser.get("/new?like=x", headers=headers).headers["Location"]

    arrived = browser.get(first, headers=headers)
    asked = browser.get(f"{first}&again=1")

    assert (arrived.status_code, asked.status_code) == (200, 200)
    assert ARRIVAL in arrived.text
    assert "<h1>Sign in" in asked.text
    assert 'http-equiv="refresh"' not in asked.text


def test_who_follows_a_link_and_has_signed_in_goes_on(browser: httpx2.Client) -> None:
    signed_in(browser)

    assert browser.get("/sign-in?next=/new&again=1").headers["Location"] == "/new"


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_who_comes_by_themselves_is_asked_at_once(browser: httpx2.Client, site: str) -> None:
    assert "<h1>Sign in" in browser.get("/sign-in?next=/new", headers={"Sec-Fetch-Site": site}).text


@pytest.mark.parametrize("wanted", ["https://elsewhere.org", "//elsewhere.org", "/\\elsewhere.org", "javascript:1"])
def test_nobody_is_led_to_another_site(browser: httpx2.Client, wanted: str) -> None:
    assert signed_in(browser, next=wanted).headers["Location"] == "/"


def test_a_session_ends_with_its_token_at_every_replica_at_once(
    browser: httpx2.Client, client: Client, start_replica: Serve
) -> None:
    made = client.make_token(TokenKind.READER, "guest")
    signed_in(browser, made.token)
    other = browser_of(start_replica())
    other.cookies.set(COOKIE, browser.cookies[COOKIE])
    assert other.get("/").status_code == 200

    client.revoke_token(made.id)

    assert browser.get("/").headers["Location"].startswith("/sign-in")
    assert other.get("/").headers["Location"].startswith("/sign-in")
    assert "<h1>Sign in" in other.get("/sign-in?again=1").text
    assert other.get("/v1/studies").status_code == 401


def test_a_session_does_not_pass_to_the_token_that_has_its_number_in_a_database_made_anew(
    browser: httpx2.Client, client: Client, engine: sa.Engine
) -> None:
    old = client.make_token(TokenKind.READER, "guest")
    signed_in(browser, old.token)
    record.execute(engine, "DELETE FROM trimtab_tokens")
    record.execute(engine, f"ALTER TABLE trimtab_tokens ALTER token_id RESTART WITH {old.id}")

    new = client.make_token(TokenKind.ADMIN, "another")

    assert new.id == old.id
    assert browser.get("/").headers["Location"].startswith("/sign-in")
    assert browser.get("/v1/studies").status_code == 401


@pytest.mark.parametrize("cookie", ["", "nonsense", "WzEsICJhIl0.aaaaaa.bbbbbb", ";;=;", "x" * 5000])
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
    assert browser.post("/sign-out", data={"form_key": "é" * 64}).status_code == 403


def test_signing_out_forgets_the_session(browser: httpx2.Client) -> None:
    signed_in(browser)

    left = browser.post("/sign-out", data={"form_key": form_key(browser.get("/"))})

    assert left.headers["Location"] == "/sign-in"
    assert browser.get("/").status_code == 303


def test_a_token_of_a_worker_is_told_why_it_sees_no_page(browser: httpx2.Client, client: Client) -> None:
    answer = signed_in(browser, client.make_token(TokenKind.WORKER, "gpu0").token)

    assert answer.status_code == 403
    assert "This token is a worker&#39;s" in answer.text
    assert COOKIE not in browser.cookies


def test_nobody_signs_in_through_a_page_of_another_site(browser: httpx2.Client) -> None:
    # Else somebody works in the session of another one, and does not know it.
    elsewhere = browser.post("/sign-in", data={"token": TOKEN}, headers={"Origin": "http://elsewhere.org"})

    assert elsewhere.status_code == 403
    assert COOKIE not in browser.cookies


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://testserver:9000"},
    {"Origin": "null"},
    {"Origin": "nonsense"},
]
OURS: list[dict[str, str]] = [
    {},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://behind.a.proxy"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://testserver"},
    {"Origin": "HTTP://TestServer"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_of_another_site_or_port_does_nothing_with_a_session(
    browser: httpx2.Client, headers: dict[str, str]
) -> None:
    signed_in(browser)
    key = form_key(browser.get("/"))

    assert browser.post("/sign-out", data={"form_key": key}, headers=headers).status_code == 403
    for path in ("/v1/studies", "/v1/studies/study/events", "/metrics"):
        assert browser.get(path, headers=headers).status_code == 403
    part = {"Sec-Fetch-Mode": "no-cors", **headers}
    assert browser.get("/fragments/studies", headers=part).status_code == 403


@pytest.mark.parametrize("headers", OURS)
def test_our_own_pages_do(browser: httpx2.Client, headers: dict[str, str]) -> None:
    signed_in(browser)
    key = form_key(browser.get("/"))

    assert browser.get("/v1/studies", headers=headers).status_code == 200
    assert browser.get("/fragments/studies", headers={"Sec-Fetch-Mode": "cors", **headers}).status_code == 200
    assert browser.post("/sign-out", data={"form_key": key}, headers=headers).status_code == 303


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_link_of_any_site_leads_to_a_page(browser: httpx2.Client, headers: dict[str, str]) -> None:
    signed_in(browser)

    assert browser.get("/", headers={"Sec-Fetch-Mode": "navigate", **headers}).status_code == 200


def test_who_sends_a_token_may_come_from_anywhere(http: httpx2.Client) -> None:
    assert http.get("/v1/studies", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_who_has_no_token_sends_little(browser: httpx2.Client) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}

    said = signed_in(browser, "x" * SIGN_IN_BYTES)
    unsaid = browser.post("/sign-in", content=iter([b"token=", b"x" * SIGN_IN_BYTES]), headers=kind)

    assert (said.status_code, unsaid.status_code) == (413, 413)
    assert "The body is over 16384 bytes" in said.text
    assert "The body is over 16384 bytes" in unsaid.text


def test_the_log_has_who_signs_in_and_where_wrong_tokens_come_from_but_no_token(
    browser: httpx2.Client, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    made = client.make_token(TokenKind.READER, "guest")
    caplog.set_level("INFO", "service.web.signing_in")

    signed_in(browser, made.token)
    signed_in(browser, made.token[:-1])

    said = [record.getMessage() for record in caplog.records if record.name == "service.web.signing_in"]
    assert said == [f"token {made.id} signed in", "a wrong token at the sign-in from testclient"]


def test_a_form_in_an_odd_alphabet_is_a_wrong_token(browser: httpx2.Client) -> None:
    content = b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n\\ud800\r\n--b--\r\n'
    kind = "multipart/form-data; boundary=b; charset=unicode_escape"

    answer = browser.post("/sign-in", content=content, headers={"Content-Type": kind})

    assert answer.status_code == 401
