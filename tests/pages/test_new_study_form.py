"""The form of a new study and its JSON, in step."""

import json
import re
import shlex
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.running import TOKEN, wait_for
from tests.pages.accessibility import severe
from tests.pages.browsing import PHONE, Windows, freeze
from tests.pages.trained import NAME, Trained
from trimtab.client import Client

WIDE = {"type": "float", "low": 1, "high": 2}


@pytest.fixture
def page(windows: Windows) -> Page:
    return windows.open("/new")


def json_of(page: Page) -> Locator:
    return page.get_by_label("What it is to be, as JSON")


def spec_of(page: Page) -> Any:
    return json.loads(json_of(page).input_value())


def write(page: Page, **parts: object) -> None:
    json_of(page).fill(json.dumps({"name": "a-new-one", "task": {"name": "mlp"}, **parts}))


def row(page: Page, name: str) -> Locator:
    return page.locator("#searched").get_by_role("group", name=re.compile(f"^{re.escape(name)}"))


def test_a_changed_field_changes_the_json_and_keeps_what_the_form_does_not_know(page: Page) -> None:
    write(page, failed_in_a_row=7, budget={"trials": 3}, task={"name": "mlp", "repeats": 2})

    page.get_by_label("Trials", exact=True).fill("")
    page.get_by_label("Epochs of all trials").fill("50")
    page.get_by_label("Sampler").select_option("random")
    page.get_by_label("Data", exact=True).select_option("iris")
    page.get_by_label("Tags, one a line").fill("one, with a comma\ntwo")

    assert spec_of(page) == {
        "name": "a-new-one",
        "task": {"name": "mlp", "repeats": 2, "data": {"dataset": "iris"}},
        "failed_in_a_row": 7,
        "budget": {"epochs": 50},
        "sampler": {"name": "random"},
        "tags": ["one, with a comma", "two"],
    }


def test_typed_json_fills_the_form(page: Page) -> None:
    objectives = [{"metric": "training_loss", "direction": "maximize"}, {"metric": "parameters"}]

    write(page, task={"name": "cnn", "fixed": {"epochs": 5}}, objectives=objectives, space={"l1": WIDE}, priority=4)

    expect(page.get_by_label("Task")).to_have_value("cnn")
    expect(page.get_by_label("Objective")).to_have_value("training_loss")
    expect(page.get_by_label("Direction")).to_have_value("maximize")
    expect(page.get_by_text("and 1 more, in the JSON")).to_be_visible()
    expect(page.get_by_label("Priority")).to_have_value("4")
    expect(row(page, "l1").get_by_label("High")).to_have_value("2")
    expect(page.locator("#searched fieldset")).to_have_count(1)
    expect(page.locator("#fixed").get_by_label("Value")).to_have_value("5")


def test_a_changed_field_leaves_all_other_numbers_as_they_were_written(page: Page) -> None:
    json_of(page).fill(
        '{"name": "a-new-one", "priority": 1e1, "sampler": {"name": "random", "seed": 9007199254740993},'
        ' "space": {"__proto__": {"type": "float", "low": 1.0, "high": 2.50}, "x": {"choices": [1.0, "1.0", true]}}}'
    )

    page.get_by_label("Trials", exact=True).fill("3")
    row(page, "__proto__").get_by_label("High").fill("3")

    written = json_of(page).input_value()
    assert '"priority": 1e1' in written
    assert '"seed": 9007199254740993' in written
    assert '"low": 1.0, "high": 3}' in written
    assert '"choices": [1.0, "1.0", true]' in written


def test_an_objective_that_is_typed_anew_leaves_the_others_where_they_are(page: Page) -> None:
    write(page, objectives=[{"metric": "validation_error"}, {"metric": "parameters"}])
    objective = page.get_by_label("Objective")

    objective.fill("")
    assert spec_of(page)["objectives"] == [{}, {"metric": "parameters"}]
    objective.blur()
    expect(objective).to_have_value("validation_error")
    objective.fill("")
    objective.press_sequentially("training_loss")

    assert spec_of(page)["objectives"] == [{"metric": "training_loss"}, {"metric": "parameters"}]


def test_what_is_no_json_is_said_where_it_is_and_nothing_is_lost(page: Page) -> None:
    broken = '{\n  "name": "a-new-one",\n  "task": {"name": "mlp"}}}'

    json_of(page).fill(broken)

    expect(page.locator("#not-json")).to_have_text(re.compile(r"^This is not JSON \(line 3, column 27\): [^0-9]+$"))
    expect(page.get_by_role("button", name="Copy as curl")).to_be_disabled()
    expect(json_of(page)).to_have_value(broken)
    expect(page.get_by_label("Name", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Create", exact=True).click()
    expect(json_of(page)).to_be_focused()
    expect(page.locator("#problem")).to_be_hidden()
    json_of(page).fill(broken[:-1])
    expect(page.get_by_label("Name", exact=True)).to_have_value("a-new-one")
    expect(page.get_by_label("Name", exact=True)).to_be_enabled()


def test_the_default_space_comes_from_the_service_and_is_the_studys_own_once_it_is_changed(page: Page) -> None:
    write(page, task={"name": "mlp", "data": {"dataset": "iris"}})

    # Of the 90 examples that iris has for training no batch is larger.
    expect(row(page, "batch_size").get_by_label("Choices")).to_have_value("32, 64")
    assert "space" not in spec_of(page)
    row(page, "learning_rate").get_by_label("High").fill("1e-2")
    row(page, "hidden_layers").get_by_role("button", name="Remove").click()
    expect(row(page, "decay").get_by_label("Type")).to_be_focused()
    row(page, "decay").get_by_label("Choices").fill("none, exponential")

    space = spec_of(page)["space"]
    assert space["learning_rate"] == {"type": "float", "low": 1e-4, "high": 0.01, "scale": "log"}
    assert space["decay"]["choices"] == ["none", "exponential"]
    assert space["batch_size"]["choices"] == [32, 64]
    assert "hidden_layers" not in space
    page.get_by_role("button", name="Back to the default space").click()
    assert "space" not in spec_of(page)


def test_what_is_fixed_is_searched_no_more_and_frees_what_depends_on_it(page: Page) -> None:
    row(page, "l2").get_by_label("Low").fill("0.001")

    row(page, "optimizer").get_by_role("button", name="Fix").click()

    expect(page.locator("#fixed").get_by_label("Value")).to_be_focused()
    assert spec_of(page)["task"]["fixed"] == {"optimizer": "adam"}
    assert not {"optimizer", "momentum"} & spec_of(page)["space"].keys()
    page.get_by_role("button", name="Search: optimizer").click()
    assert "fixed" not in spec_of(page)["task"]
    assert spec_of(page)["space"]["optimizer"] == {"type": "categorical", "choices": ["momentum", "adam"]}


def test_a_hyperparameter_that_the_space_lacks_is_added_as_it_is_usually_searched(page: Page) -> None:
    page.get_by_label("Another hyperparameter").select_option("beta1")
    page.get_by_role("button", name="Add").click()

    expect(row(page, "beta1").get_by_label("Type")).to_be_focused()
    assert spec_of(page)["space"]["beta1"] == {"type": "float", "low": 0.9, "high": 0.999, "scale": "reverse_log"}
    row(page, "beta1").get_by_label("Type").select_option("int")
    assert spec_of(page)["space"]["beta1"] == {"type": "int", "low": 1, "high": 1, "scale": "linear"}


def test_a_study_that_anybody_trains_has_parameters_of_any_name(page: Page) -> None:
    page.get_by_label("Task").select_option("")
    expect(page.get_by_text("each trial asks for what it needs")).to_be_visible()

    page.get_by_label("Another name").fill("__proto__")
    page.keyboard.press("Enter")
    row(page, "__proto__").get_by_label("Low").fill("-1")

    written = spec_of(page)
    assert written["task"] is None
    assert written["space"] == {"__proto__": {"type": "float", "low": -1, "high": 1}}


def test_what_the_service_says_against_a_field_stands_at_the_field(page: Page) -> None:
    write(page, name="no name", space={"l1": {**WIDE, "low": 3}}, constraints=[{"metric": "speed"}])

    low = row(page, "l1").get_by_label("Low")
    expect(low).to_have_accessible_description("must not be above high: 3.0 > 2.0")
    expect(low).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Name", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#problem li")).to_contain_text(["constraints.0"])
    expect(page.get_by_text("3 things stand against it.")).to_be_visible()
    assert severe(page) == []
    low.fill("many")
    expect(low).to_have_accessible_description('must be a number, not "many"')
    assert spec_of(page)["space"]["l1"]["low"] == "many"


def test_what_is_wrong_with_a_part_stands_at_its_first_field_and_with_an_item_at_its_list(page: Page) -> None:
    write(page, tags=["good", "b\u202ead"], pruner={"name": "threshold"})
    expect(page.get_by_label("Tags, one a line")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Pruner")).to_have_accessible_description(re.compile("needs a bound"))

    write(page, space={"speed": WIDE})

    expect(row(page, "speed").get_by_label("Type")).to_have_accessible_description(re.compile("not a hyperparameter"))
    expect(page.get_by_label("Another hyperparameter")).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator("#problem")).to_be_hidden()

    write(page, space={"batch_size": {"type": "categorical", "choices": [32, "linear"]}})

    choices = row(page, "batch_size").get_by_label("Choices, with commas between")
    expect(choices).to_have_accessible_description(re.compile("cannot be 'linear'"))

    write(page, task={"name": "mine:train"})

    expect(page.locator("#problem")).to_contain_text("is needed: a task of your own has no default one")
    expect(page.get_by_label("Another hyperparameter")).not_to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize(
    "parts",
    [
        {"space": {"x": None, "y": 3, "z": {"type": 5, "when": "then", "choices": {}}}, "objectives": {}, "tags": 3},
        {"task": 5, "space": [], "budget": None, "sampler": "tpe", "name": None},
        {"task": {"name": ["mlp"], "data": 1, "fixed": [1]}, "space": {"": {"type": "categorical", "choices": "a"}}},
    ],
)
def test_json_of_any_shape_is_shown_and_said(page: Page, parts: dict[str, object]) -> None:
    write(page, **parts)

    expect(page.locator("#said")).to_contain_text("against it")
    page.get_by_label("Trials", exact=True).fill("3")
    assert spec_of(page) == {"name": "a-new-one", "task": {"name": "mlp"}} | parts | {"budget": {"trials": 3}}


def test_what_is_refused_when_it_is_created_is_gone_to(windows: Windows) -> None:
    windows.guard.expect("answered with 422", "answered with 409")
    page = windows.open("/new")

    write(page, task={"name": "mlp", "data": {"dataset": "wine"}, "fixed": {"batch_size": 5000}}, unknown=1)
    page.get_by_role("button", name="Create", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("unknown")
    write(page, task={"name": "mlp", "data": {"dataset": "wine"}, "fixed": {"batch_size": 5000}})
    page.get_by_role("button", name="Create", exact=True).click()
    value = page.locator("#fixed").get_by_label("Value")
    expect(value).to_be_focused()
    expect(value).to_have_accessible_description(
        "is 5000, and the training set has 108 examples: let it be at most 108"
    )


def test_what_is_written_outlasts_a_session_and_an_absent_service(windows: Windows) -> None:
    windows.guard.expect("answered with 401", "answered with 403", "failed with net::ERR_FAILED")
    page = windows.open("/new")
    write(page, name="outlasting", task=None)
    page.context.clear_cookies()

    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("You are signed out")
    page.context.request.post("/sign-in", form={"token": TOKEN}, max_redirects=0)
    page.route("**/new", lambda route: route.abort())
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The service gave no answer")
    page.unroute("**/new")
    page.get_by_role("button", name="Create", exact=True).click()

    expect(page).to_have_url(f"{windows.people.url}/studies/outlasting")
    page.close()
    windows.people.client.delete_study("outlasting")


def test_what_was_not_examined_is_examined_when_the_service_may_be_asked_again(windows: Windows) -> None:
    windows.guard.expect("answered with 429")
    page = windows.open("/new")
    later: list[Route] = []

    def hold(route: Route) -> None:
        later.append(route)

    page.route("**/new/draft", hold)
    page.route("**/new/draft", lambda route: route.fulfill(status=429, headers={"Retry-After": "1"}), times=1)

    write(page, budget={"trials": None})

    expect(page.locator("#connection")).to_have_text("The service cannot answer now. Trying again …")
    wait_for(lambda: page.evaluate("1") and later)
    later[0].continue_()
    expect(page.get_by_text("the budget has no limit")).to_be_visible()
    expect(page.locator("#connection")).to_be_hidden()


def test_what_was_not_examined_is_examined_when_somebody_has_signed_in_again(windows: Windows) -> None:
    windows.guard.expect("answered with 401", "answered with 403")
    page = windows.open("/new")
    page.context.clear_cookies()
    write(page, budget={"trials": None})
    expect(page.locator("#problem")).to_contain_text("You are signed out")

    page.context.request.post("/sign-in", form={"token": TOKEN}, max_redirects=0)
    page.evaluate("() => window.dispatchEvent(new Event('focus'))")

    expect(page.get_by_text("the budget has no limit")).to_be_visible()
    expect(page.locator("#problem")).to_be_hidden()


def test_what_a_study_lacks_is_said_before_it_is_created(page: Page) -> None:
    write(page, task={"name": "theirs:net"}, space={"l1": WIDE}, budget={"trials": None})

    expect(page.get_by_text("the budget has no limit")).to_be_visible()
    expect(page.get_by_text("python -m workers --allow theirs:net")).to_be_visible()


def test_the_command_creates_the_same_study_and_holds_no_token(windows: Windows) -> None:
    page = windows.open("/new", permissions=["clipboard-read", "clipboard-write"])
    write(page, tags=["it's $HOME `id` \N{RIGHT-TO-LEFT OVERRIDE}"])

    freeze(page)  # So long does it say that it did.
    page.get_by_role("button", name="Copy as curl").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    command = page.evaluate("() => navigator.clipboard.readText()")
    assert f"curl -X POST {windows.people.url}/v1/studies" in command
    assert 'Authorization: Bearer $TOKEN"' in command
    assert "\\u202e" in command
    assert json.loads(shlex.split(command)[-1]) == spec_of(page)


def test_a_study_like_another_one_begins_as_a_copy_of_it(windows: Windows, client: Client, trained: Trained) -> None:
    page = windows.open(f"/new?like={trained.name}")

    expect(page.get_by_label("Name", exact=True)).to_have_value(f"{NAME}-2")
    expect(row(page, "beta1").get_by_label("Scale")).to_have_value("reverse_log")
    assert spec_of(page)["space"].keys() == set(client.study(NAME).spec.declared)
    expect(page.locator("#problem")).to_be_hidden()


def test_hostile_words_are_text_in_the_form(page: Page) -> None:
    words = "<img src=x onerror=alert(1)>"
    space = {words: {"type": "categorical", "choices": [words, f'"{words}', "a, b", "3"]}}

    write(page, name=words, task={"name": words, "data": {"dataset": words}}, space=space, tags=[words])

    expect(row(page, words).get_by_role("textbox")).to_be_visible()
    expect(page.get_by_label("Task")).to_have_value(words)
    expect(page.get_by_label("Name", exact=True)).to_have_attribute("aria-invalid", "true")
    assert page.locator("img").count() == 0
    row(page, words).get_by_label("Choices").press("End")
    page.keyboard.type(", 4")
    assert spec_of(page)["space"][words]["choices"] == [words, f'"{words}', "a, b", "3", 4]


def test_choices_are_the_same_after_they_were_shown_and_typed(page: Page) -> None:
    shown = [
        ["none", "cosine"],
        [32, 0.5, 1e-7, True],
        ["3", "true", ""],
        ["a, b", 'a "quote"', " space", "[1]"],
        ["null", "nul"],
    ]

    typed_again = page.evaluate(
        """async (shown) => {
            const here = document.querySelector("script[src*=new_study]").src;
            const { choicesOf, textOfChoices } = await import(new URL("new_values.js", here));
            return shown.map((choices) => choicesOf(textOfChoices(choices)));
        }""",
        shown,
    )

    assert typed_again == shown


def test_choices_in_quotes_keep_their_commas_and_an_open_quote_is_said(page: Page) -> None:
    write(page, space={"decay": {"type": "categorical", "choices": ["none"]}})
    choices = row(page, "decay").get_by_label("Choices, with commas between")

    choices.fill('"a, \\"b", c, 5" wide, 3,')
    assert spec_of(page)["space"]["decay"]["choices"] == ['a, "b', "c", '5" wide', 3]
    choices.fill('"a, b, c')

    expect(choices).to_have_value('"a, b, c')
    expect(choices).to_have_attribute("aria-invalid", "true")
    assert spec_of(page)["space"]["decay"]["choices"] == '"a, b, c'
    row(page, "decay").get_by_label("Type").select_option("float")
    assert spec_of(page)["space"]["decay"]["type"] == "float"


def test_where_all_hyperparameters_are_searched_there_is_nothing_to_add(page: Page) -> None:
    offered = json.loads(page.locator("#offered").text_content() or "")
    adding = page.get_by_role("button", name="Add", exact=True)
    expect(adding).to_be_visible()

    write(page, space=dict.fromkeys(offered["tasks"]["mlp"]["hyperparameters"], WIDE))

    expect(adding).to_be_hidden()


def test_the_form_fits_a_phone(windows: Windows) -> None:
    page = windows.open("/new", viewport=PHONE)

    write(page, space={"l" * 128: {**WIDE, "low": 3}})

    expect(page.get_by_label("Low")).to_have_attribute("aria-invalid", "true")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]


def test_without_script_there_is_the_json_alone(windows: Windows) -> None:
    page = windows.open("/new", java_script_enabled=False)

    expect(json_of(page)).to_be_visible()
    expect(page.get_by_role("button", name="Create", exact=True)).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_be_hidden()
    expect(page.get_by_role("button", name="Copy as curl")).to_be_hidden()
