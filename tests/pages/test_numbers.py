"""Figures as scripts write them: as the service does; times to the second where seconds count."""

import re

import pytest
from playwright.sync_api import Page, expect

from service.web import words
from tests.pages.browsing import Windows
from tests.pages.trained import Trained
from tests.pages.watched import follow
from trimtab.client import Client

FIGURES = [0.0, 0.02221, 0.1, 1e-7, 999.96, 9261.0, 9999.6, 162_634.0, -120_000.0, 1.23456e12]
IMPORTED = "import(document.querySelector('script[src$=\"/study.js\"]').src.replace('study.js', 'numbers.js'))"


@pytest.fixture
def page(windows: Windows, trained: Trained) -> Page:
    return windows.open(f"/studies/{trained.name}")


def test_scripts_write_figures_as_the_service_does(page: Page) -> None:
    written = page.evaluate(f"(figures) => {IMPORTED}.then(({{ number }}) => figures.map(number))", FIGURES)

    assert written == [words.number(figure) for figure in FIGURES]


@pytest.mark.parametrize(
    ("seconds", "size", "name"), [(50, 1, "s"), (119, 1, "s"), (150, 60, "min"), (8000, 3600, "h"), (10**6, 86400, "d")]
)
def test_an_axis_of_time_is_in_a_unit_of_which_it_has_two(page: Page, seconds: int, size: int, name: str) -> None:
    unit = page.evaluate(f"(seconds) => {IMPORTED}.then(({{ unitOfTime }}) => unitOfTime(seconds))", seconds)

    assert unit == {"size": size, "name": name}


def test_a_lease_holds_until_a_second(windows: Windows, client: Client) -> None:
    with follow(client, "leased", guard=windows.guard) as study:
        lease = study.ask()

        page = windows.open(f"/studies/leased/trials/{lease.trial}")

        expect(page.locator(".attempts .note time")).to_have_text(re.compile(r"\d+:\d\d:\d\d"))
