"""Learning curves in a browser: in whatever order is told of them, whatever they are called."""

import math
import re
import sys

from playwright.sync_api import Page, expect

from tests.pages.browsing import PHONE, Windows
from tests.pages.trained import TRIALS, Trained
from tests.pages.watched import METRIC, follow
from trimtab.client import Client

CURVES = "#curves [data-picture] > svg"
LONG = "the_validation_loss_of_the_ensemble_on_the_second_held_out_set_x"
OUTSIDE = """() => [...document.querySelectorAll(".picture svg text")].filter((text) => {
    const [one, whole] = [text, text.ownerSVGElement].map((each) => each.getBoundingClientRect());
    return one.left < whole.left || one.right > whole.right || one.top < whole.top || one.bottom > whole.bottom;
}).map((text) => text.textContent)"""

NOWHERE = """() => [...document.querySelectorAll(".picture svg *")].flatMap((each) => [...each.attributes])
    .filter((each) => /NaN|Infinity/.test(each.value)).map((each) => `${each.name}: ${each.value}`)"""


def tell(page: Page, kind: str, **detail: object) -> None:
    """Have a page hear of something."""
    page.evaluate("([kind, detail]) => document.dispatchEvent(new CustomEvent(kind, { detail }))", [kind, detail])


def test_a_report_that_comes_before_its_trial_is_drawn_and_so_is_the_trial(windows: Windows, trained: Trained) -> None:
    page = windows.open(f"/studies/{trained.name}")
    curves, running = page.locator(f"{CURVES} path.curve:not(.bound)"), page.locator(f"{CURVES} path.curve.running")
    expect(curves).to_have_count(TRIALS)

    tell(page, "trimtab:report", number=TRIALS, attempt=1, step=1, metrics={METRIC: 0.5}, verdict="continue")
    expect(running).to_have_count(1)
    tell(page, "trimtab:trial", number=TRIALS, state="running", attempts=1, values={})
    tell(page, "trimtab:report", number=TRIALS, attempt=1, step=2, metrics={METRIC: 0.25}, verdict="continue")

    expect(running).to_have_count(1)
    expect(curves).to_have_count(TRIALS + 1)
    expect(running).to_have_attribute("d", re.compile(r"^M.*L"))


def test_a_page_counts_a_trial_that_runs_and_draws_its_curve(windows: Windows, client: Client) -> None:
    with follow(client, "told", guard=windows.guard) as study:
        study.complete(study.ask(), 0.5)
        page = windows.open("/studies/told")
        expect(page.locator("[data-count=running]")).to_have_text("0")

        study.report(study.ask(), 1, 0.25)

        expect(page.locator("[data-count=running]")).to_have_text("1")
        expect(page.locator(f"{CURVES} path.curve.running")).to_have_count(1)
        page.close()  # Before its study is deleted, of which it would ask for more.


def test_without_a_report_there_is_no_picture_and_no_table_of_it(windows: Windows, client: Client) -> None:
    with follow(client, "silent", guard=windows.guard, budget={"trials": 1}) as study:
        client.tell(study.ask(), "error", message="there is no such data")

        page = windows.open("/studies/silent")

        expect(page.locator("#curves [data-picture]")).to_contain_text("No trial has reported anything")
        expect(page.get_by_text("The curves as a table")).to_be_hidden()
        page.close()


def test_whatever_is_written_in_a_picture_is_within_it_on_a_phone(windows: Windows, client: Client) -> None:
    with follow(client, "named", guard=windows.guard, objectives=[{"metric": LONG}]) as study:
        for value in (1.2345678e7, 2.3456789e7):
            lease = study.ask()
            for step in (1, 2):
                client.report(lease, step=step, metrics={LONG: value / step})
            client.tell(lease, "complete", metrics={LONG: value / 2})
        page = windows.open("/studies/named", viewport=PHONE)
        expect(page.locator("#curves svg .tick").first).to_be_visible()
        expect(page.locator("#progress svg .tick").first).to_be_visible()

        assert page.evaluate(OUTSIDE) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.close()


def test_values_as_large_as_numbers_get_are_drawn(windows: Windows, client: Client) -> None:
    with follow(client, "vast", guard=windows.guard) as study:
        for error in (sys.float_info.max, -sys.float_info.max, 0.5):
            lease = study.ask()
            study.report(lease, 1, error)
            study.report(lease, 2, error / 2)
            study.complete(lease, error)
        page = windows.open("/studies/vast")
        expect(page.locator(f"{CURVES} path.curve")).to_have_count(3)
        expect(page.locator("#progress path.steps.sampled")).to_have_count(2)

        assert page.evaluate(NOWHERE) == []
        page.close()


def test_where_nothing_that_was_reported_is_finite_it_says_so(windows: Windows, client: Client) -> None:
    with follow(client, "endless", guard=windows.guard) as study:
        study.report(study.ask(), 1, math.nan)

        page = windows.open("/studies/endless")

        expect(page.locator("#curves [data-picture]")).to_have_text(
            f"Nothing to draw: no {METRIC} that was reported is finite."
        )
        expect(page.get_by_text("The curves as a table")).to_be_visible()
        page.close()


def test_one_trial_is_a_point_of_the_best_so_far(windows: Windows, client: Client) -> None:
    with follow(client, "alone", guard=windows.guard) as study:
        page = windows.open("/studies/alone")
        expect(page.locator("#progress")).to_contain_text("Nothing to draw: no trial is complete")
        expect(page.get_by_text("The steps as a table")).to_be_hidden()
        study.complete(study.ask(), 0.5)

        page.reload()

        expect(page.locator("#progress circle.end")).to_have_count(2)
        expect(page.get_by_text("The steps as a table")).to_be_visible()
        page.close()
