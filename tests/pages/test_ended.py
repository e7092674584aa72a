"""Pages of what has ended say when it is gone, and come alive when it goes on."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Response, Route, expect

from tests.e2e.running import wait_for
from tests.pages.browsing import Windows
from tests.pages.watched import Followed, follow
from trimtab.client import Client
from trimtab.states import TokenKind

NAME = "ended"
STUDY = f"/studies/{NAME}"
PAGES = [STUDY, f"{STUDY}/trials", f"{STUDY}/trials/0"]


@contextmanager
def ended(client: Client) -> Iterator[Followed]:
    """Have a complete study of one trial."""
    with follow(client, NAME, budget={"trials": 1}) as study:
        study.complete(study.ask(), 0.5)
        yield study


def opened(windows: Windows, path: str, kind: TokenKind = TokenKind.ADMIN) -> Page:
    """Open a page whose time passes when a test says so."""
    page = windows.open("/workers", kind)
    page.clock.install()
    page.goto(path)
    return page


def after_a_while(page: Page, is_so: Callable[[], bool]) -> None:
    """Let seconds pass until something is so."""

    def comes() -> bool:
        page.clock.run_for(1000)
        return is_so()

    wait_for(comes)


def says(page: Page, text: str) -> None:
    """Let seconds pass until a page says something of how things stand between it and the service."""
    line = page.locator("#connection")
    after_a_while(page, lambda: bool(re.search(text, line.text_content() or "")))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_what_has_ended_says_that_the_study_was_deleted(windows: Windows, client: Client, path: str) -> None:
    windows.guard.expect("answered with 404")
    with ended(client):
        page = opened(windows, path)

        client.delete_study(NAME)

        says(page, "This study was deleted")


def test_a_page_of_what_has_ended_takes_no_other_study_of_its_name_for_it(windows: Windows, client: Client) -> None:
    windows.guard.expect("answered with 404")
    with ended(client):
        page = opened(windows, STUDY)
        looks: list[Response] = []
        page.on("response", lambda response: looks.append(response) if response.url.endswith(f"/v1{STUDY}") else None)
        after_a_while(page, lambda: bool(looks))
        client.delete_study(NAME)

        with ended(client):
            says(page, "This study was deleted")


def test_a_page_of_what_has_ended_says_that_its_token_was_revoked(windows: Windows, client: Client) -> None:
    windows.guard.expect("answered with 401")
    with ended(client):
        made = client.make_token(TokenKind.READER, "leaves")
        page = windows.open(STUDY, None)
        page.get_by_label("Token").fill(made.token)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text(NAME)
        page.clock.install()
        page.reload()

        client.revoke_token(made.id)

        says(page, "You are signed out")


def test_a_page_of_what_has_ended_says_that_the_service_is_away(windows: Windows, client: Client) -> None:
    windows.guard.expect("failed with net::ERR")
    with ended(client):
        page = opened(windows, PAGES[-1])

        page.route("**/v1/**", lambda route: route.abort())
        says(page, "The connection to the service is lost")
        page.unroute("**/v1/**")

        says(page, "^$")


@pytest.mark.parametrize("path", PAGES[:2])
def test_a_study_that_goes_on_comes_alive_again(windows: Windows, client: Client, path: str) -> None:
    with ended(client) as study:
        page = opened(windows, path)
        client.change_study(NAME, budget=2)

        study.report(study.ask(), 1, 0.25)

        state = page.locator(".state.running").first
        after_a_while(page, state.is_visible)
        page.close()  # Before its study is deleted, of which it would ask for more.


def test_a_study_that_goes_on_before_its_page_listens_is_shown_as_it_is(windows: Windows, client: Client) -> None:
    with ended(client):
        page = windows.open("/workers")

        def go_on(route: Route) -> None:
            client.change_study(NAME, budget=2)
            route.continue_()

        page.route("**/events", go_on, times=1)
        page.goto(STUDY)

        expect(page.locator("[data-fact=state]")).to_have_text("running")
        page.close()
