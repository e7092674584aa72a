"""The page of a study: pictures that are drawn from what was trained, and that go on while it trains."""

import re

from playwright.sync_api import Page, expect

from tests.pages.browsing import DESKTOP, PHONE, Windows
from tests.pages.trained import TRIALS, Trained
from tests.pages.watched import WATCHED, follow
from trimtab.client import Client
from trimtab.states import StudyState, TokenKind

CURVES = "#curves [data-picture] > svg"
SENT = """(form) => [1, 2].map(() => {
    const click = new SubmitEvent("submit", { bubbles: true, cancelable: true });
    return form.dispatchEvent(click);
})"""


def opened(windows: Windows, name: str, kind: TokenKind = TokenKind.ADMIN) -> Page:
    page = windows.open(f"/studies/{name}", kind)
    expect(page.locator("#curves [data-note], #curves .empty").first).to_be_attached()
    return page


def test_every_trial_is_a_curve_and_the_best_one_is_bold(windows: Windows, trained: Trained) -> None:
    page = opened(windows, trained.name)

    expect(page.locator(f"{CURVES} path.curve:not(.bound)")).to_have_count(TRIALS)
    expect(page.locator(f"{CURVES} path.curve.best")).to_have_count(1)
    expect(page.locator(f"{CURVES} path.curve.bound")).to_have_count(1)
    expect(page.locator("#curves [data-note]")).to_contain_text("Dashed: the median")
    expect(page.locator("#progress path.steps.sampled")).to_have_count(2)
    expect(page.locator("#plane .dot.best")).to_have_count(1)


def test_a_trial_is_picked_with_the_keys_and_opened(windows: Windows, trained: Trained) -> None:
    page = opened(windows, trained.name)
    page.locator(CURVES).focus()

    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#curves [data-readout]")).to_contain_text(re.compile(r"Trial 1 · \w+ · validation_error"))
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(rf"/studies/{trained.name}/trials/1$"))


def test_a_picture_is_drawn_anew_in_another_width(windows: Windows, trained: Trained) -> None:
    page = opened(windows, trained.name)
    wide = int(page.locator(CURVES).get_attribute("width") or 0)

    page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # as playwright names it

    expect(page.locator(CURVES)).not_to_have_attribute("width", str(wide))
    assert int(page.locator(CURVES).get_attribute("width") or 0) < PHONE["width"] < wide < DESKTOP["width"]


def test_the_curves_are_a_table_too(windows: Windows, trained: Trained) -> None:
    page = opened(windows, trained.name)

    page.get_by_text("The curves as a table").click()

    rows = page.locator("#curves tbody tr")
    expect(rows).to_have_count(TRIALS)
    expect(rows.filter(has_text="the best")).to_contain_text(str(trained.best))


def test_a_report_comes_into_the_picture_and_a_better_trial_onto_the_card(windows: Windows, client: Client) -> None:
    with follow(client, guard=windows.guard) as study:
        page = opened(windows, WATCHED)
        expect(page.locator("#curves")).to_contain_text("No trial has reported anything")
        lease = study.ask()
        study.report(lease, 1, 0.5)
        curve = page.locator(f"{CURVES} path.curve.running")
        expect(curve).to_have_count(1)
        expect(page.locator('[data-count="running"]')).to_have_text("1")
        before = curve.get_attribute("d") or ""

        study.report(lease, 2, 0.25)
        expect(curve).not_to_have_attribute("d", before)
        study.complete(lease, 0.25)

        expect(page.locator("#best")).to_contain_text("Trial 0: validation_error 0.25")
        expect(page.locator('[data-count="complete"]')).to_have_text("1")
        expect(page.locator(f"{CURVES} path.curve.running")).to_have_count(0)


def test_a_study_is_paused_given_more_budget_and_deleted(windows: Windows, client: Client) -> None:
    with follow(client, guard=windows.guard) as study:
        page = opened(windows, WATCHED)

        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
        assert client.study(study.name).state is StudyState.PAUSED
        page.get_by_text("Change the budget").click()
        page.get_by_label("At most so many trials").fill("77")
        page.get_by_role("button", name="Set the budget").click()
        expect(page.locator(".budget")).to_contain_text("77")
        page.get_by_role("link", name="Delete").click()
        page.get_by_role("button", name="Delete the study").click()

        expect(page.get_by_role("heading", name="Studies")).to_be_visible()
        assert study.name not in [each.name for each in client.studies()]


def test_a_form_is_sent_once_by_a_double_click(windows: Windows, trained: Trained) -> None:
    page = opened(windows, trained.name)

    assert page.locator("#prescribe").evaluate(SENT) == [True, False]


def test_a_reader_sees_the_pictures_and_no_buttons_that_change_anything(windows: Windows, trained: Trained) -> None:
    page = opened(windows, trained.name, TokenKind.READER)

    expect(page.locator(f"{CURVES} path.curve.best")).to_have_count(1)
    expect(page.locator("main form")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("Pause|Stop|Create|Set"))).to_have_count(0)
