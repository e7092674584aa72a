"""The table of trials and the page of one, while they run."""

import re

from playwright.sync_api import expect

from tests.pages.browsing import Windows
from tests.pages.watched import METRIC, WATCHED, follow
from trimtab.client import Client
from trimtab.states import Decision

PAGE = f"/studies/{WATCHED}/trials"


def test_rows_come_and_report_while_somebody_looks(windows: Windows, client: Client) -> None:
    with follow(client, guard=windows.guard) as study:
        page = windows.open(PAGE)
        expect(page.get_by_text("No trial has begun yet")).to_be_visible()

        lease = study.ask()
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name=str(lease.trial), exact=True))
        expect(row).to_contain_text("running")
        study.report(lease, 1, 0.1234)
        expect(row.locator(f'[data-metric="{METRIC}"]')).to_have_text("0.1234")
        study.complete(lease, 0.0625)

        expect(row).to_contain_text("complete")
        expect(row).to_contain_text("best")


def test_headings_sort_and_columns_are_chosen(windows: Windows, client: Client) -> None:
    names = [f"x{n}" for n in range(7)]
    space = {name: {"type": "float", "low": 0.0, "high": 1.0} for name in names}
    with follow(client, guard=windows.guard, space=space) as study:
        for error in (0.25, 0.5):
            study.complete(study.ask(), error)
        page = windows.open(PAGE)
        trials = page.get_by_role("rowheader")

        page.get_by_role("link", name=METRIC).click()
        expect(trials.first).to_have_text(re.compile("^0"))
        page.get_by_role("link", name=METRIC).click()
        expect(trials.first).to_have_text(re.compile("^1"))
        page.get_by_text("5 of 7 parameters are shown").click()
        page.get_by_label("x6").check()
        page.get_by_role("button", name="Show").click()

        expect(page.get_by_role("columnheader", name="x6")).to_be_visible()
        expect(page.get_by_role("columnheader", name=METRIC)).to_have_attribute("aria-sort", "descending")


def test_a_trial_is_followed_to_its_end(windows: Windows, client: Client) -> None:
    with follow(client, guard=windows.guard) as study:
        lease = study.ask()
        study.report(lease, 1, 0.5)
        page = windows.open(f"{PAGE}/{lease.trial}")
        points = page.locator(".point.metric0")
        expect(points).to_have_count(1)

        study.report(lease, 2, 0.25)
        client.keep_lines(lease, ["epoch 2 <b>of 9</b>"], first=0)

        expect(points).to_have_count(2)
        expect(page.get_by_role("log")).to_have_text("epoch 2 <b>of 9</b>")
        study.complete(lease, 0.25)
        expect(page.get_by_text("It was trained to its end.")).to_be_visible()
        expect(page.get_by_role("button", name="Stop this trial")).to_have_count(0)


def test_a_trial_is_drawn_with_what_it_reported_while_its_page_heard_nothing(windows: Windows, client: Client) -> None:
    windows.guard.expect("failed with net::ERR")
    with follow(client, guard=windows.guard) as study:
        lease = study.ask()
        study.report(lease, 1, 0.5)
        page = windows.open("/workers")
        page.route("**/events", lambda route: route.abort())
        page.goto(f"{PAGE}/{lease.trial}")
        points = page.locator(".point.metric0")
        expect(points).to_have_count(1)
        for step in (2, 3, 4):
            study.report(lease, step, 0.25)

        page.unroute("**/events")

        expect(points).to_have_count(4)


def test_a_step_is_read_with_the_arrow_keys(windows: Windows, client: Client) -> None:
    with follow(client, guard=windows.guard) as study:
        lease = study.ask()
        for step, error in enumerate([0.5, 0.25], start=1):
            study.report(lease, step, error)
        page = windows.open(f"{PAGE}/{lease.trial}")

        page.locator(".chart svg[tabindex]").first.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")

        expect(page.get_by_text(f"Step 2: {METRIC} 0.25, training_error 0.125")).to_be_visible()
        page.close()  # Before its study is deleted, of which it would ask for more.


def test_the_button_stops_a_trial(windows: Windows, client: Client) -> None:
    with follow(client, guard=windows.guard) as study:
        lease = study.ask()
        page = windows.open(f"{PAGE}/{lease.trial}")

        page.get_by_role("button", name="Stop this trial").click()
        expect(page.get_by_role("heading", name=f"Trial {lease.trial}")).to_be_visible()
        verdict = client.report(lease, step=1, metrics={METRIC: 0.5})
        client.tell(lease, "pruned")

        assert verdict.verdict is Decision.STOP
        expect(page.get_by_text("It was stopped early. Stopped by hand.")).to_be_visible()
