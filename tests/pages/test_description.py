import pytest
from playwright.sync_api import expect

from tests.pages.browsing import PHONE, Windows

DARK = "() => document.documentElement.classList.contains('dark-mode')"


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_who_has_not_signed_in_reads_the_description_of_the_api(windows: Windows, colours: str) -> None:
    page = windows.open("/docs", None, color_scheme=colours)

    page.locator("#operations-studies-create_study").get_by_role("button").first.click()

    expect(page.get_by_text("Create a study. The same name and spec again")).to_be_visible()
    assert page.evaluate(DARK) == (colours == "dark")


def test_it_fits_a_phone(windows: Windows) -> None:
    page = windows.open("/docs", None, viewport=PHONE, has_touch=True, is_mobile=True)

    expect(page.get_by_role("heading", name="studies")).to_be_visible()

    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
