import json
import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Page, expect

from tests.pages.browsing import Windows
from tests.pages.watched import WATCHED, follow
from trimtab.client import Client
from trimtab.errors import StudyNotFound
from trimtab.states import TokenKind

CREATED = "created-on-a-page"
SPEC = {
    "name": CREATED,
    "task": {"name": "mlp", "data": {"dataset": "iris"}, "fixed": {"epochs": 3, "hidden_units": 8}},
    "space": {"learning_rate": {"type": "float", "low": 1e-3, "high": 0.1, "scale": "log"}},
    "sampler": {"name": "random"},
    "budget": {"trials": 3},
}
TRAINED_MS = 300_000


@pytest.fixture(autouse=True)
def removed(client: Client) -> Iterator[None]:
    yield
    with suppress(StudyNotFound):
        client.delete_study(CREATED)


def create(page: Page, spec: str) -> None:
    page.get_by_label("What it is to be, as JSON").fill(spec)
    page.get_by_role("button", name="Create", exact=True).click()


def test_a_study_is_created_on_a_page_and_watched_to_its_end(windows: Windows, worker: None) -> None:
    page = windows.open("/new", TokenKind.USER)

    create(page, json.dumps(SPEC))

    expect(page).to_have_url(f"{windows.people.url}/studies/{CREATED}")
    expect(page.locator("#head .state").first).to_have_text("complete", timeout=TRAINED_MS)
    expect(page.locator("#best").get_by_role("link", name=re.compile(r"Trial \d"))).to_be_visible()
    expect(page.locator("#curves svg path").first).to_be_visible()


def test_a_study_is_created_by_its_form_alone_and_watched_to_its_end(windows: Windows, worker: None) -> None:
    page = windows.open("/new", TokenKind.USER)

    page.get_by_label("Name", exact=True).fill(CREATED)
    page.get_by_label("Data", exact=True).select_option("iris")
    page.get_by_label("Sampler").select_option("random")
    page.get_by_label("Trials", exact=True).fill("2")
    page.get_by_label("Another hyperparameter").select_option("epochs")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Fix: epochs").click()
    page.locator("#fixed").get_by_label("Value").fill("2")
    page.get_by_role("button", name="Create", exact=True).click()

    expect(page).to_have_url(f"{windows.people.url}/studies/{CREATED}")
    expect(page.locator("#head .state").first).to_have_text("complete", timeout=TRAINED_MS)


def test_what_is_wrong_with_a_study_is_said_and_what_was_typed_stays(windows: Windows, client: Client) -> None:
    windows.guard.expect("answered with 409", "answered with 422")
    page = windows.open("/new")

    create(page, json.dumps(SPEC | {"budget": {"trials": -1}}))
    expect(page.get_by_label("Trials", exact=True)).to_have_accessible_description(re.compile("not -1"))
    expect(page.locator("textarea[name=spec]")).to_have_value(re.compile("-1"))

    with follow(client, guard=windows.guard):
        create(page, json.dumps(SPEC | {"name": WATCHED}))
        expect(page.get_by_text(re.compile("exists")).first).to_be_visible()


def test_a_reader_creates_nothing(windows: Windows) -> None:
    windows.guard.expect("answered with 403")

    page = windows.open("/new", TokenKind.READER)

    expect(page.get_by_text("a token of kind reader has no right to this")).to_be_visible()
