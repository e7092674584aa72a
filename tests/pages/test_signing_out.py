"""Whoever signs out in one tab is told so in all others, which ask for nothing more."""

import pytest
from playwright.sync_api import expect

from tests.pages.browsing import Windows
from tests.pages.test_live import asked
from tests.pages.watched import WATCHED, follow
from trimtab.client import Client

STUDY = f"/studies/{WATCHED}"


@pytest.mark.parametrize(
    ("path", "held"), [("/", "/fragments/"), (STUDY, f"{STUDY}/events"), (f"{STUDY}/trials/0", "/trials/0/logs")]
)
def test_a_page_says_that_its_reader_has_signed_out_in_another_tab_and_asks_for_nothing_more(
    windows: Windows, client: Client, path: str, held: str
) -> None:
    windows.guard.expect("answered with 401")
    with follow(client, guard=windows.guard) as study:
        study.report(study.ask(), 1, 0.5)
        page = windows.open("/workers")
        page.clock.install()
        # It has no answer as long as the page asks for it.
        page.route(lambda url: held in url, lambda _: None)
        with page.expect_request(lambda request: held in request.url):
            page.goto(path)
            page.clock.run_for(5000)
        other = page.context.new_page()
        other.goto("/")

        with page.expect_event("requestfailed", lambda request: held in request.url):
            other.get_by_role("button", name="Sign out").click()

        line = page.locator("#connection")
        expect(line).to_contain_text("You are signed out")
        expect(line.get_by_role("link", name="Sign in again")).to_be_visible()
        requests = asked(page, "")
        page.clock.run_for(60_000)
        assert requests == []


def test_a_page_believes_no_other_one_that_its_reader_has_signed_out(windows: Windows) -> None:
    page = windows.open("/workers")
    other = page.context.new_page()
    other.goto("/workers")

    with page.expect_response("**/v1/version"):
        other.evaluate("new BroadcastChannel('trimtab-sign-in').postMessage(null)")

    expect(page.locator("#connection")).to_be_hidden()
