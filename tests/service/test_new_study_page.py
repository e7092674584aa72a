import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import optuna
import pytest

from service import drafts
from service.replica import Replica
from service.storage.optuna_storage import OptunaStorage
from tests.service import record
from tests.service.browsing import browser_of, form_key, signed_in
from tests.service.served import TOKEN, Served
from tests.service.specs import body, spec
from trimtab.client import Client
from trimtab.spec import StudySpec
from trimtab.states import TokenKind
from trimtab.validation import built

SPEC = '{"name": "mine", "task": {"name": "mlp"}, "budget": {"trials": 3}}'


@pytest.fixture
def browser(served: Served) -> httpx2.Client:
    return browser_of(served)


def key_of(browser: httpx2.Client, token: str = TOKEN) -> str:
    """Sign in; return what the forms carry then."""
    signed_in(browser, token)
    return form_key(browser.get("/"))


def spec_of(page: httpx2.Response) -> str:
    """Return what is written on the page."""
    written = re.search(r'<textarea id="spec"[^>]*>(.*?)</textarea>', page.text, re.DOTALL)
    assert written
    return unescape(written[1])


def test_a_study_is_created_from_its_json_and_shown(browser: httpx2.Client, client: Client) -> None:
    key = key_of(browser)

    made = browser.post("/new", data={"form_key": key, "spec": SPEC})

    assert (made.status_code, made.headers["Location"]) == (303, "/studies/mine")
    assert client.study("mine").spec.budget.trials == 3


@pytest.mark.parametrize(
    ("spec", "status", "said"),
    [
        (SPEC.replace('"budget"', '"budgte"'), 422, "budgte"),
        ('{"name": "mine", <script>', 422, "JSON"),
        (SPEC.replace('"name": "mine"', '"name": "other", "name": "mine"'), 422, "gives &#39;name&#39; twice"),
        ("", 422, "JSON"),
        (SPEC.replace("mlp", "mlq"), 422, "task.name"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_written_is_kept(
    browser: httpx2.Client, client: Client, spec: str, status: int, said: str
) -> None:
    key = key_of(browser)

    page = browser.post("/new", data={"form_key": key, "spec": spec})

    assert page.status_code == status
    assert spec_of(page) == spec
    assert said in page.text[page.text.index('role="alert"') :]
    assert "<script>" not in page.text
    assert list(client.studies()) == []


def test_a_name_that_is_taken_is_said(browser: httpx2.Client) -> None:
    key = key_of(browser)
    browser.post("/new", data={"form_key": key, "spec": SPEC})

    page = browser.post("/new", data={"form_key": key, "spec": SPEC.replace("3", "4")})

    assert page.status_code == 409
    assert "exists with another spec" in page.text


def test_a_study_that_is_not_there_has_no_copy(browser: httpx2.Client) -> None:
    signed_in(browser)

    page = browser.get("/new?like=nobodys")

    assert page.status_code == 404
    assert "There is no study &#39;nobodys&#39;" in page.text


@pytest.mark.parametrize(
    "changes",
    [
        {"budget": {"trials": None}, "tags": ["one"]},
        {"budget": {"epochs": 5}, "priority": 3, "constraints": [{"metric": "size", "at_most": 3.0}]},
        {"task": {"name": "mlp", "data": {"dataset": "wine"}, "repeats": 2}, "space": "default", "objectives": []},
    ],
)
def test_a_copy_is_the_same_study_under_a_free_name(
    browser: httpx2.Client, client: Client, changes: dict[str, Any]
) -> None:
    written = {name: part for name, part in body("mine", **changes).items() if part != []}
    original = client.create_study(built(StudySpec, written))
    client.create_study(built(StudySpec, written | {"name": "mine-2"}))
    key = key_of(browser)

    made = browser.post("/new", data={"form_key": key, "spec": spec_of(browser.get("/new?like=mine"))})

    assert made.headers["Location"] == "/studies/mine-3"
    assert client.study("mine-3").spec == original.spec.model_copy(update={"name": "mine-3"})


def test_a_form_begins_with_a_name_that_is_free(browser: httpx2.Client) -> None:
    key = key_of(browser)
    browser.post("/new", data={"form_key": key, "spec": SPEC.replace("mine", "digits")})

    page = browser.get("/new")

    assert json.loads(spec_of(page))["name"] == "digits-2"


def test_a_free_name_costs_one_statement_however_many_are_taken(
    browser: httpx2.Client, client: Client, replica: Replica
) -> None:
    for number in range(2, 6):
        client.create_study(spec(name=f"mine-{number}"))
    client.create_study(spec(name="mine"))
    optuna.create_study(storage=OptunaStorage(replica.engine), study_name="mine-6")

    with record.statements(replica.engine) as sent:
        free = drafts.free_name(replica, "mine")

    assert free == "mine-7"
    assert len(sent) == 1


def test_the_form_offers_what_there_is(browser: httpx2.Client, client: Client, tmp_path: Path) -> None:
    points = tmp_path / "points.csv"
    points.write_text("x,y\n" + "".join(f"{n},{n % 2}\n" for n in range(50)))
    client.put_dataset("points", points, target="y")
    client.ask(worker="gpu0", tasks=["mlp", "theirs:net"])
    signed_in(browser)

    page = browser.get("/new")

    offered = {
        option[1]: unescape(option[2] or "")
        for option in re.finditer(r'<option(?: value="([^"]*)" data-meaning="([^"]*)")?>', page.text)
    }
    assert offered["points"] == "50 examples, 1 features, 2 classes"
    assert offered["digits"] == "1,797 images of 8 x 8, 10 classes"
    assert offered["diabetes"] == "442 examples, 10 features, a number to learn"
    assert {"tpe", "coarse_to_fine", "median", "hyperband"} <= offered.keys()
    assert "<option>theirs:net</option>" in page.text


def test_a_draft_that_gives_a_field_twice_is_told_so(browser: httpx2.Client) -> None:
    key = key_of(browser)
    twice = SPEC.replace('"trials": 3', '"trials": 3, "trials": 4')

    draft = browser.post("/new/draft", data={"form_key": key, "spec": twice}).json()

    assert draft["problems"] == [{"field": "body", "message": "the JSON has an object that gives 'trials' twice"}]


def test_a_draft_is_told_its_default_space_whatever_else_is_wrong_with_it(browser: httpx2.Client) -> None:
    key = key_of(browser)
    task = {"name": "mlp", "data": {"dataset": "iris"}, "fixed": {"dropout": 5}}

    draft = browser.post("/new/draft", data={"form_key": key, "spec": json.dumps({"task": task, "x": 1})}).json()

    assert draft["space"]["batch_size"] == {"type": "categorical", "choices": [32, 64]}
    assert [problem["field"] for problem in draft["problems"]] == ["name", "x"]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (SPEC.replace("mlp", "mlq"), "task.name"),
        (SPEC.replace("3", "4"), "name"),
        (SPEC.replace('"mlp"', '"mlp", "fixed": {"batch_size": 9999}'), "task.fixed.batch_size"),
        ("[" * 10_000, "body"),
        ("", "body"),
    ],
)
def test_a_draft_is_told_what_stands_against_it_and_nothing_is_made(
    browser: httpx2.Client, client: Client, spec: str, field: str
) -> None:
    key = key_of(browser)
    browser.post("/new", data={"form_key": key, "spec": SPEC})

    draft = browser.post("/new/draft", data={"form_key": key, "spec": spec}).json()

    assert [problem["field"] for problem in draft["problems"]] == [field]
    assert [study.name for study in client.studies()] == ["mine"]


def test_a_draft_is_told_what_it_lacks(browser: httpx2.Client, client: Client) -> None:
    key = key_of(browser)
    spec = json.dumps({"name": "mine", "task": {"name": "mlp"}, "budget": {"trials": None}})

    before = browser.post("/new/draft", data={"form_key": key, "spec": spec}).json()
    client.ask(worker="gpu0", tasks=["mlp"])
    after = browser.post("/new/draft", data={"form_key": key, "spec": spec}).json()

    limit, worker = before["advice"]
    assert limit["text"].startswith("The budget has no limit")
    assert worker["command"] == "python -m workers"
    assert after["advice"] == [limit]


def test_another_site_has_no_draft_examined(browser: httpx2.Client) -> None:
    signed_in(browser)

    assert browser.post("/new/draft", data={"spec": SPEC}).status_code == 403


def test_a_reader_creates_nothing(browser: httpx2.Client, client: Client) -> None:
    key = key_of(browser, client.make_token(TokenKind.READER, "guest").token)

    assert browser.get("/new").status_code == 403
    assert browser.post("/new", data={"form_key": key, "spec": SPEC}).status_code == 403
    assert browser.post("/new/draft", data={"form_key": key, "spec": SPEC}).status_code == 403
    assert 'href="/new"' not in browser.get("/").text


@pytest.mark.parametrize("path", ["/new", "/new/draft"])
def test_half_of_a_character_is_refused_at_its_field(browser: httpx2.Client, path: str) -> None:
    parts = {"form_key": key_of(browser), "spec": '{"name": "\\ud800"}'}
    body = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in parts.items()
    )
    kind = "multipart/form-data; boundary=b; charset=unicode_escape"

    answer = browser.post(path, content=f"{body}--b--\r\n".encode(), headers={"Content-Type": kind})

    assert answer.status_code == 422
    assert "is no text" in answer.text
