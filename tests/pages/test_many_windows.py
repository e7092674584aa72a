"""By HTTP/1.1 a browser has six connections to a host, for all of its pages: more pages than that are alive, too."""

from playwright.sync_api import Page, expect

from service.web.assets import url
from tests.e2e.running import wait_for
from tests.pages.browsing import Windows
from tests.pages.watched import WATCHED, follow
from trimtab.client import Client

MANY = 8
TAKE = "async (address) => { globalThis.place = new (await import(address)).Place(); place.take(() => {}); }"


def many(windows: Windows, path: str) -> list[Page]:
    """Open a page in many windows of one browser. Headless, all of them are looked at."""
    pages = [windows.open(path)]
    for _ in range(MANY - 1):
        pages.append(pages[0].context.new_page())
        pages[-1].goto(path)
    return pages


def test_a_study_is_watched_in_more_windows_than_a_browser_has_connections(windows: Windows, client: Client) -> None:
    with follow(client, guard=windows.guard) as study:
        pages = many(windows, f"/studies/{WATCHED}")
        study.complete(study.ask(), 0.5)

        for page in pages:
            expect(page.locator("[data-count=complete]").first).to_have_text("1")
            expect(page.locator("#connection")).to_be_hidden()


def test_a_trial_is_followed_in_more_windows_than_a_browser_has_connections(windows: Windows, client: Client) -> None:
    with follow(client, guard=windows.guard) as study:
        lease = study.ask()
        pages = many(windows, f"/studies/{WATCHED}/trials/{lease.trial}")
        client.keep_lines(lease, ["written late"], first=0)

        for page in pages:
            expect(page.get_by_text("written late")).to_be_visible()
        study.complete(lease, 0.5)
        for page in pages:
            expect(page.locator("#trial")).to_have_attribute("data-state", "complete")


def test_pages_that_were_left_take_no_connection_from_others(windows: Windows) -> None:
    page = windows.open()
    page.evaluate(TAKE, url("places.js"))
    other = page.context.new_page()
    for _ in range(MANY):
        other.goto("/workers")
        other.evaluate(TAKE, url("places.js"))

    wait_for(lambda: not page.evaluate("place.isCrowded"))
