"""Optuna's dashboard in a real browser: it reads the studies of the service, and changes none."""

import sqlalchemy as sa
from playwright.sync_api import expect

from tests.pages.browsing import Windows
from tests.pages.trained import TRIALS, Trained
from tests.pages.watched import WATCHED, follow
from trimtab.client import Client
from trimtab.states import TokenKind

METHODS = """() => Promise.all([
    ["POST", "/optuna/api/studies"], ["POST", "/optuna/api/studies/1/rename"], ["PUT", "/optuna/api/studies/1/note"],
    ["DELETE", "/optuna/api/studies/1"],
].map(async ([method, path]) => (await fetch(path, {method, body: "{}"})).status))"""


def test_a_study_opens_there_with_its_trials(windows: Windows, trained: Trained) -> None:
    page = windows.open(f"/studies/{trained.name}", TokenKind.READER)

    page.get_by_role("link", name="Optuna's dashboard").click()
    expect(page.get_by_text("Hyperparameter Importance")).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    study = page.url
    page.goto(f"{study}/trials?numbers={trained.best}")

    expect(page.get_by_role("heading", name=f"Trial {trained.best} ")).to_be_visible()
    expect(page.get_by_text(f"{TRIALS} Trials")).to_be_visible()
    expect(page.get_by_text("1-beta1").first).to_be_visible()


def test_it_lists_the_studies_and_leads_to_each(windows: Windows, trained: Trained) -> None:
    page = windows.open("/optuna", TokenKind.READER)

    page.get_by_role("link", name=trained.name).first.click()

    expect(page.get_by_text("Hyperparameter Importance")).to_be_visible()
    expect(page.get_by_role("button", name="Create")).to_have_count(0)
    page.get_by_role("link", name="Trimtab", exact=True).click()
    expect(page.get_by_role("heading", name="Studies")).to_be_visible()


def test_nothing_is_changed_by_it(windows: Windows, trained: Trained, pages_database_url: str) -> None:
    windows.guard.expect("answered with 405")
    page = windows.open("/optuna/")
    before = _optunas_rows(pages_database_url)

    answered = page.evaluate(METHODS)

    assert answered == [405, 405, 405, 405]
    assert _optunas_rows(pages_database_url) == before


def test_who_has_not_signed_in_is_asked_to_and_led_back(windows: Windows) -> None:
    page = windows.open("/optuna/studies/1", None)

    expect(page.get_by_label("Token")).to_be_visible()
    assert page.url.endswith("/sign-in?next=/optuna/studies/1")


def test_an_open_one_says_that_the_service_is_away_that_its_study_is_gone_and_that_its_token_was_revoked(
    windows: Windows, client: Client
) -> None:
    windows.guard.expect("answered with 503", "answered with 404", "answered with 401")
    made = client.make_token(TokenKind.READER, "guest")
    with follow(client):
        page = windows.open(f"/studies/{WATCHED}/optuna", None)
        page.get_by_label("Token").fill(made.token)
        page.keyboard.press("Enter")
        expect(page.get_by_text("Hyperparameter Importance").first).to_be_visible()
        line = page.locator("#connection")
        page.route("**/optuna/api/**", lambda route: route.fulfill(status=503))
        expect(line).to_contain_text("cannot answer now")
        page.unroute_all()
        expect(line).to_be_hidden()
    expect(line).to_contain_text("no longer there")
    client.revoke_token(made.id)

    expect(line).to_contain_text("You are signed out")
    expect(line.get_by_role("link", name="Sign in again")).to_be_visible()


def _optunas_rows(url: str) -> list[tuple[object, ...]]:
    tables = ("studies", "study_user_attributes", "study_system_attributes", "trials", "trial_system_attributes")
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(sa.text(f"SELECT {counts}"))]
    engine.dispose()
    return found
