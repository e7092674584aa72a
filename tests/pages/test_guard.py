"""What watches over every test here does see what it is there for."""

import pytest
from playwright.sync_api import Page

from tests.e2e.running import wait_for
from tests.pages.accessibility import severe
from tests.pages.browsing import Windows


@pytest.mark.parametrize(
    ("script", "seen"),
    [
        ("() => console.error('wrong')", "the console says: wrong"),
        ("() => setTimeout(() => { throw new Error('wrong') })", "a script raised"),
        ("() => fetch('/nowhere').catch(() => 0)", "answered with 404"),
        ("() => fetch('https://elsewhere.invalid/').catch(() => 0)", "the console says"),
        ("() => { document.body.innerHTML = '<p style=\"color: red\">' }", "Content Security Policy"),
    ],
)
def test_what_no_page_may_do_is_seen(windows: Windows, script: str, seen: str) -> None:
    page = windows.open("/")
    assert windows.guard.unexpected == []

    page.evaluate(script)

    wait_until_seen(windows, page, seen)
    windows.guard.expect("")


def test_another_host_is_not_asked_unseen(windows: Windows) -> None:
    page = windows.open("about:blank", None)

    page.set_content("<img src='http://127.0.0.1:9/x.png' alt='x'>")

    wait_until_seen(windows, page, "another host")
    windows.guard.expect("")


def wait_until_seen(windows: Windows, page: Page, words: str) -> None:
    """Wait until a fault is noted; browsers tell of most a moment later."""

    def look() -> bool:
        page.evaluate("0")
        return any(words in fault for fault in windows.guard.faults)

    wait_for(look)


def test_what_nobody_can_read_is_seen(windows: Windows) -> None:
    page = windows.open("about:blank", None)

    page.set_content("<html lang=en><title>x</title><main><h1>x</h1><input><p style='color: #ccc'>pale</p></main>")

    assert {finding.partition(":")[0] for finding in severe(page)} == {"label", "color-contrast"}
