import re

import pytest
from playwright.sync_api import expect

from tests.e2e.running import TOKEN
from tests.pages.accessibility import severe
from tests.pages.browsing import Windows
from tests.pages.trained import Trained
from trimtab.client import Client
from trimtab.states import TokenKind


@pytest.mark.parametrize(("kind", "may_create"), [(TokenKind.ADMIN, 1), (TokenKind.USER, 1), (TokenKind.READER, 0)])
def test_whoever_signs_in_sees_the_studies_and_a_reader_no_way_to_change_them(
    windows: Windows, client: Client, trained: Trained, kind: TokenKind, may_create: int
) -> None:
    page = windows.open("/", None)

    page.get_by_label("Token").fill(client.make_token(kind, "somebody").token)
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", name="Studies")).to_be_visible()
    expect(page.get_by_role("link", name=trained.name, exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="New study")).to_have_count(may_create)


def test_a_worker_is_told_why_it_sees_no_page(windows: Windows, client: Client) -> None:
    windows.guard.expect("answered with 403")
    page = windows.open("/", None)

    page.get_by_label("Token").fill(client.make_token(TokenKind.WORKER, "gpu0").token)
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_label("Token")).to_have_accessible_description(re.compile("This token is a worker's"))


def test_a_wrong_token_is_said_at_its_field_and_the_right_one_leads_on(windows: Windows) -> None:
    windows.guard.expect("answered with 401")
    page = windows.open("/?state=complete", None)

    page.get_by_label("Token").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Token")).to_have_accessible_description(re.compile("This is no valid token"))
    assert severe(page) == []
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")

    expect(page).to_have_url(windows.people.url + "/?state=complete")


@pytest.mark.parametrize(("kind", "title"), [(TokenKind.READER, "Workers"), (None, "Sign in")])
def test_a_link_of_another_site_leads_to_the_page_of_who_has_signed_in(
    windows: Windows, kind: TokenKind | None, title: str
) -> None:
    windows.guard.expect("another host was asked: http://elsewhere.test/")
    page = windows.open("/sign-in", kind)
    link = f'<a href="{windows.people.url}/workers">Look</a>'
    page.route("http://elsewhere.test/", lambda route: route.fulfill(content_type="text/html", body=link))
    page.goto("http://elsewhere.test/")

    page.get_by_role("link", name="Look").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_who_goes_to_the_sign_in_with_a_session_is_led_on(windows: Windows) -> None:
    page = windows.open("/sign-in?next=/workers")

    expect(page.get_by_role("heading", level=1)).to_have_text("Workers")
