"""Pages stay alive while somebody looks, ask for nothing while nobody does, and catch up."""

from playwright.sync_api import Page, Request, expect

from tests.e2e.running import wait_for
from tests.pages.browsing import Windows
from tests.pages.watched import WATCHED, Followed, follow
from trimtab.client import Client

# Headless pages are always looked at; whether this one is, is said here.
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"
UNSEEN = "Object.defineProperty(document, 'hidden', { get: () => globalThis.isUnseen ?? false });"
HEAR = "globalThis.heard = []; document.addEventListener('trimtab:trial', ({ detail }) => heard.push(detail));"
ENDED = "heard.filter(({ state }) => state === 'complete').map(({ number }) => number)"


def turn(page: Page, *, is_unseen: bool) -> None:
    """Look away from a page, or look at it again."""
    page.evaluate(f"globalThis.isUnseen = {str(is_unseen).lower()}; {LOOK}")


def asked(page: Page, part: str) -> list[str]:
    """The requests from now on whose address has a part."""
    found: list[str] = []

    def note(request: Request) -> None:
        if part in request.url:
            found.append(request.url)

    page.on("request", note)
    return found


def complete(study: Followed) -> int:
    lease = study.ask()
    study.complete(lease, 0.5)
    return lease.trial


def test_a_study_comes_into_the_list_and_what_had_the_focus_keeps_it(windows: Windows, client: Client) -> None:
    with follow(client, guard=windows.guard):
        page = windows.open("/")
        old = page.get_by_role("link", name=WATCHED, exact=True)
        new = page.get_by_role("link", name="come-lately", exact=True)
        old.focus()

        with follow(client, "come-lately"):
            expect(new).to_be_visible()

        expect(new).to_have_count(0)
        expect(old).to_be_focused()


def test_a_list_that_nobody_looks_at_asks_for_nothing_and_catches_up(windows: Windows, client: Client) -> None:
    page = windows.open("/")
    page.clock.install()
    page.add_init_script(UNSEEN)
    page.reload()
    turn(page, is_unseen=True)
    requests = asked(page, "/fragments/")
    page.clock.run_for(60_000)
    assert requests == []

    with follow(client, "meanwhile", guard=windows.guard):
        turn(page, is_unseen=False)

        expect(page.get_by_role("link", name="meanwhile", exact=True)).to_be_visible()


def test_a_study_that_nobody_looks_at_holds_no_connection_and_catches_up(windows: Windows, client: Client) -> None:
    with follow(client, guard=windows.guard) as study:
        page = windows.open(f"/studies/{WATCHED}")
        page.clock.install()
        page.add_init_script(UNSEEN + HEAR)
        page.reload()
        first = complete(study)
        wait_for(lambda: page.evaluate(ENDED) == [first])
        turn(page, is_unseen=True)
        with page.expect_event("requestfailed", lambda request: request.url.endswith("/events")):
            page.clock.run_for(11_000)
        missed = [complete(study), complete(study)]

        turn(page, is_unseen=False)

        wait_for(lambda: page.evaluate(ENDED) == [first, *missed])
