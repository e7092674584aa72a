"""What holds on every page: whoever reads it, with whatever, finds its way."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.pages.accessibility import severe
from tests.pages.browsing import PHONE, Windows
from tests.pages.places import PLACES, open_place
from tests.pages.trained import Trained

Open = Callable[..., Page]

BRIGHTNESS = """() => {
    const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number);
    return (red + green + blue) / 3 / 255;
}"""
WIDEST = "() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"


@pytest.fixture(params=PLACES)
def open_page(request: pytest.FixtureRequest, windows: Windows, trained: Trained) -> Open:
    """Opens each of the pages."""
    return lambda **options: open_place(windows, request.param, trained, **options)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_everybody_can_read_it(open_page: Open, colours: str) -> None:
    page = open_page(color_scheme=colours)

    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert severe(page) == []
    assert (page.evaluate(BRIGHTNESS) > 0.5) == (colours == "light")


def test_it_fits_a_phone(open_page: Open) -> None:
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)

    assert page.evaluate(WIDEST) <= PHONE["width"]
    assert severe(page) == []


def test_the_keyboard_skips_to_the_content_and_sees_where_it_is(open_page: Open) -> None:
    page = open_page()

    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate("() => document.querySelector('main').contains(document.activeElement)")
    assert page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") == "solid"
