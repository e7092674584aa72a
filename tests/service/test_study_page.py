"""/studies/{name}: what it shows, and what can be done there."""

import re

import httpx2
import pytest

from service.web.study_actions import budget
from tests.service.browsing import browser_of, form_key, signed_in
from tests.service.finishing import confirmed, searched, trained
from tests.service.runs import complete, lease_of, report
from tests.service.served import TOKEN, Served
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.errors import StudyNotFound
from trimtab.finals import Confirm
from trimtab.states import StudyState, TokenKind

PAGE = "/studies/study"


@pytest.fixture
def browser(served: Served) -> httpx2.Client:
    """Whoever has signed in with the operator's token."""
    return whoever_has(served, TOKEN)


def whoever_has(served: Served, token: str) -> httpx2.Client:
    browser = browser_of(served)
    signed_in(browser, token)
    return browser


def send(browser: httpx2.Client, action: str, **fields: str | list[str]) -> httpx2.Response:
    """Send a form of the study's page."""
    return browser.post(f"{PAGE}/{action}", data={"form_key": form_key(browser.get(PAGE)), **fields})


def words(page: httpx2.Response) -> str:
    """The text of a page, without its markup."""
    assert page.status_code == 200, page.text
    return " ".join(re.sub(r"<[^>]*>", " ", page.text).split())


def test_a_study_is_shown_with_its_state_its_counts_and_its_budget(client: Client, browser: httpx2.Client) -> None:
    client.create_study(spec(budget={"trials": 10, "epochs": 50}, tags=["night"]))
    complete(client, [0.5, 0.25])
    lease_of(client)

    page = browser.get(PAGE)

    counts = dict(re.findall(r'data-count="(\w+)">(\d+)<', page.text))
    assert counts == {"waiting": "0", "running": "1", "complete": "1", "pruned": "0", "fail": "0"}
    assert "trials finished, running or waiting 2 10" in words(page)
    assert "epochs 2 50" in words(page)
    assert 'href="/?tag=night"' in page.text


def test_the_best_trial_is_a_card_with_a_line_to_copy_that_holds_no_token(
    client: Client, browser: httpx2.Client
) -> None:
    client.create_study(spec())
    complete(client, [0.5])
    complete(client, [0.9, 0.125])

    page = browser.get(PAGE)

    assert f"Trial 1 : {METRIC} 0.125 at step 2" in words(page)
    assert "$TOKEN" in page.text
    assert "http://testserver/v1/studies/study/best-trial" in page.text
    assert TOKEN not in page.text


def test_of_several_objectives_the_front_is_a_table(client: Client, browser: httpx2.Client) -> None:
    client.create_study(spec(objectives=[{"metric": METRIC}, {"metric": "size", "direction": "maximize"}]))
    for error, size in [(0.5, 5.0), (0.25, 2.0), (0.75, 1.0)]:
        client.tell(lease_of(client), "complete", metrics={METRIC: error, "size": size})

    page = browser.get(PAGE)

    best = page.text[page.text.index('id="best"') : page.text.index('id="findings"')]
    assert re.findall(r'href="/studies/study/trials/(\d+)"', best) == ["0", "1"]
    assert "size (maximize)" in best


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        ([], "No trial has begun yet"),
        (["running"], "No trial is complete yet: 1 runs"),
        (["error"], "The trials say why they were stopped or failed"),
    ],
)
def test_where_there_is_no_best_trial_the_page_says_why(
    client: Client, browser: httpx2.Client, trials: list[str], said: str
) -> None:
    client.create_study(spec())
    for outcome in trials:
        lease = lease_of(client)
        if outcome != "running":
            client.tell(lease, outcome, message="broken")

    assert said in words(browser.get(PAGE))


def test_a_study_whose_task_no_worker_has_says_how_to_start_one(client: Client, browser: httpx2.Client) -> None:
    client.create_study(spec(task={"name": "mine:net"}, objectives=[{"metric": "validation_error"}]))
    client.ask("gpu0", tasks=["mlp"])
    waiting = words(browser.get(PAGE))

    (lease,) = client.ask("gpu1", tasks=["mlp", "mine:net"], study="study").leases
    client.tell(lease, "complete", metrics={"validation_error": 0.5})

    assert "No worker has this task" in waiting
    assert "python -m workers --allow mine:net" in waiting
    assert "No worker has this task" not in words(browser.get(PAGE))


def test_the_doctors_edits_are_shown_and_make_the_next_study(client: Client, browser: httpx2.Client) -> None:
    searched(client, 0.4)
    client.tell(lease_of(client), "complete", metrics={"validation_error": 0.3, "training_error": 0.29})
    page = browser.get(PAGE)
    edits = re.findall(r'name="edits" value="([^"]+)"', page.text)
    assert edits == [edit.path for edit in client.diagnosis("study").edits]
    assert "high bias" in words(page)

    made = send(browser, "prescriptions", edits=edits)

    assert (made.status_code, made.headers["Location"]) == (303, "/studies/study-2")
    assert client.study("study-2").parent == "study"
    assert 'href="/studies/study-2"' in browser.get(PAGE).text


def test_without_a_single_edit_nothing_is_prescribed(client: Client, browser: httpx2.Client) -> None:
    searched(client, 0.4)

    refused = send(browser, "prescriptions")

    assert refused.status_code == 422
    assert "Nothing was changed: tick at least one edit." in refused.text
    assert [study.name for study in client.studies()] == ["study"]


def test_a_study_is_paused_resumed_and_stopped(client: Client, browser: httpx2.Client) -> None:
    client.create_study(spec())

    for state in (StudyState.PAUSED, StudyState.RUNNING, StudyState.STOPPED):
        answer = send(browser, "state", state=state)

        assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
        assert client.study("study").state is state
    assert send(browser, "state", state="nonsense").status_code == 422
    assert send(browser, "state").status_code == 422


def test_a_larger_budget_reopens_a_study_and_one_that_is_too_small_is_said_at_its_field(
    client: Client, browser: httpx2.Client
) -> None:
    client.create_study(spec(budget={"trials": 1}))
    complete(client, [0.5])
    assert client.study("study").state is StudyState.COMPLETE

    assert send(browser, "budget", trials="3", epochs="").status_code == 303
    assert client.study("study").state is StudyState.RUNNING
    complete(client, [0.5])
    refused = send(browser, "budget", trials="1")

    assert refused.status_code == 422
    assert "budget.trials" in refused.text
    assert client.study("study").spec.budget.trials == 3


def test_a_budget_that_is_refused_is_said_once_and_stays_as_it_was_typed(
    client: Client, browser: httpx2.Client
) -> None:
    client.create_study(spec(budget={"trials": 5}))

    refused = send(browser, "budget", trials="many", epochs="7")

    assert refused.text.count("must be an integer") == 1
    assert re.search(r'name="trials"[^>]* value="many" aria-invalid="true" aria-describedby="against-b', refused.text)
    assert re.search(r'name="epochs"[^>]* value="7">', refused.text)
    assert "<details open>" in refused.text
    assert 'href="/studies/study" aria-current="page">Overview' in refused.text


@pytest.mark.parametrize("action", ["state", "budget", "prescriptions"])
def test_the_address_of_a_change_leads_to_the_study(client: Client, browser: httpx2.Client, action: str) -> None:
    client.create_study(spec())

    answer = browser.get(f"{PAGE}/{action}")

    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)


def test_a_limit_whose_field_is_emptied_is_taken_away_and_one_without_a_field_stays(
    client: Client, browser: httpx2.Client
) -> None:
    client.create_study(spec(budget={"trials": 1, "seconds": 1000, "epochs": 50}))
    complete(client, [0.5])

    assert send(browser, "budget", trials="", epochs="50").status_code == 303

    study = client.study("study")
    assert study.state is StudyState.RUNNING
    assert study.spec.budget.model_dump(exclude_none=True) == {"seconds": 1000, "epochs": 50}
    assert re.search(r'name="trials"[^>]* placeholder="no limit">', browser.get(PAGE).text)


def test_numbers_of_a_form_are_numbers_and_what_is_none_is_left_to_be_refused() -> None:
    typed = {"trials": "30", "epochs": " ", "device_seconds": "many"}

    assert budget(typed) == {"trials": 30, "epochs": None, "device_seconds": "many"}
    assert budget({"seconds": "1e3"}) == {"seconds": 1000.0}


def test_a_study_is_deleted_after_a_question(client: Client, browser: httpx2.Client) -> None:
    client.create_study(spec())
    complete(client, [0.5])
    question = browser.get(f"{PAGE}/delete")
    assert "Its 1 trials go with it" in words(question)

    answer = send(browser, "delete")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    with pytest.raises(StudyNotFound):
        client.study("study")
    assert browser.get(PAGE).status_code == 404


def test_a_reader_sees_no_buttons_and_may_change_nothing(client: Client, served: Served) -> None:
    searched(client, 0.4)
    client.tell(lease_of(client), "complete", metrics={"validation_error": 0.3, "training_error": 0.29})
    reader = whoever_has(served, client.make_token(TokenKind.READER, "guest").token)

    page = reader.get(PAGE)

    assert page.status_code == 200
    assert re.findall(r'action="([^"]+)"', page.text) == ["/sign-out"]
    assert 'name="edits"' not in page.text
    for action in ("state", "budget", "prescriptions", "delete"):
        assert send(reader, action, state="paused", trials="99").status_code == 403
    assert reader.get(f"{PAGE}/delete").status_code == 403
    assert client.study("study").state is StudyState.RUNNING


def test_forms_of_other_sites_change_nothing(client: Client, browser: httpx2.Client) -> None:
    client.create_study(spec())

    for action in ("state", "budget", "prescriptions", "delete"):
        assert browser.post(f"{PAGE}/{action}", data={"state": "paused"}).status_code == 403
    assert client.study("study").state is StudyState.RUNNING


def test_what_follows_a_study_leads_back_to_it_and_has_no_doctor(client: Client, browser: httpx2.Client) -> None:
    searched(client, 0.4, 0.3)
    client.confirm("study")
    confirmed(client, 0.35)

    page = browser.get("/studies/study.confirmation")

    assert 'href="/studies/study"' in page.text
    assert 'id="findings"' not in page.text
    assert "/budget" not in page.text
    assert 'href="/studies/study.confirmation"' in browser.get(PAGE).text


def test_a_gradient_check_is_called_so(client: Client, browser: httpx2.Client) -> None:
    searched(client)
    client.check_gradients("study")

    assert "Followed by study.check (gradient check)" in words(browser.get(PAGE))
    assert "gradient check of study" in words(browser.get("/studies/study.check"))
    assert "study.check gradient check" in words(browser.get("/"))


def test_a_study_and_its_final_study_say_where_the_final_model_stands(client: Client, served: Served) -> None:
    searched(client, 0.3)
    reader = whoever_has(served, client.make_token(TokenKind.READER, "guest").token)
    before = words(reader.get(PAGE))
    client.make_final("study")
    coming = words(reader.get(PAGE))

    trained(client)

    assert "final model" not in before
    assert "Followed by study.final (final model)" in coming
    assert "The final model of study is in training." in coming
    for path in (PAGE, "/studies/study.final", "/fragments/studies/study"):
        page = reader.get(path)
        assert "The final model of study is complete. Test error 0.1 (95 %: 0.04 to 0.2; 30 examples)." in words(page)
        assert "trimtab study final study --download FILE" in words(page)
        (link,) = re.findall(r'href="(/v1/[^"]+/final/model)" download="study.final.zip"', page.text)
        assert reader.get(link).content == b"model"


def test_a_final_model_stays_shown_while_a_newer_one_comes(client: Client, browser: httpx2.Client) -> None:
    searched(client, 0.3)
    client.make_final("study")
    trained(client)
    client.make_final("study", override="mislabelled")

    page = words(browser.get(PAGE))

    assert "The final model of study is that of study.final ; a newer one is in training. Test error 0.1" in page
    assert "the test set was read 2 times" in page


def test_a_final_model_that_waits_or_failed_says_so(client: Client, browser: httpx2.Client) -> None:
    searched(client, 0.3)
    client.make_final("study", confirm=Confirm(top=1, repeats=2))
    waiting = words(browser.get(PAGE))

    client.change_study("study.confirmation", state=StudyState.STOPPED)

    assert "The final model of study waits for its confirmation." in waiting
    failed = "The final model of study has failed: its confirmation was stopped before a model was made of it."
    assert failed in words(browser.get(PAGE))


def test_words_of_strangers_are_text(client: Client, browser: httpx2.Client) -> None:
    hostile = "<script>alert(1)</script>"
    client.create_study(
        spec(space={"kind": {"type": "categorical", "choices": [hostile, hostile + "2"]}}, tags=[hostile])
    )
    complete(client, [0.5])

    page = browser.get(PAGE).text

    assert hostile not in page
    assert page.count("&lt;script&gt;alert(1)") >= 2


def test_what_changes_is_answered_alone_and_never_a_form_key(client: Client, browser: httpx2.Client) -> None:
    client.create_study(spec())
    complete(client, [0.5])

    parts = browser.get("/fragments/studies/study")

    assert re.findall(r'data-part="(\w+)"', parts.text) == ["head", "best", "findings"]
    assert "form_key" not in parts.text
    assert f"{METRIC}" in words(parts)


def test_the_pictures_are_drawn_from_json(client: Client, browser: httpx2.Client) -> None:
    client.create_study(spec())
    complete(client, [0.5, 0.25])
    report(client, lease_of(client), 1, 0.75)

    curves = browser.get(f"{PAGE}/curves").json()

    assert [(curve["number"], curve["state"], curve["values"]) for curve in curves["curves"]] == [
        (0, "complete", [0.5, 0.25]),
        (1, "running", [0.75]),
    ]
    assert browser.get(f"{PAGE}/plane").json()["dots"] == []
    assert browser.get(f"/v1{PAGE}/progress").json()["finished"] == 1


@pytest.mark.parametrize("path", ["", "/curves", "/plane", "/delete"])
def test_what_is_no_study_has_no_page(browser: httpx2.Client, path: str) -> None:
    assert browser.get(PAGE + path).status_code == 404
    assert browser.get(f"/studies/%3Cscript%3E{path}").status_code == 422
