import json
import re
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from tests.service.browsing import form_key, signed_in
from tests.service.checkpointing import begun, lost, put
from tests.service.runs import complete, lease_of, report
from tests.service.served import Served
from tests.service.specs import METRIC, spec
from tests.service.test_signing_in import browser as browser  # noqa: PLC0414  # a fixture
from trimtab.client import Client
from trimtab.states import TokenKind, TrialState

HOSTILE = "<script>alert(1)</script>\u202e"


def shown(served: Served, number: int = 0, study: str = "study") -> str:
    answer = served.http.get(f"/studies/{study}/trials/{number}")
    assert answer.status_code == 200, answer.text
    return answer.text


def text_of(page: str) -> str:
    """What is read on a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def drawn_from(page: str) -> Mapping[str, Any]:
    """What the pictures of a page are drawn from."""
    found = re.search(r'<script type="application/json" id="curve-data">(.*?)</script>', page)
    assert found
    data: Mapping[str, Any] = json.loads(found[1])
    return data


@pytest.fixture
def study(client: Client) -> Client:
    """A client of a study with a complete trial."""
    client.create_study(spec())
    complete(client, [0.5, 0.25])
    return client


def test_a_trial_is_shown_with_its_curve_beside_the_best_one(study: Client, served: Served) -> None:
    complete(study, [0.75, 0.5, 0.375])

    page = shown(served, 1)

    assert drawn_from(page)["curve"] == {"steps": [1, 2, 3], "metrics": {METRIC: [0.75, 0.5, 0.375]}}
    assert drawn_from(page)["best"] == {"number": 0, "steps": [1, 2], "metrics": {METRIC: [0.5, 0.25]}}
    assert "It was trained to its end." in page
    assert text_of(page).count("≠ differs") == 1
    assert "This is the best trial." in shown(served, 0)


def test_a_trial_that_was_lost_shows_who_had_it_and_from_where_it_went_on(client: Client, served: Served) -> None:
    first = begun(client, 0.75, 0.5, 0.5)
    put(client, first, 2)
    again = lost(client, served.replica)
    report(client, again, 3, 0.25)

    words = text_of(shown(served))

    assert "1 to 3 from the beginning lost" in words
    assert "3 to 3 went on from the checkpoint of step 2 under way its lease holds until" in words
    assert drawn_from(shown(served))["curve"] == {"steps": [1, 2, 3], "metrics": {METRIC: [0.75, 0.5, 0.25]}}
    assert drawn_from(shown(served))["resumed"] == [2]


def test_a_running_trial_is_kept_alive_and_one_that_ended_is_not(study: Client, served: Served) -> None:
    running = lease_of(study)

    page = shown(served, running.trial)
    facts, doctor, figures = re.findall(r'data-fragment="([^"]*)"', page)
    report(study, running, 2, 0.375)

    assert "It is being trained." in served.http.get(facts).text
    assert "The doctor" in served.http.get(doctor).text
    assert f"Figures so far As of step 2 {METRIC} 0.375" in text_of(served.http.get(figures).text)
    assert "Nothing has been reported yet." in page
    assert "data-fragment" not in shown(served, 0)


def test_the_curve_of_a_trial_is_read_again_for_what_a_page_has_missed(study: Client, served: Served) -> None:
    running = lease_of(study)
    page = shown(served, running.trial)
    (source,) = re.findall(r'data-source="(/studies/[^"]*)"', page)
    table = f"/fragments{source.removesuffix('curve')}reports"

    for step in (1, 2, 3):
        report(study, running, step, 0.5)

    assert text_of(served.http.get(table).text).count("0.5 continue") == 3
    assert served.http.get(source).json() == {"steps": [1, 2, 3], "metrics": {METRIC: [0.5, 0.5, 0.5]}}


def test_what_it_wrote_and_what_it_left_on_record_is_shown(study: Client, served: Served) -> None:
    lease = lease_of(study)
    study.keep_lines(lease, ["epoch 1", "epoch 2"], first=0)
    study.set_attribute(lease, "weather", {"rain": True})

    page = shown(served, lease.trial)

    assert re.findall(r"<li[^>]*><bdi>([^<]*)", page) == ["epoch 1", "epoch 2"]
    assert re.findall(r'data-next="([^"]*)"', page) == ["1-1"]
    assert "weather" in page
    assert "It wrote nothing" in shown(served, 0)


def test_hostile_words_are_text(client: Client, served: Served) -> None:
    client.create_study(spec(space={"x": {"type": "categorical", "choices": [HOSTILE]}}))
    lease = lease_of(client)
    client.set_attribute(lease, "<script>alert(1)</script>", [HOSTILE])
    client.keep_lines(lease, ["</script><b>"], first=0)
    client.tell(lease, "error", message=HOSTILE)

    page = shown(served)

    assert "<script>alert" not in page
    assert "<b>" not in page
    assert text_of(page).count("Its training raised an error") == 1


def test_a_trial_is_stopped_by_its_button(study: Client, browser: httpx2.Client) -> None:
    running = lease_of(study)
    signed_in(browser)
    address = f"/studies/study/trials/{running.trial}"

    led = browser.post(f"{address}/stop", data={"form_key": form_key(browser.get(address))})

    assert (led.status_code, led.headers["Location"]) == (303, address)
    assert report(study, running, 1, 0.5).reason == "stopped by hand"


def test_a_trial_that_ended_meanwhile_is_not_stopped_and_that_is_said(study: Client, browser: httpx2.Client) -> None:
    signed_in(browser)
    key = form_key(browser.get("/studies/study/trials/0"))

    answer = browser.post("/studies/study/trials/0/stop", data={"form_key": key})

    assert answer.status_code == 409
    assert "has ended" in answer.text


def test_a_reader_sees_no_button_and_cannot_stop_a_trial(study: Client, browser: httpx2.Client) -> None:
    running = lease_of(study)
    signed_in(browser, study.make_token(TokenKind.READER, "guest").token)
    address = f"/studies/study/trials/{running.trial}"

    page = browser.get(address)

    assert "Stop this trial" not in page.text
    assert browser.post(f"{address}/stop", data={"form_key": form_key(page)}).status_code == 403
    assert study.trial("study", running.trial).state is TrialState.RUNNING


def test_a_trial_of_several_objectives_has_a_picture_of_each(client: Client, served: Served) -> None:
    client.create_study(spec(objectives=[{"metric": METRIC}, {"metric": "cost"}]))
    lease = lease_of(client)
    client.report(lease, step=1, metrics={METRIC: 0.5, "cost": 3.0})

    page = shown(served)

    assert re.findall(r'data-metrics="([^"]*)"', page) == [METRIC, "cost"]
    assert drawn_from(page)["best"] is None


def test_a_trial_that_came_finished_says_where_it_was_trained(client: Client, served: Served) -> None:
    client.create_study(spec())
    client.add_trial("study", {"x": 0.5}, metrics={METRIC: 0.5}, curve={1: {METRIC: 0.75}, 2: {METRIC: 0.5}})

    page = shown(served)

    assert "It was trained elsewhere, and came finished." in page
    assert drawn_from(page)["curve"]["steps"] == [1, 2]


def test_of_a_long_curve_the_first_the_best_and_the_last_point_are_drawn(client: Client, served: Served) -> None:
    client.create_study(spec())
    curve = {step: {METRIC: 0.5} for step in range(1, 2001)} | {777: {METRIC: 0.125}}
    client.add_trial("study", {"x": 0.5}, metrics={METRIC: 0.5}, curve=curve)

    page = shown(served)

    steps = drawn_from(page)["curve"]["steps"]
    assert {1, 777, 2000} <= set(steps)
    assert len(steps) < 400
    assert steps == sorted(steps)
    assert "61 of 2,000 steps" in page


def test_what_a_later_lease_of_the_same_attempt_reported_again_counts_alone(client: Client, served: Served) -> None:
    first = begun(client, 0.75, 0.5, 0.25)
    client.tell(first, "released")
    again = lease_of(client)
    report(client, again, 1, 0.5)

    assert drawn_from(shown(served))["curve"] == {"steps": [1], "metrics": {METRIC: [0.5]}}


@pytest.mark.parametrize(
    ("address", "status"),
    [("/studies/study/trials/7", 404), ("/studies/other/trials/0", 404), ("/studies/study/trials/none", 422)],
)
def test_what_is_not_there_is_refused_on_a_page(study: Client, served: Served, address: str, status: int) -> None:
    answer = served.http.get(address)

    assert answer.status_code == status
    assert "This page cannot be shown" in answer.text


def test_what_a_built_in_training_ended_with_is_explained_and_what_anybody_else_told_is_not(
    study: Client, served: Served
) -> None:
    metrics = {METRIC: 0.5, "best_step": 3.0}
    study.tell(lease_of(study), "complete", metrics=metrics, split="0" * 64)
    study.tell(lease_of(study), "complete", metrics=metrics)

    assert "<dd>epoch whose weights were kept</dd>" in shown(served, 1)
    assert "What these are" not in shown(served, 2)


def test_a_trial_that_diverged_says_in_which_step_beside_those_that_it_reported(study: Client, served: Served) -> None:
    lease = lease_of(study)
    report(study, lease, 1, 0.5)
    study.tell(lease, "diverged", step=2, metrics={METRIC: None})

    words = text_of(shown(served, 1))

    assert "diverged in step 2" in words
    assert "Steps reported" in words
    assert "1 to 1 from the beginning" in words
