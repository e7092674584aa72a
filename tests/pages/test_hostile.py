"""Words of strangers are text, on every page and in every picture."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.pages import hostile
from tests.pages.browsing import Windows
from tests.pages.places import PLACES, open_place
from tests.pages.trained import Trained
from tests.pages.watched import follow
from trimtab.client import Client

PLANTED = """() => [...document.querySelectorAll(
    "script:not([src], [type='application/json']), [onerror], b, [href*='elsewhere'], [href^='javascript']",
)].map((each) => each.outerHTML)"""


@pytest.fixture(scope="module")
def hostile_study(client: Client) -> Iterator[Trained]:
    with follow(client, "hostile", **hostile.CHANGES) as study:
        yield hostile.run(study)


@pytest.mark.parametrize("place", PLACES)
def test_no_word_becomes_a_part_of_the_page(windows: Windows, hostile_study: Trained, place: str) -> None:
    page = open_place(windows, place, hostile_study)

    page.evaluate("() => window.scrollTo(0, document.body.scrollHeight)")

    assert page.evaluate(PLANTED) == []


def test_a_tag_is_shown_as_it_was_written_and_turns_nothing_around(windows: Windows, hostile_study: Trained) -> None:
    page = windows.open("/")

    tag = page.get_by_text(hostile.TAG).first
    expect(tag).to_be_visible()
    assert tag.evaluate("(element) => getComputedStyle(element).unicodeBidi") == "isolate"


@pytest.mark.parametrize("part", ["", "/trials", "/analytics"])
def test_no_word_becomes_a_part_of_optunas_dashboard(windows: Windows, hostile_study: Trained, part: str) -> None:
    page = windows.open(f"/studies/{hostile_study.name}/optuna")
    page.goto(page.url + part)

    expect(page.get_by_text("words").first).to_be_attached()

    assert page.evaluate(PLANTED) == []
