"""Who looks at a page is answered with a page, whatever is wrong, and programs with a problem."""

import re
from collections.abc import Iterator
from html import unescape

import httpx2
import pytest
from anyio.from_thread import BlockingPortal
from fastapi.testclient import TestClient
from starlette.datastructures import UploadFile

from service import summaries
from service.recognition import Recognition
from tests.service.browsing import PAGE, form_key, operators_browser, signed_in
from tests.service.runs import complete
from tests.service.served import TOKEN, Served
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.errors import TooManyRequests, Unavailable
from trimtab.states import TokenKind


@pytest.fixture
def browser(served: Served) -> httpx2.Client:
    """A browser that the operator signed in with."""
    return operators_browser(served)


@pytest.fixture
def shaken(served: Served, browser: httpx2.Client, portal: BlockingPortal) -> httpx2.Client:
    """The same at a service whose defects are answered, and not raised here."""
    http = TestClient(served.app, headers=PAGE, cookies=browser.cookies, raise_server_exceptions=False)
    http.portal = portal
    return http


def test_a_page_of_a_study_that_cannot_be_shown_leads_to_the_study(browser: httpx2.Client, client: Client) -> None:
    client.create_study(spec())

    of_study = [browser.get(f"/studies/study/trials{end}").text for end in ("/7", "/many", "?page=0", "?sort=nonsense")]
    of_none = [browser.get("/studies/none/trials").text, browser.get("/studies/my%20study").text]

    assert all('<a href="/studies/study">The study <bdi>study</bdi></a>' in page for page in of_study)
    assert not any("The study" in page for page in of_none)


def test_an_unknown_page_is_a_page_that_says_so(browser: httpx2.Client) -> None:
    answer = browser.get("/nothing")

    assert answer.status_code == 404
    assert "<h1>This page cannot be shown</h1>" in answer.text
    assert '<a href="/">All studies</a>' in answer.text


@pytest.mark.parametrize(
    ("path", "accept"), [("/v1/nothing", "text/html"), ("/v1/studies/none", "text/html"), ("/nothing", "*/*")]
)
def test_programs_are_answered_with_a_problem(browser: httpx2.Client, path: str, accept: str) -> None:
    answer = browser.get(path, headers={"Accept": accept})

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_page_that_takes_no_form_says_so(browser: httpx2.Client) -> None:
    answer = browser.post("/workers")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert "<h1>This was refused</h1>" in answer.text


def test_a_form_that_is_too_large_is_refused_on_a_page(browser: httpx2.Client) -> None:
    answer = browser.post("/new", data={"spec": "x" * 2**20})

    assert answer.status_code == 413
    assert "The body is over 1048576 bytes" in answer.text


FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

UNREADABLE = {
    "no boundary": (MULTIPART, "--x\r\n", "Missing boundary in multipart."),
    "no parts": (f"{MULTIPART}; boundary=x", "nonsense", "Invalid multipart data."),
    "too many fields": (FORM, "&".join(f"f{number}=1" for number in range(1001)), "Too many fields."),
}


@pytest.mark.parametrize("path", ["/new", "/sign-in"])
@pytest.mark.parametrize(("kind", "content", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_wrong_with_a_form_that_cannot_be_read_is_said(
    browser: httpx2.Client, path: str, kind: str, content: str, said: str
) -> None:
    answer = browser.post(path, content=content, headers={"Content-Type": kind})

    assert answer.status_code == 422
    assert "The form cannot be read" in answer.text
    assert said in answer.text


def test_a_file_in_a_form_is_refused_by_name_and_closed(
    browser: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str | None] = []
    close = UploadFile.close

    async def noted(file: UploadFile) -> None:
        closed.append(file.filename)
        await close(file)

    monkeypatch.setattr(UploadFile, "close", noted)
    key = form_key(browser.get("/new"))

    refused = browser.post("/new", data={"form_key": key}, files={"spec": ("spec.json", b"{}")})
    foreign = browser.post("/new", data={"form_key": "other"}, files={"spec": ("other.json", b"{}")})

    assert (refused.status_code, foreign.status_code) == (422, 403)
    assert re.search(r"spec</bdi></code> <bdi>is a file", refused.text)
    assert closed == ["spec.json", "other.json"]


def test_a_form_of_a_session_that_is_over_leads_to_where_it_was_sent_from(
    browser: httpx2.Client, client: Client
) -> None:
    made = client.make_token(TokenKind.USER, "guest")
    browser.cookies.clear()
    signed_in(browser, made.token)
    key = form_key(browser.get("/new"))
    client.revoke_token(made.id)

    answer = browser.post("/new", data={"form_key": key}, headers={"Referer": "http://testserver/new?like=study"})

    assert answer.status_code == 401
    assert "<h1>You are signed out</h1>" in answer.text
    assert 'href="/sign-in?next=/new%3Flike%3Dstudy"' in answer.text


def test_what_was_written_of_a_study_is_shown_to_who_is_signed_out(browser: httpx2.Client) -> None:
    browser.cookies.clear()
    written = '\n{"name": "</textarea><script>"}'

    answer = browser.post("/new", data={"spec": written})

    assert answer.status_code == 401
    assert "copy what you wrote, sign in" in answer.text
    shown = re.search(r'<textarea id="written"[^>]* readonly [^>]*>\n(.*?)</textarea>', answer.text, re.DOTALL)
    assert shown
    assert unescape(shown[1]) == written
    assert "<script>" not in answer.text


def test_what_another_site_or_nobody_wrote_is_not_shown_to_who_is_signed_out(browser: httpx2.Client) -> None:
    browser.cookies.clear()

    foreign = browser.post("/new", data={"spec": "theirs"}, headers={"Sec-Fetch-Site": "cross-site"})
    crowded = browser.post("/new", data={f"field{number}": "1" for number in range(1001)})
    large = browser.post("/new", data={"spec": "x" * 2**20})

    assert (foreign.status_code, crowded.status_code, large.status_code) == (401, 401, 413)
    assert not any("<textarea" in answer.text for answer in (foreign, crowded, large))


@pytest.mark.parametrize("came_from", ["", "nonsense", "http://elsewhere.org/new", "http://testserver//elsewhere.org"])
def test_a_page_elsewhere_is_not_led_back_to(browser: httpx2.Client, came_from: str) -> None:
    browser.cookies.clear()

    answer = browser.post("/new", headers={"Referer": came_from})

    assert 'href="/sign-in?next=/"' in answer.text


@pytest.mark.filterwarnings("ignore")
def test_a_defect_is_a_page_with_the_name_of_the_request(
    shaken: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "page", broken)

    answer = shaken.get("/", headers={"X-Request-Id": "of-the-test"})

    assert answer.status_code == 500
    assert "<h1>The service has a defect</h1>" in answer.text
    assert "its log says more of request of-the-test" in answer.text
    assert answer.headers["X-Request-Id"] == "of-the-test"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def broken(*_: object, **__: object) -> object:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("refused", "title"),
    [
        (Unavailable("the database is away or busy; try again", retry_after=1), "The service cannot answer now"),
        (TooManyRequests("this token has used up its requests for now", retry_after=1), "Too many requests"),
    ],
)
def test_what_may_be_had_later_is_a_page_that_comes_back_by_itself(
    browser: httpx2.Client, monkeypatch: pytest.MonkeyPatch, refused: Exception, title: str
) -> None:
    def away(*_: object, **__: object) -> object:
        raise refused

    monkeypatch.setattr(summaries, "page", away)

    answer = browser.get("/")

    assert answer.headers["Retry-After"] == "1"
    assert f"<h1>{title}</h1>" in answer.text
    assert "refusal.js" in answer.text
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in answer.text


def test_a_session_that_cannot_be_looked_up_is_such_a_page_too(
    browser: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> object:
        raise Unavailable("the database is away or busy; try again", retry_after=1)

    monkeypatch.setattr(Recognition, "of_session", away)

    assert "<h1>The service cannot answer now</h1>" in browser.get("/").text
    assert browser.get("/v1/studies").headers["Content-Type"] == "application/problem+json"


def test_what_was_sent_is_not_sent_again_by_itself(browser: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> object:
        raise Unavailable("the connection to the database was lost; try again", retry_after=1)

    key = form_key(browser.get("/"))
    monkeypatch.setattr("service.studies.delete", away)

    answer = browser.post("/studies/study/delete", data={"form_key": key})

    assert answer.status_code == 503
    assert "Whether it was done is not known" in answer.text
    assert "refusal.js" not in answer.text


def answers_to_programs(browser: httpx2.Client) -> Iterator[httpx2.Response]:
    """Give an answer of every kind that is none for a browser, be it that a page asks for it."""
    best = "/v1/studies/study/best-trial"
    yield browser.get("/v1/studies")
    yield (found := browser.get(best))
    yield browser.get(best, headers={"If-None-Match": found.headers["ETag"]})
    yield browser.get("/v1/studies/study/events")
    yield browser.get("/v1/studies/study/export")
    yield browser.get("/v1/nothing")
    yield browser.put("/v1/studies", headers={"Authorization": f"Bearer {TOKEN}"})
    yield browser.post("/v1/studies", content=b" " * 2**21)
    yield browser.get("/metrics")
    yield browser.get("/openapi.json")


def test_no_answer_to_a_program_is_kept_or_taken_for_something_else(browser: httpx2.Client, client: Client) -> None:
    client.create_study(spec(budget={"trials": 1}))
    complete(client, [0.5])

    answers = list(answers_to_programs(browser))

    assert [answer.status_code for answer in answers] == [200, 200, 304, 200, 200, 404, 405, 401, 200, 200]
    for answer in answers:
        assert answer.headers.get_list("Cache-Control") == ["no-store"]
        assert answer.headers.get_list("X-Content-Type-Options") == ["nosniff"]
        assert "Content-Security-Policy" not in answer.headers


def answers(browser: httpx2.Client) -> Iterator[httpx2.Response]:
    """Give an answer of every kind that a browser gets."""
    yield browser.get("/")
    yield browser.get("/?state=nonsense")
    yield browser.get("/nothing")
    yield browser.get("/nothing", headers={"Accept": "*/*"})
    yield browser.get("/fragments/studies")
    yield browser.get("/static/000000000000/style.css")
    yield browser.get("/sign-in?next=/new")
    yield browser.post("/workers")
    yield browser.post("/new", data={"spec": "x" * 2**20})
    browser.cookies.clear()
    yield browser.get("/")
    yield browser.get("/sign-in")
    yield browser.get("/nothing", headers={"Accept": "*/*"})
    yield signed_in(browser, "wrong")
    yield signed_in(browser)


def test_every_answer_to_a_browser_is_guarded_and_none_is_kept(browser: httpx2.Client) -> None:
    for answer in answers(browser):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
