"""Studies are listed newest first, page by page."""

import httpx2
import pytest
import sqlalchemy as sa

from tests.service import record
from tests.service.specs import spec
from trimtab.client import Client


@pytest.fixture
def names(client: Client) -> list[str]:
    """The names of some studies, newest first."""
    names = [f"study-{number}" for number in range(5)]
    for name in names:
        client.create_study(spec(name))
    return names[::-1]


def listed(http: httpx2.Client, **query: str | int) -> tuple[list[str], str | None]:
    """Return the names on a page, and where the next one begins."""
    answer = http.get("/v1/studies", params=query)
    assert answer.status_code == 200, answer.text
    return [study["name"] for study in answer.json()["items"]], answer.json()["next"]


def test_a_service_without_studies_lists_none(client: Client) -> None:
    assert list(client.studies()) == []


def test_studies_are_listed_newest_first(client: Client, names: list[str]) -> None:
    assert [study.name for study in client.studies()] == names


def test_a_cursor_leads_from_page_to_page_to_the_end(http: httpx2.Client, names: list[str]) -> None:
    first, second_begins = listed(http, limit=2)
    second, last_begins = listed(http, limit=2, cursor=str(second_begins))
    last, end = listed(http, limit=2, cursor=str(last_begins))

    assert [first, second, last] == [names[:2], names[2:4], names[4:]]
    assert end is None


def test_a_page_that_holds_just_the_rest_is_the_last(http: httpx2.Client, names: list[str]) -> None:
    page, cursor = listed(http, limit=5)

    assert page == names
    assert cursor is None


def test_a_study_created_meanwhile_does_not_shift_the_next_page(
    client: Client, http: httpx2.Client, names: list[str]
) -> None:
    _, cursor = listed(http, limit=2)
    client.create_study(spec("newest"))

    page, _ = listed(http, limit=2, cursor=str(cursor))

    assert page == names[2:4]


def test_a_page_may_begin_after_a_study_that_was_deleted_meanwhile(
    client: Client, http: httpx2.Client, names: list[str]
) -> None:
    _, cursor = listed(http, limit=2)
    client.delete_study(names[1])

    page, _ = listed(http, limit=2, cursor=str(cursor))

    assert page == names[2:4]


@pytest.mark.parametrize(("state", "expected"), [("paused", ["study-3"]), ("running", ["study-4"]), ("complete", [])])
def test_a_state_filters_the_list(
    client: Client, http: httpx2.Client, engine: sa.Engine, state: str, expected: list[str]
) -> None:
    client.create_study(spec("study-3"))
    client.create_study(spec("study-4"))
    record.execute(
        engine,
        "UPDATE trimtab_studies SET state = 'paused' WHERE study_id = "
        "(SELECT study_id FROM studies WHERE study_name = 'study-3')",
    )

    page, _ = listed(http, state=state)

    assert page == expected


def test_each_study_of_a_list_has_its_own_counts(client: Client) -> None:
    client.create_study(spec("idle"))
    client.create_study(spec("busy"))
    client.ask("worker", study="busy", count=3)

    counts = {study.name: study.counts.running for study in client.studies()}

    assert counts == {"busy": 3, "idle": 0}
