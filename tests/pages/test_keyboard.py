from playwright.sync_api import Locator, Page, expect

from tests.pages.browsing import Windows
from tests.pages.trained import Trained

MOST = 60
"""Keys that anybody wants to press to get somewhere."""


def go(page: Page, target: Locator, key: str = "Enter") -> None:
    """Reach something by the tabulator alone, and press a key on it."""
    for _ in range(MOST):
        page.keyboard.press("Tab")
        if target.evaluate("(element) => element === document.activeElement"):
            page.keyboard.press(key)
            return
    raise AssertionError(f"{target} is not reached by {MOST} keys")


def test_the_keyboard_alone_leads_from_the_studies_to_a_trial(windows: Windows, trained: Trained) -> None:
    page = windows.open("/")

    go(page, page.get_by_role("link", name=trained.name, exact=True))
    expect(page.get_by_role("heading", level=1)).to_contain_text(trained.name)
    go(page, page.get_by_role("link", name="Trials", exact=True))
    expect(page).to_have_url(f"{windows.people.url}/studies/{trained.name}/trials")
    go(page, page.get_by_role("main").get_by_role("link", name="11", exact=True))

    expect(page).to_have_url(f"{windows.people.url}/studies/{trained.name}/trials/11")


def test_the_keyboard_alone_signs_out(windows: Windows) -> None:
    page = windows.open("/")

    go(page, page.get_by_role("button", name="Sign out"))

    expect(page.get_by_label("Token")).to_be_focused()
