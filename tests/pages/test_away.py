"""What an open page says when what it shows is no longer there; and that it comes back by itself."""

import re
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.running import serving
from tests.pages.browsing import People, Windows, windows
from tests.pages.watched import WATCHED, follow
from trimtab.client import Client
from trimtab.states import TokenKind


def line(page: Page) -> Locator:
    """Where a page says how things stand between it and the service."""
    return page.locator("#connection")


@pytest.mark.parametrize("path", [f"/studies/{WATCHED}", "/"])
def test_a_page_says_that_the_service_is_away_and_comes_back_by_itself(
    browser: Browser, pages_database_url: str, client: Client, path: str
) -> None:
    with follow(client), ExitStack() as service:
        url = service.enter_context(serving(pages_database_url))
        with windows(People(browser, url, client)) as opened:
            opened.guard.expect("failed with net::ERR")
            page = opened.open(path)
            expect(line(page)).to_be_hidden()

            service.close()
            expect(line(page)).to_have_text("The connection to the service is lost. Trying again …")

            with serving(pages_database_url, port=urlsplit(url).port or 0):
                expect(line(page)).to_be_hidden()


def test_a_page_says_that_its_study_was_deleted(windows: Windows, client: Client) -> None:
    windows.guard.expect("answered with 404", "answered with 410")
    with follow(client, "deleted"):
        page = windows.open("/studies/deleted")

        client.delete_study("deleted")

        # Whichever part of the page finds it out first.
        expect(line(page)).to_contain_text(re.compile("This study was deleted|What this page shows is no longer there"))
        expect(line(page).get_by_role("link", name="All studies")).to_be_visible()


def test_a_page_says_that_its_token_was_revoked(windows: Windows, client: Client) -> None:
    windows.guard.expect("answered with 401")
    with follow(client):
        page = windows.open(f"/studies/{WATCHED}", None)
        made = client.make_token(TokenKind.READER, "guest")
        page.get_by_label("Token").fill(made.token)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text(WATCHED)

        client.revoke_token(made.id)

        expect(line(page)).to_contain_text("You are signed out")
        expect(line(page).get_by_role("link", name="Sign in again")).to_be_visible()
