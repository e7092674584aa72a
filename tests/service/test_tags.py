"""Studies have tags to be found again by."""

import httpx2
import pytest
import sqlalchemy as sa

from service.storage import studies as stored
from tests.service import record
from tests.service.runs import complete
from tests.service.specs import body, spec
from tests.service.test_plans import noted_plans
from trimtab.client import Client
from trimtab.errors import Invalid, StudyExists
from trimtab.states import StudyState

STUDIES = """
    WITH made AS (
      INSERT INTO studies (study_name) SELECT 'many-' || n FROM generate_series(1, 5000) n RETURNING study_id
    )
    INSERT INTO trimtab_studies (study_id, spec, budget, created, finished, state, tags)
    SELECT study_id, '{}', 1, 1, 1, 'paused', ARRAY['night'] FROM made
"""


def names(client: Client, **conditions: str) -> list[str]:
    return [study.name for study in client.studies(**conditions)]  # type: ignore[arg-type]  # limit is none of them


def test_a_study_shows_its_tags_in_their_order(client: Client) -> None:
    created = client.create_study(spec(tags=["night shift", "äpfel", "A"]))

    assert created.spec.tags == client.study("study").spec.tags == ("night shift", "äpfel", "A")


def test_studies_are_listed_by_tag_and_state_page_by_page(client: Client, http: httpx2.Client) -> None:
    for number in range(6):
        client.create_study(spec(f"study-{number}", tags=["even", "all"] if number % 2 == 0 else ["all"]))
    client.change_study("study-4", state="paused")

    page = http.get("/v1/studies", params={"tag": "even", "limit": 2}).json()
    rest = http.get("/v1/studies", params={"tag": "even", "limit": 2, "cursor": page["next"]}).json()

    assert [[study["name"] for study in part["items"]] for part in (page, rest)] == [
        ["study-4", "study-2"],
        ["study-0"],
    ]
    assert names(client, tag="even", state=StudyState.RUNNING) == ["study-2", "study-0"]
    assert names(client, tag="even", state="paused") == ["study-4"]
    assert names(client, tag="Even") == names(client, tag="eve") == []
    assert len(names(client, tag="all")) == 6


def test_tags_are_replaced_also_in_a_study_that_has_ended(client: Client) -> None:
    client.create_study(spec(tags=["old"], budget={"trials": 1}))
    complete(client, [0.5])

    changed = client.change_study("study", tags=["new", "newer"])
    emptied = client.change_study("study", tags=[])

    assert (changed.spec.tags, changed.state) == (("new", "newer"), StudyState.COMPLETE)
    assert emptied.spec.tags == ()
    assert names(client, tag="old") == names(client, tag="new") == []


def test_what_is_not_changed_stays(client: Client) -> None:
    client.create_study(spec(tags=["kept"], priority=3))

    client.change_study("study", budget=20)

    assert (client.study("study").spec.tags, client.study("study").spec.priority) == (("kept",), 3)


def test_the_same_spec_again_is_compared_with_the_tags_and_priority_of_its_creation(client: Client) -> None:
    client.create_study(spec(tags=["one"], priority=1))
    client.change_study("study", tags=["two"], priority=2)

    again = client.create_study(spec(tags=["one"], priority=1))

    assert (again.spec.tags, again.spec.priority) == (("two",), 2)
    with pytest.raises(StudyExists, match=r"differs in tags, priority; take another name"):
        client.create_study(spec(tags=["two"], priority=2))


@pytest.mark.parametrize(
    ("tags", "field"),
    [
        (["a", "b", "a"], "tags"),
        ([f"tag-{number}" for number in range(33)], "tags"),
        (["a" * 65], "tags.0"),
        ([""], "tags.0"),
        (["a", " b"], "tags.1"),
        (["a\nb"], "tags.0"),
        (["a\x00b"], "tags.0"),
        ("a", "tags"),
    ],
)
def test_tags_that_nobody_could_type_are_refused(http: httpx2.Client, tags: object, field: str) -> None:
    http.post("/v1/studies", json=body())

    answers = [
        http.post("/v1/studies", json=body("other", tags=tags)),
        http.patch("/v1/studies/study", json={"tags": tags}),
    ]

    assert [(answer.status_code, answer.json()["errors"][0]["field"]) for answer in answers] == [(422, field)] * 2


def test_the_longest_tags_are_taken(client: Client) -> None:
    tags = [f"{number:064}" for number in range(32)]

    assert client.create_study(spec(tags=tags)).spec.tags == tuple(tags)


def test_a_tag_that_no_study_can_have_is_not_asked_for(client: Client) -> None:
    with pytest.raises(Invalid, match="tag"):
        client.studies(tag="a" * 65)


def test_a_change_of_tags_and_priority_is_in_the_audit(client: Client, engine: sa.Engine) -> None:
    client.create_study(spec(tags=["one"]))

    client.change_study("study", tags=["two"], priority=-1)

    noted = record.value(engine, "SELECT details FROM trimtab_audit WHERE action = 'change study'")
    assert noted == {"tags": {"from": ["one"], "to": ["two"]}, "priority": {"from": 0, "to": -1}}


def test_a_tag_or_a_state_that_few_studies_have_is_found_by_its_index(client: Client, engine: sa.Engine) -> None:
    record.execute(engine, STUDIES)
    client.create_study(spec(tags=["rare"]))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE trimtab_studies"))
    plans = noted_plans(engine)

    with engine.connect() as connection:
        for state, tag in ((None, "rare"), (StudyState.STOPPED, None), (None, None)):
            stored.newest(connection, state=state, tag=tag, before=None, limit=1)

    by_tag, by_state, by_age = [plan for statement, plan in plans.items() if "ORDER BY study_id DESC" in statement]
    assert "ix_trimtab_studies_tags" in by_tag
    assert "ix_trimtab_studies_state" in by_state
    assert "pk_trimtab_studies" in by_age
    assert "Seq Scan on trimtab_studies " not in by_tag + by_state + by_age
