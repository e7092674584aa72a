"""/: what a list of studies shows, and what it costs."""

import re

import httpx2
import pytest
import sqlalchemy as sa

from service import summaries
from service.replica import Replica
from service.summaries import Summary
from tests.service import record
from tests.service.runs import EAGER, complete, lease_of, report
from tests.service.specs import METRIC, body, spec
from trimtab.client import Client
from trimtab.spec import StudySpec, TaskSpec
from trimtab.states import StudyState

DIGITS = StudySpec(name="digits", task=TaskSpec(name="mlp"))
ROWS = "/fragments/studies"
NAMES = re.compile(r'<a class="name" href="/studies/([^"]+)" title="[^"]+"><bdi>')


def names(page: str) -> list[str]:
    return NAMES.findall(page)


def shown(replica: Replica, state: StudyState | None = None) -> list[Summary]:
    return list(summaries.page(replica, state=state, tag=None, cursor=None, limit=50).items)


def test_a_study_is_shown_with_what_became_of_its_trials(client: Client, replica: Replica) -> None:
    client.create_study(spec(pruner=EAGER))
    for curve in ([0.5], [0.25], [0.75], [0.25]):
        complete(client, curve)
    worse = lease_of(client)
    report(client, worse, 1, 0.9)
    client.tell(worse, "pruned")
    client.tell(lease_of(client), "error", message="boom")
    lease_of(client)

    (study,) = shown(replica)

    course = study.course
    assert (course.finished, course.complete, course.pruned, course.failed) == (6, 4, 1, 1)
    assert course.steps == ((1, 0.5), (2, 0.25))
    assert (study.used, study.row.budget, study.row.running, study.row.workers) == (6, 10, 1, 1)
    assert study.row.best_value == 0.25


def test_the_course_goes_on_from_where_it_was_seen(client: Client, replica: Replica) -> None:
    client.create_study(spec(objectives=[{"metric": METRIC, "direction": "maximize"}]))
    for value in (0.5, 0.75):
        complete(client, [value])
    before = shown(replica)[0].course
    for value in (0.6, 0.9):
        complete(client, [value])

    after = shown(replica)[0].course

    assert before.steps == ((1, 0.5), (2, 0.75))
    assert after.steps == ((1, 0.5), (2, 0.75), (4, 0.9))
    assert (after.finished, after.complete) == (4, 4)


def test_a_trial_that_breaks_a_constraint_is_no_step(client: Client, replica: Replica) -> None:
    client.create_study(spec(constraints=[{"metric": "parameters", "at_most": 100}]))
    client.tell(lease_of(client), "complete", metrics={METRIC: 0.5, "parameters": 10.0})
    client.tell(lease_of(client), "complete", metrics={METRIC: 0.1, "parameters": 1000.0})

    (study,) = shown(replica)

    assert study.course.steps == ((1, 0.5),)
    assert study.course.complete == 2


def test_trials_that_came_finished_use_nothing_of_the_budget(client: Client, replica: Replica) -> None:
    client.create_study(spec())
    client.add_trial("study", {"x": 0.5}, metrics={METRIC: 0.5}, curve={1: {METRIC: 0.5}})

    (study,) = shown(replica)

    assert (study.used, study.course.finished) == (0, 1)


def test_a_study_that_has_another_life_has_another_course(client: Client, replica: Replica) -> None:
    client.create_study(spec())
    complete(client, [0.5])
    assert shown(replica)[0].course.finished == 1
    client.delete_study("study")
    client.create_study(spec())

    (study,) = shown(replica)

    assert (study.course.finished, study.course.steps) == (0, ())


def test_what_exists_only_for_a_study_is_beneath_it(client: Client, replica: Replica, http: httpx2.Client) -> None:
    client.create_study(DIGITS)
    client.create_study(spec("other"))
    client.check_gradients("digits")

    page = http.get("/")

    assert names(page.text) == ["other", "digits", "digits.check"]
    assert [companion.row.name for companion in shown(replica)[1].companions] == ["digits.check"]


def test_a_study_is_found_by_the_state_of_what_exists_only_for_it(client: Client, replica: Replica) -> None:
    client.create_study(DIGITS)
    client.check_gradients("digits")
    client.change_study("digits", state="stopped")

    assert [study.row.name for study in shown(replica, StudyState.RUNNING)] == ["digits"]
    assert shown(replica, StudyState.PAUSED) == []


@pytest.mark.parametrize("path", ["/", ROWS])
def test_studies_are_found_by_state_and_tag(client: Client, http: httpx2.Client, path: str) -> None:
    client.create_study(spec("one", tags=["night run"]))
    client.create_study(spec("two", tags=["night run"]))
    client.create_study(spec("three"))
    client.change_study("two", state="paused")

    assert names(http.get(path).text) == ["three", "two", "one"]
    assert names(http.get(path, params={"state": "running", "tag": ""}).text) == ["three", "one"]
    assert names(http.get(path, params={"tag": "night run", "state": "paused"}).text) == ["two"]
    assert "No study is stopped" in http.get(path, params={"state": "stopped"}).text


def test_older_studies_are_a_page_on_and_keep_what_they_were_found_by(client: Client, http: httpx2.Client) -> None:
    for number in range(52):
        client.create_study(spec(f"study-{number}", tags=["mine"]))

    first = http.get("/", params={"tag": "mine"})
    older = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert older
    second = http.get(older[1].replace("&amp;", "&"))

    assert len(names(first.text)) == 50
    assert names(second.text) == ["study-1", "study-0"]
    assert 'rel="next"' not in second.text


@pytest.mark.usefixtures("nothing_ahead")
def test_fifty_studies_cost_as_many_statements_as_one(client: Client, replica: Replica) -> None:
    client.create_study(spec("first"))
    complete(client, [0.5], "first")
    with record.statements(replica.engine) as for_one:
        shown(replica)
    for number in range(49):
        client.create_study(spec(f"study-{number}"))
        complete(client, [0.5], f"study-{number}")

    with record.statements(replica.engine) as for_fifty:
        assert len(shown(replica)) == 50

    assert len(for_fifty) == len(for_one) <= 4


@pytest.mark.usefixtures("nothing_ahead")
def test_what_has_not_changed_is_not_read_again(client: Client, replica: Replica) -> None:
    client.create_study(spec())
    complete(client, [0.5])
    with record.statements(replica.engine) as first:
        shown(replica)

    with record.statements(replica.engine) as second:
        shown(replica)

    assert any("finish_order" in statement for statement in first)
    assert not any("finish_order" in statement for statement in second)


def test_hostile_words_are_shown_as_text(client: Client, http: httpx2.Client) -> None:
    tags = ["<script>alert(1)</script>", "\u05e9\u05dc\u05d5\u05dd", '" onclick="x']
    client.create_study(spec(tags=tags))

    for page in (http.get("/"), http.get(ROWS), http.get("/", params={"tag": tags[0]})):
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
        assert '" onclick="x' not in page.text
        assert "<bdi>\u05e9\u05dc\u05d5\u05dd</bdi>" in page.text


def test_several_objectives_have_no_one_best(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec(objectives=[{"metric": "error"}, {"metric": "parameters"}]))
    client.tell(lease_of(client), "complete", metrics={"error": 0.5, "parameters": 10.0})

    page = http.get("/")

    assert "2 objectives" in page.text
    assert "<svg" not in page.text


def test_where_no_worker_is_the_page_says_how_to_start_one(
    client: Client, http: httpx2.Client, engine: sa.Engine
) -> None:
    client.create_study(DIGITS)
    before = http.get("/").text
    record.execute(engine, "INSERT INTO trimtab_workers (name, tasks) VALUES ('idle', '{mlp}')")
    there = http.get("/").text
    record.execute(engine, "UPDATE trimtab_workers SET last_seen_at = now() - interval '1 hour'")
    after = http.get("/").text

    assert ["<code>python -m workers</code>" in page for page in (before, there, after)] == [True, False, True]


def test_a_study_that_no_worker_can_train_says_so_in_its_row(
    client: Client, http: httpx2.Client, engine: sa.Engine
) -> None:
    client.create_study(spec(name="stuck", task={"name": "mine:net"}, objectives=[{"metric": "validation_error"}]))
    client.create_study(DIGITS)
    client.create_study(spec(name="asked"))
    record.execute(engine, "INSERT INTO trimtab_workers (name, tasks) VALUES ('idle', '{mlp}')")

    rows = http.get(ROWS).text.split("<tr data-key")[1:]

    assert [("no worker has its task" in row, *names(row)) for row in rows] == [
        (False, "asked"),
        (False, "digits"),
        (True, "stuck"),
    ]


def test_where_there_is_no_study_the_page_says_how_to_make_one(http: httpx2.Client, client: Client) -> None:
    reader = {"Authorization": f"Bearer {client.make_token('reader', 'guest').token}"}

    assert 'href="/new"' in http.get(ROWS).text
    assert "There is no study yet." in http.get(ROWS, headers=reader).text
    assert 'href="/new"' not in http.get(ROWS, headers=reader).text


def test_a_page_that_has_it_all_is_told_so(client: Client, http: httpx2.Client) -> None:
    http.post("/v1/studies", json=body())
    first = http.get(ROWS)

    second = http.get(ROWS, headers={"If-None-Match": first.headers["ETag"]})

    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["Cache-Control"] == "no-store"
