"""Figures in a browser: drawn when they come into view, under the same strict policy, with nothing read as markup."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.e2e.running import wait_for
from tests.pages.accessibility import severe
from tests.pages.browsing import DESKTOP, PHONE, Windows
from tests.pages.watched import METRIC, Followed, follow
from trimtab.client import Client

HOSTILE = ("<b>bold</b>", "<a href='http://elsewhere.example/'>link</a>", "\u202egnihton", "&lt;i&gt;")
SPACE = {
    "momentum": {"type": "float", "low": 0.5, "high": 0.999, "scale": "reverse_log"},
    "activation": {"type": "categorical", "choices": [*HOSTILE, "x" * 500]},
}
OBJECTIVES = [{"metric": METRIC}, {"metric": "training_error"}]
HEAR = """document.addEventListener("trimtab:trial", ({ detail }) => {
    globalThis.hasHeard ||= detail.state === "complete";
})"""
TITLES = (
    "What mattered",
    "Each parameter",
    "Two parameters",
    "All parameters together",
    "Pareto front",
    "Other pruners",
)


@dataclass(frozen=True)
class Drawn:
    """A study of which everything can be drawn."""

    study: Followed

    def figure(self, page: Page, title: str) -> Locator:
        """Return a figure, brought into view."""
        found = page.get_by_role("figure", name=title)
        found.scroll_into_view_if_needed()
        return found


@pytest.fixture(scope="module")
def drawn(client: Client) -> Iterator[Drawn]:
    with follow(client, "drawn", space=SPACE, objectives=OBJECTIVES, budget={"trials": 40}) as study:
        for place in range(12):
            lease = study.ask()
            study.report(lease, 1, 0.5 + place / 100)
            study.complete(lease, (place % 5) / 10)
        yield Drawn(study)


@pytest.fixture(scope="module")
def many(client: Client) -> Iterator[Drawn]:
    space = {f"parameter_{place}": {"type": "float", "low": 0.0, "high": 1.0} for place in range(9)}
    with follow(client, "many", space=space) as study:
        for place in range(4):
            study.complete(study.ask(), place / 10)
        yield Drawn(study)


@pytest.fixture
def page(windows: Windows, drawn: Drawn) -> Page:
    return windows.open(f"/studies/{drawn.study.name}")


def test_plotly_is_not_loaded_before_a_figure_is_seen(page: Page, drawn: Drawn) -> None:
    assert page.evaluate("typeof Plotly") == "undefined"

    expect(drawn.figure(page, "What mattered").locator(".main-svg").first).to_be_visible()

    assert page.evaluate("typeof Plotly") == "object"


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_figure_is_drawn_and_can_be_read(windows: Windows, drawn: Drawn, colours: str) -> None:
    page = windows.open(f"/studies/{drawn.study.name}", color_scheme=colours)

    for title in TITLES:
        expect(drawn.figure(page, title).locator(".main-svg").first).to_be_visible()

    assert severe(page) == []
    text = page.evaluate("getComputedStyle(document.querySelector('.drawing .xtick text')).fill")
    assert text == page.evaluate("getComputedStyle(document.body).color")


def test_a_figure_fits_a_phone_by_scrolling_within_its_card(windows: Windows, drawn: Drawn) -> None:
    page = windows.open(f"/studies/{drawn.study.name}", viewport=PHONE)

    expect(drawn.figure(page, "All parameters together").locator(".main-svg").first).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP])
def test_no_panel_of_a_picture_lies_out_of_sight(windows: Windows, many: Drawn, viewport: ViewportSize) -> None:
    page = windows.open(f"/studies/{many.study.name}", viewport=viewport)
    figure = many.figure(page, "Each parameter")

    expect(figure.locator("[class^=g-x] text")).to_have_count(8)

    frame = figure.locator(".scroll").evaluate("(each) => [each.scrollWidth, each.clientWidth]")
    assert frame[0] == frame[1]


@pytest.mark.parametrize("title", ["Each parameter", "Two parameters", "All parameters together"])
def test_values_of_strangers_are_shown_letter_by_letter(page: Page, drawn: Drawn, title: str) -> None:
    figure = drawn.figure(page, title)
    expect(figure.locator(".main-svg").first).to_be_visible()

    words = figure.locator(".drawing svg").evaluate_all("all => all.map((each) => each.textContent).join(' ')")

    assert "<b>bold</b>" in words
    assert "\\u202e" in words
    assert "\u202e" not in words
    assert figure.locator(".drawing a, .drawing tspan[style*=bold]").count() == 0


def test_the_same_is_there_as_a_table(page: Page, drawn: Drawn) -> None:
    figure = drawn.figure(page, "Each parameter")

    figure.get_by_text("As a table").click()

    expect(figure.get_by_role("rowheader", name="momentum")).to_be_visible()


def test_another_objective_can_be_chosen_by_the_keyboard(page: Page, drawn: Drawn) -> None:
    figure = drawn.figure(page, "Each parameter")
    choice = figure.get_by_role("combobox", name="Objective")
    choice.focus()

    choice.press("ArrowDown")

    expect(figure.locator(".ytitle")).to_have_text("training_error")
    expect(choice).to_be_focused()


def test_a_figure_is_drawn_again_when_another_trial_has_ended(windows: Windows, client: Client) -> None:
    with follow(client, "growing", guard=windows.guard, space=SPACE, objectives=OBJECTIVES) as study:
        for place in range(3):
            study.complete(study.ask(), place / 10)
        page = windows.open("/studies/growing")
        page.clock.install()
        page.reload()
        figure = Drawn(study).figure(page, "What mattered")
        expect(figure.locator("figcaption")).to_contain_text("there are 3")
        page.evaluate(HEAR)

        lease = study.ask()
        client.change_study("growing", state="stopped")
        study.complete(lease, 0.0)
        wait_for(lambda: page.evaluate("globalThis.hasHeard"))
        page.clock.run_for(11_000)

        expect(figure.locator("figcaption")).to_contain_text("there are 4")
