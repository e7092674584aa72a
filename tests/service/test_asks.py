"""Ask: a worker gets trials that it can train, each with all its parameters and a lease."""

import pytest
import sqlalchemy as sa

from service.replica import Replica
from tests.service import record
from tests.service.served import LEASE_SECONDS
from tests.service.specs import number, spec
from trimtab.client import Client
from trimtab.errors import StudyNotFound
from trimtab.message import Params
from trimtab.spec import StudySpec
from trimtab.states import NoLease

MLP = {"name": "mlp"}


def trained(name: str) -> StudySpec:
    return spec(name, task=MLP, space="default", objectives=[{"metric": "validation_error"}])


def test_a_lease_holds_all_that_a_worker_needs(client: Client) -> None:
    created = client.create_study(trained("digits"))

    (lease,) = client.ask("worker", tasks=["mlp"]).leases

    assert (lease.study, lease.trial, lease.fence, lease.attempt) == ("digits", 0, 1, 1)
    assert lease.task == created.spec.task
    assert created.spec.searched.contains(lease.params)
    assert lease.expires_in == LEASE_SECONDS


def test_what_is_recorded_is_what_the_worker_got(client: Client) -> None:
    client.create_study(trained("digits"))
    leases = client.ask("worker", study="digits", count=20).leases

    trials = list(client.trials("digits"))

    assert [trial.params for trial in trials] == [lease.params for lease in leases]


def test_each_trial_of_an_ask_for_many_has_a_number_and_a_point_of_its_own(client: Client) -> None:
    client.create_study(spec(budget={"trials": 100}))

    leases = client.ask("worker", study="study", count=100).leases

    assert [lease.trial for lease in leases] == list(range(100))
    assert len({lease.params["x"] for lease in leases}) == 100
    assert len({lease.seed for lease in leases}) == 100


def test_an_ask_for_more_than_is_left_gets_what_is_left(client: Client) -> None:
    client.create_study(spec(budget={"trials": 3}))

    leases = client.ask("worker", study="study", count=256).leases

    assert len(leases) == 3


def test_a_worker_gets_only_tasks_that_it_can_train(client: Client) -> None:
    client.create_study(trained("digits"))
    client.create_study(spec("by-hand"))

    asked = client.ask("worker", tasks=["cnn", "mlp"], count=9)

    assert {lease.study for lease in asked.leases} == {"digits"}


def test_who_can_train_nothing_gets_studies_without_a_task(client: Client) -> None:
    client.create_study(trained("digits"))
    client.create_study(spec("free"))

    asked = client.ask("worker")

    assert [lease.study for lease in asked.leases] == ["free"]
    assert asked.leases[0].task is None


def test_who_names_a_study_gets_it_whatever_its_task(client: Client) -> None:
    client.create_study(trained("digits"))

    asked = client.ask("worker", study="digits")

    assert [lease.study for lease in asked.leases] == ["digits"]


def test_who_names_a_study_of_a_task_that_it_cannot_train_gets_nothing(client: Client) -> None:
    client.create_study(trained("digits"))

    asked = client.ask("worker", study="digits", tasks=["cnn"])

    assert asked.leases == []
    assert asked.reason is NoLease.NOTHING_NOW


def test_who_names_a_study_gets_no_other(client: Client) -> None:
    client.create_study(spec("one", budget={"trials": 1}))
    client.create_study(spec("other"))
    client.ask("worker", study="one")

    asked = client.ask("worker", study="one")

    assert asked.leases == []
    assert asked.reason is NoLease.NOTHING_NOW


def test_a_study_that_nobody_created_is_not_found(client: Client) -> None:
    with pytest.raises(StudyNotFound, match="'study'"):
        client.ask("worker", study="study")


def test_without_a_study_there_is_nothing_now(client: Client) -> None:
    asked = client.ask("worker")

    assert asked.leases == []
    assert asked.reason is NoLease.NOTHING_NOW


@pytest.mark.parametrize(
    ("state", "reason"),
    [("paused", NoLease.PAUSED), ("stopped", NoLease.STUDY_ENDED), ("complete", NoLease.STUDY_ENDED)],
)
def test_a_study_that_does_not_run_says_why_it_gives_no_trial(
    client: Client, engine: sa.Engine, state: str, reason: NoLease
) -> None:
    client.create_study(spec())
    ended_at = "NULL" if state == "paused" else "now()"
    record.execute(engine, f"UPDATE trimtab_studies SET state = '{state}', ended_at = {ended_at}")

    asked = client.ask("worker", study="study")

    assert asked.leases == []
    assert asked.reason is reason


def test_a_study_that_is_paused_while_a_point_is_chosen_gives_no_trial(
    client: Client, replica: Replica, engine: sa.Engine
) -> None:
    client.create_study(spec())

    def pause(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("EXECUTE trimtab_create"):
            record.execute(engine, "UPDATE trimtab_studies SET state = 'paused'")

    sa.event.listen(replica.engine, "before_cursor_execute", pause)
    asked = client.ask("worker", study="study")

    assert asked.leases == []
    assert client.study("study").counts.running == 0


def test_studies_share_the_workers(client: Client) -> None:
    for name in ("first", "second", "third"):
        client.create_study(spec(name))

    studies = [client.ask("worker").leases[0].study for _ in range(6)]

    assert studies == ["first", "second", "third"] * 2


def test_a_trial_that_waits_goes_before_a_new_one(client: Client) -> None:
    client.create_study(spec())
    first, second = client.ask("worker", study="study", count=2).leases
    client.tell(second, "released")
    client.tell(first, "released")

    again = [client.ask("other", study="study").leases[0] for _ in range(3)]

    assert [lease.trial for lease in again] == [0, 1, 2]
    assert [lease.params for lease in again[:2]] == [first.params, second.params]
    assert [lease.seed for lease in again[:2]] == [first.seed, second.seed]


def test_a_trial_that_waits_is_given_when_the_budget_is_used_up(client: Client) -> None:
    client.create_study(spec(budget={"trials": 1}))
    lease = client.ask("worker", study="study").leases[0]
    client.tell(lease, "released")

    asked = client.ask("other")

    assert [lease.trial for lease in asked.leases] == [0]


def test_the_same_asks_give_the_same_trials(client: Client) -> None:
    sampler = {"name": "tpe", "seed": 7, "startup_trials": 3}
    for name in ("one", "other"):
        client.create_study(spec(name, sampler=sampler))

    points = {name: [asked_and_told(client, name) for _ in range(8)] for name in ("one", "other")}

    assert points["one"] == points["other"]


def asked_and_told(client: Client, study: str) -> Params:
    """Run one trial, whose error is what was drawn; return its point."""
    lease = client.ask("worker", study=study).leases[0]
    client.tell(lease, "complete", metrics={"error": number(lease.params["x"])})
    return lease.params
