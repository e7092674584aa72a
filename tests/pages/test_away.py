"""What an open page says when what it shows is no longer there; and that it comes back by itself."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Locator, Page, expect

from tests.conftest import fresh_database
from tests.e2e.running import TOKEN, serving, wait_for
from tests.pages.accessibility import severe
from tests.pages.browsing import PHONE, People, Windows, freeze, windows
from tests.pages.test_live import LOOK
from tests.pages.watched import WATCHED, follow
from tests.ports import held_port
from trimtab.client import Client
from trimtab.states import TokenKind


def line(page: Page) -> Locator:
    """Where a page says how things stand between it and the service."""
    return page.locator("#connection")


@pytest.mark.parametrize("path", [f"/studies/{WATCHED}", "/"])
def test_a_page_says_that_the_service_is_away_and_comes_back_by_itself(
    browser: Browser, pages_database_url: str, client: Client, path: str
) -> None:
    with follow(client), held_port() as port, ExitStack() as service:
        url = service.enter_context(serving(pages_database_url, port=port))
        with windows(People(browser, url, client)) as opened:
            # What it was asked last it refuses as it goes down.
            opened.guard.expect("failed with net::ERR", "answered with 503")
            page = opened.open(path)
            expect(line(page)).to_be_hidden()

            service.close()
            expect(line(page)).to_have_text("The connection to the service is lost. Trying again …")

            with serving(pages_database_url, port=port):
                expect(line(page)).to_be_hidden()


PICTURES = re.compile("/studies/[^/]+/(curves|progress|plane|figures/.*)$")


def test_pictures_that_could_not_be_read_come_back_by_themselves(windows: Windows, client: Client) -> None:
    windows.guard.expect("answered with 502", "answered with 503")
    with follow(client, guard=windows.guard) as study:
        lease = study.ask()
        study.report(lease, 1, 0.5)
        study.complete(lease, 0.5)
        page = windows.open("/")
        # As a proxy says it, and as the service does.
        statuses = iter([502, 503] * 100)
        page.route(PICTURES, lambda route: route.fulfill(status=next(statuses)))
        page.goto(f"/studies/{WATCHED}")
        expect(line(page)).to_have_text("The service cannot answer now. Trying again …")
        page.locator("[data-figure]").first.scroll_into_view_if_needed()
        expect(page.locator("figcaption").first).to_have_text("The service is busy, or away. Trying again …")
        expect(line(page)).to_be_in_viewport()

        page.unroute(PICTURES)

        expect(line(page)).to_be_hidden()
        expect(page.locator("[data-curves] [data-picture] svg").first).to_be_visible()
        expect(page.locator("[data-progress] [data-picture] svg").first).to_be_visible()
        expect(page.locator("figcaption").first).not_to_contain_text("Trying again")
        page.close()


ASKED = """async () => {
    const here = document.querySelector("script[src*=new_study]").src;
    const [{ load }, { atMostEvery }] = await Promise.all(
        ["loading.js", "pace.js"].map((name) => import(new URL(name, here))),
    );
    window.asked = 0;
    window.fetch = async () => {
        window.asked += 1;
        return new Response("", { status: 503, headers: { "Retry-After": "20" } });
    };
    const soon = atMostEvery(15, () => load("/part", () => {}, soon));
    setInterval(soon, 100);
}"""


def test_what_happens_has_no_page_ask_before_the_service_said_to(windows: Windows) -> None:
    page = windows.open("/new")
    freeze(page)
    page.evaluate(ASKED)

    asked = []
    for _ in range(3):
        page.clock.run_for(10_000)
        asked.append(page.evaluate("() => window.asked"))

    assert asked == [1, 1, 2]


REFUSE = """
    globalThis.asked = {};
    globalThis.fetch = async (source) => {
        const { pathname } = new URL(source, location.href);
        asked[pathname] = (asked[pathname] ?? 0) + 1;
        return new Response("", { status: 503, headers: { "Retry-After": "1000" } });
    };
"""
# What runs on the page that says that the service cannot answer.
AGAIN = """() => {
    document.head.insertAdjacentHTML("beforeend", '<meta name="trimtab-again" content="1">');
    import(new URL("refusal.js", document.querySelector("script[src*=times]").src));
}"""


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/", {"", "studies"}),
        (f"/studies/{WATCHED}", {"events", "curves", "progress", "plane", "replay"}),
        (f"/studies/{WATCHED}/trials/0", {"events", "0", "reports", "figures", "diagnosis", "logs"}),
    ],
)
def test_no_part_of_a_page_asks_again_before_the_service_said_to_also_when_somebody_looks_again(
    windows: Windows, client: Client, path: str, parts: set[str]
) -> None:
    with follow(client, guard=windows.guard) as study:
        study.report(study.ask(), 1, 0.5)
        page = windows.open("/workers")
        page.clock.install()
        page.add_init_script(REFUSE)
        page.goto(path)
        if path == "/":
            page.evaluate(AGAIN)
        page.locator("main").locator("section, figure, table, p").last.scroll_into_view_if_needed()

        def asked(seconds: int) -> dict[str, int]:
            """How often each part has asked so much later."""
            for _ in range(2):
                page.clock.run_for(seconds * 500)
                page.evaluate(LOOK)
            return {asked.split("/")[-1]: times for asked, times in page.evaluate("asked").items()}

        wait_for(lambda: parts <= asked(1).keys())
        soon, later = asked(600), asked(2000)

        assert set(soon.values()) == {1}
        assert min(later.values()) >= 2


@contextmanager
def away(postgres: sa.Engine, url: str) -> Iterator[None]:
    """Take a database from everybody who works with it, until the end of the block."""
    name = sa.make_url(url).database
    ended = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'"
    with postgres.connect() as connection:
        for statement in (f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", ended):
            connection.execute(sa.text(statement))
        try:
            yield
        finally:
            connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))


@dataclass(frozen=True)
class Apart:
    """A service with a database that a test may take from it."""

    windows: Windows
    client: Client
    away: Callable[[], AbstractContextManager[None]]


@pytest.fixture
def apart(browser: Browser, postgres: sa.Engine, template: str) -> Iterator[Apart]:
    with ExitStack() as closing:
        database = closing.enter_context(fresh_database(postgres, template))
        url = closing.enter_context(serving(database))
        client = closing.enter_context(Client(url, TOKEN))
        opened = closing.enter_context(windows(People(browser, url, client)))
        opened.guard.expect("answered with 503")
        yield Apart(opened, client, partial(away, postgres, database))


def test_a_page_that_finds_no_database_says_so_and_comes_back_by_itself(apart: Apart) -> None:
    pages = [apart.windows.open("/", java_script_enabled=has_script) for has_script in (True, False)]

    with apart.away():
        for page in pages:
            page.goto("/?state=complete")
            expect(page.get_by_role("heading", level=1)).to_have_text("The service cannot answer now")
        assert severe(pages[0]) == []

    for page in pages:
        expect(page.get_by_role("heading", level=1)).to_have_text("Studies")
        expect(page).to_have_url(f"{apart.windows.people.url}/?state=complete")


def test_an_open_page_that_loses_the_database_says_so_and_goes_on_by_itself(
    apart: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.feeds.PATIENCE_SECONDS", 2.0)
    with follow(apart.client) as study:
        page = apart.windows.open("/workers")
        with page.expect_response(re.compile("/events$")):
            page.goto(f"/studies/{WATCHED}")

        with apart.away():
            expect(line(page)).to_have_text("The service cannot answer now. Trying again …")
        study.complete(study.ask(), 0.5)

        expect(line(page)).to_be_hidden()
        expect(page.locator("[data-count=complete]")).to_have_text("1")
        page.close()


def test_what_is_no_page_is_said_on_one(windows: Windows) -> None:
    windows.guard.expect("answered with 404")

    page = windows.open("/nothing", viewport=PHONE, color_scheme="dark")

    expect(page.get_by_role("heading", level=1)).to_have_text("This page cannot be shown")
    assert severe(page) == []
    page.get_by_role("link", name="All studies").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Studies")


def test_a_page_says_that_its_study_was_deleted(windows: Windows, client: Client) -> None:
    windows.guard.expect("answered with 404", "answered with 410")
    with follow(client, "deleted", guard=windows.guard):
        page = windows.open("/studies/deleted")

        client.delete_study("deleted")

        # Whichever part of the page finds it out first.
        expect(line(page)).to_contain_text("This study was deleted")
        expect(line(page).get_by_role("link", name="All studies")).to_be_visible()
        assert severe(page) == []


def test_a_page_says_that_its_token_was_revoked(windows: Windows, client: Client) -> None:
    windows.guard.expect("answered with 401")
    with follow(client, guard=windows.guard):
        page = windows.open(f"/studies/{WATCHED}", None)
        made = client.make_token(TokenKind.READER, "guest")
        page.get_by_label("Token").fill(made.token)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text(WATCHED)

        client.revoke_token(made.id)

        expect(line(page)).to_contain_text("You are signed out")
        expect(line(page).get_by_role("link", name="Sign in again")).to_be_visible()
