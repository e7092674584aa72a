"""The final model of a study: which trial it is of, the lock of the test set, and that nothing gets round the lock."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx2
import pytest
import sqlalchemy as sa

from service import companions
from service.database import transaction
from service.replica import Replica
from service.storage import studies
from tests.reliability.auditor import audit
from tests.service import record
from tests.service.finishing import ERROR, TESTED, confirmed, follow, searched, send, trained
from tests.service.runs import lease_of
from tests.service.served import Serve
from tests.service.specs import body, spec
from trimtab.client import Client
from trimtab.data import DataSpec
from trimtab.errors import (
    ConfirmationRunning,
    Conflict,
    FinalNotFound,
    Invalid,
    ModelNotFound,
    NoCompleteTrial,
    SeveralObjectives,
    TestSetRead,
)
from trimtab.finals import Confirm, FinalState
from trimtab.states import Purpose, StudyState

CONFIRM = Confirm(top=2, repeats=3)


def test_the_final_model_is_of_the_best_trial_and_trained_for_the_epochs_that_it_used(client: Client) -> None:
    searched(client, 0.3, 0.1, 0.2)
    best = client.best_trial("study")

    asked = client.make_final("study")

    lease = lease_of(client, "study.final")
    assert (asked.state, asked.trial, asked.final_study) == (FinalState.TRAINING, 1, "study.final")
    assert lease.purpose is Purpose.FINAL
    assert lease.params == best.params
    assert lease.task
    assert lease.task.fixed == {"epochs": 7, "patience": 0}
    assert lease.task.repeats == 1
    assert client.study("study.final").parent == "study"


EPOCHS: list[dict[str, Any]] = [
    {"type": "categorical", "choices": [20, 50]},
    {"type": "int", "low": 10, "high": 50},
    {"type": "int", "low": 10, "high": 90, "step": 40},
    {"type": "int", "low": 10, "high": 50, "scale": "log"},
]


@pytest.mark.parametrize("searched", EPOCHS)
@pytest.mark.parametrize(("best_step", "epochs"), [(7.0, 7), (4.4, 4)])
def test_epochs_and_patience_that_were_searched_are_what_the_final_model_needs(
    client: Client, searched: dict[str, Any], best_step: float, epochs: int
) -> None:
    space = {"epochs": searched, "patience": searched}
    task = {"name": "mlp", "data": {"dataset": "iris"}}
    client.create_study(spec(task=task, space=space, objectives=[{"metric": ERROR}]))
    client.tell(lease_of(client), "complete", metrics={ERROR: 0.1, "best_step": best_step})

    client.make_final("study")

    assert lease_of(client, "study.final").params == {"epochs": epochs, "patience": 0}


@pytest.mark.parametrize("best_step", [7.0, 20.0])
@pytest.mark.parametrize(
    "params",
    [
        {"epochs": 50, "patience": 0, "optimizer": "momentum", "momentum": 0.75, "decay_rate": 0.125, "dropout": 0.25},
        {"epochs": 50, "patience": 5, "optimizer": "adam"},
        {"epochs": 20, "patience": 5},
    ],
)
def test_a_final_model_has_what_its_trial_was_given_under_conditions_on_epochs_or_patience_and_no_more(
    client: Client, params: dict[str, Any], best_step: float
) -> None:
    space = {
        "epochs": {"type": "categorical", "choices": [20, 50]},
        "patience": {"type": "int", "low": 0, "high": 5},
        "optimizer": {"type": "categorical", "choices": ["momentum", "adam"], "when": {"epochs": [50]}},
        "momentum": {"type": "float", "low": 0.5, "high": 0.9, "when": {"optimizer": ["momentum"]}},
        "decay_rate": {"type": "float", "low": 0.0, "high": 0.5, "when": {"epochs": [50], "optimizer": ["momentum"]}},
        "dropout": {"type": "float", "low": 0.0, "high": 0.5, "when": {"patience": [0]}},
    }
    task = {"name": "mlp", "data": {"dataset": "iris"}}
    client.create_study(spec(task=task, space=space, objectives=[{"metric": ERROR}]))
    client.enqueue("study", params)
    client.tell(lease_of(client), "complete", metrics={ERROR: 0.1, "best_step": best_step})

    client.confirm("study", top=1, repeats=2)
    confirmed = lease_of(client, "study.confirmation")
    client.tell(confirmed, "complete", metrics={ERROR: 0.1, "best_step": best_step})
    client.make_final("study")

    assert confirmed.params == params
    assert lease_of(client, "study.final").params == {**params, "epochs": int(best_step), "patience": 0}


def test_a_final_model_that_is_trained_says_what_came_of_it(client: Client, engine: sa.Engine) -> None:
    searched(client, 0.3)
    client.make_final("study")

    trained(client)

    final = client.final("study")
    assert final.state is FinalState.COMPLETE
    assert final.test
    assert (final.test.error, final.test.low, final.test.high, final.test.examples) == (0.1, 0.04, 0.2, 30)
    assert final.model
    assert final.model.size == 5
    assert final.params["epochs"] == 7
    assert audit(engine) == []


def test_the_test_set_is_read_once(client: Client) -> None:
    searched(client, 0.3)
    client.make_final("study")
    trained(client)

    with pytest.raises(TestSetRead, match=r"'study\.final' at 20"):
        client.make_final("study")

    assert [(read.final_study, read.is_override) for read in client.final("study").reads] == [("study.final", False)]


def test_a_reading_counts_whatever_becomes_of_it(client: Client) -> None:
    searched(client, 0.3)
    client.make_final("study")
    client.tell(lease_of(client, "study.final"), "error", message="no")

    with pytest.raises(TestSetRead):
        client.make_final("study")

    assert client.final("study").state is FinalState.FAILED
    assert client.final("study").reason == "no"


def test_an_override_reads_the_test_set_again_and_is_recorded_with_its_reason(
    client: Client, engine: sa.Engine
) -> None:
    searched(client, 0.3)
    client.make_final("study")

    client.make_final("study", override="the first one was trained on wrong data")

    reads = client.final("study").reads
    assert [(read.final_study, read.is_override) for read in reads] == [("study.final", False), ("study.final-2", True)]
    assert reads[1].reason == "the first one was trained on wrong data"
    noted = record.value(engine, "SELECT details ->> 'reason' FROM trimtab_audit ORDER BY entry_id DESC LIMIT 1")
    assert noted == "the first one was trained on wrong data"


def test_an_override_that_trains_or_has_failed_leaves_the_model_that_there_is(client: Client, tmp_path: Path) -> None:
    searched(client, 0.3)
    client.make_final("study")
    trained(client)
    client.make_final("study", override="once more")

    during = client.final("study")
    client.tell(lease_of(client, "study.final-2"), "error", message="no")
    after = client.final("study")

    assert (during.state, during.final_study, after.state, after.final_study, after.reason) == (
        FinalState.TRAINING,
        "study.final",
        FinalState.FAILED,
        "study.final",
        "no",
    )
    assert during.test == after.test is not None
    assert client.fetch_model("study", tmp_path / "model.zip") == after.model == during.model


def prescribed(replica: Replica, name: str, parent: str = "study", **data: Any) -> None:
    """Make a study with other data than its parent's, as a prescription that the doctor might make."""
    with transaction(replica.engine) as connection:
        followed = studies.require(connection, parent)
        assert followed.spec.task
        changed = DataSpec.model_validate(followed.spec.task.data.model_dump() | data)
        task = followed.spec.task.model_copy(update={"data": changed})
        made = followed.spec.model_copy(update={"name": name, "task": task})
        studies.insert(connection, made, purpose=Purpose.PRESCRIPTION, parent_id=followed.study_id)


@pytest.mark.parametrize(("first", "second"), [("study", "study-3"), ("study-3", "study"), ("study-2", "study-3")])
def test_a_prescription_of_the_same_data_has_the_same_test_set(
    client: Client, replica: Replica, first: str, second: str
) -> None:
    searched(client)
    prescribed(replica, "study-2")
    prescribed(replica, "study-3", parent="study-2", split={"folds": 3})
    for name in (first, second):
        client.tell(lease_of(client, name), "complete", metrics={ERROR: 0.1})
    client.make_final(first)

    with pytest.raises(TestSetRead, match=f"by '{first}.final' of '{first}', which is of the same data and split, at"):
        client.make_final(second)
    again = client.make_final(second, override="the network is another one")

    expected = [(first, f"{first}.final", False), (second, f"{second}.final", True)]
    assert [(read.study, read.final_study, read.is_override) for read in again.reads] == expected
    assert client.final(first).reads == again.reads
    with pytest.raises(TestSetRead, match=f"by '{second}.final' at"):
        client.make_final(second)


@pytest.mark.parametrize(
    ("deleted", "reads", "parent"),
    [("study-2", "study", "study-2"), ("study", "study-2", "study"), ("study", "study-2", "study-2")],
    ids=["in between", "before both", "before the first"],
)
def test_the_deletion_of_a_study_opens_no_test_set_to_those_that_it_linked(
    client: Client, replica: Replica, deleted: str, reads: str, parent: str
) -> None:
    searched(client, 0.3)
    prescribed(replica, "study-2")
    prescribed(replica, "study-3", parent=parent)
    for name in ("study-2", "study-3"):
        client.tell(lease_of(client, name), "complete", metrics={ERROR: 0.1})
    client.make_final(reads)

    client.delete_study(deleted)

    with pytest.raises(TestSetRead, match=f"by '{reads}.final' of '{reads}'"):
        client.make_final("study-3")


@pytest.mark.parametrize("data", [{"split": {"seed": 1}}, {"dataset": "wine"}, {"test_dataset": "wine"}])
def test_a_prescription_with_another_test_set_reads_its_own(
    client: Client, replica: Replica, data: dict[str, Any]
) -> None:
    searched(client, 0.3)
    prescribed(replica, "study-2", **data)
    client.tell(lease_of(client, "study-2"), "complete", metrics={ERROR: 0.1})
    client.make_final("study")

    final = client.make_final("study-2")

    assert [read.is_override for read in final.reads] == [False]


def test_a_test_set_that_another_read_during_the_confirmation_is_not_read_again(
    client: Client, replica: Replica
) -> None:
    searched(client, 0.3)
    prescribed(replica, "study-2")
    client.tell(lease_of(client, "study-2"), "complete", metrics={ERROR: 0.1})
    client.make_final("study", confirm=CONFIRM)
    client.make_final("study-2")
    confirmed(client, 0.1)

    follow(replica)

    final = client.final("study")
    assert (final.state, [read.study for read in final.reads]) == (FinalState.FAILED, ["study-2"])
    assert "was read by 'study-2.final'" in str(final.reason)


@pytest.mark.parametrize("wanted", [{"override": True}, {"reason": "why"}, {"override": True, "reason": " "}])
def test_an_override_has_a_reason_and_a_reason_an_override(http: httpx2.Client, wanted: dict[str, Any]) -> None:
    answer = http.post("/v1/studies/study/final", json=wanted)

    assert answer.status_code == 422
    assert "reason" in answer.json()["errors"][0]["field"]


@pytest.mark.usefixtures("unhurried")
def test_of_two_that_read_at_once_one_does(client: Client, start_replica: Serve) -> None:
    searched(client, 0.3)
    clients = [start_replica().client for _ in range(2)]

    def ask(client: Client) -> str:
        try:
            return client.make_final("study").state
        except TestSetRead:
            return "refused"

    with ThreadPoolExecutor() as pool:
        answers = sorted(pool.map(ask, clients))

    assert answers == ["refused", "training"]


def test_the_same_request_again_is_the_same_reading(http: httpx2.Client, client: Client) -> None:
    searched(client, 0.3)
    headers = {"Idempotency-Key": "k"}

    answers = [http.post("/v1/studies/study/final", json={}, headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert len(client.final("study").reads) == 1


def test_a_deleted_final_study_was_still_a_reading(client: Client) -> None:
    searched(client, 0.3)
    client.make_final("study")

    client.delete_study("study.final")

    with pytest.raises(TestSetRead):
        client.make_final("study")
    assert client.final("study").state is FinalState.FAILED


def test_the_final_model_is_that_of_the_lowest_mean_where_trials_were_confirmed(client: Client) -> None:
    searched(client, 0.3, 0.1, 0.2, best_step=20.0)
    client.confirm("study", top=2, repeats=3)
    confirmed(client, 0.25, 0.15)

    final = client.make_final("study")

    assert final.trial == 2
    assert final.params["epochs"] == 4
    assert final.confirmation
    assert [(trial.trial, trial.value, trial.standard_error) for trial in final.confirmation.trials] == [
        (2, 0.15, 0.01),
        (1, 0.25, 0.01),
    ]


def test_a_confirmation_trains_the_best_trials_again_with_fresh_seeds(client: Client) -> None:
    searched(client, 0.3, 0.1, 0.2)

    asked = client.confirm("study", top=2, repeats=3)

    leases = [lease_of(client, "study.confirmation") for _ in range(2)]
    trials = list(client.trials("study"))
    assert [lease.params for lease in leases] == [trials[1].params, trials[2].params]
    assert [lease.task.repeats for lease in leases if lease.task] == [3, 3]
    assert [trial.trial for trial in asked.trials] == [1, 2]
    assert {lease.seed for lease in leases}.isdisjoint(lease_of(client).seed for _ in range(3))


def test_seeds_are_fresh_after_a_deletion_too(client: Client) -> None:
    searched(client, 0.3)
    seeds = []
    for _ in range(2):
        client.confirm("study", top=1, repeats=2)
        seeds.append(lease_of(client, "study.confirmation").seed)
        client.delete_study("study.confirmation")
    client.make_final("study")
    seeds.append(lease_of(client, "study.final").seed)
    client.delete_study("study.final")
    client.make_final("study", override="the first was deleted")

    seeds.append(lease_of(client, "study.final").seed)

    assert len(set(seeds)) == 4


def test_a_study_that_maximizes_is_confirmed_so(client: Client) -> None:
    task = {"name": "mlp", "data": {"dataset": "iris"}}
    space = {"hidden_units": {"type": "int", "low": 4, "high": 32}}
    objective = {"metric": "parameters", "direction": "maximize"}
    client.create_study(spec(task=task, space=space, objectives=[objective]))
    for parameters in (10.0, 30.0, 20.0):
        client.tell(lease_of(client), "complete", metrics={"parameters": parameters})
    client.confirm("study", top=2, repeats=2)
    for mean in (25.0, 26.0):
        client.tell(lease_of(client, "study.confirmation"), "complete", metrics={"parameters": mean})

    confirmation = client.confirmation("study")

    assert [(trial.trial, trial.value) for trial in confirmation.trials] == [(2, 26.0), (1, 25.0)]
    assert client.best_trial("study.confirmation").values == {"parameters": 26.0}
    assert client.make_final("study").trial == 2


def test_one_request_confirms_and_makes_the_final_model_when_that_has_ended(
    client: Client, replica: Replica, start_replica: Serve
) -> None:
    searched(client, 0.3, 0.1, 0.2)
    other = start_replica().replica

    asked = client.make_final("study", confirm=CONFIRM)
    follow(replica)
    states = [asked.state, client.final("study").state]
    confirmed(client, 0.15, 0.1)
    follow(replica, other)

    final = client.final("study")
    assert states == [FinalState.CONFIRMING, FinalState.CONFIRMING]
    assert (final.state, final.trial) == (FinalState.TRAINING, 2)
    assert [read.final_study for read in final.reads] == ["study.final"]
    assert client.study("study").children == ["study.confirmation", "study.final"]


def test_nothing_is_read_while_a_confirmation_runs(client: Client) -> None:
    searched(client, 0.3)
    client.make_final("study", confirm=CONFIRM)

    for confirm in (None, CONFIRM):
        with pytest.raises(ConfirmationRunning):
            client.make_final("study", confirm=confirm)

    assert client.final("study").reads == []


def test_a_confirmation_that_came_to_nothing_reads_nothing(client: Client, replica: Replica) -> None:
    searched(client, 0.3)
    client.make_final("study", confirm=CONFIRM)
    client.tell(lease_of(client, "study.confirmation"), "diverged")

    follow(replica)

    final = client.final("study")
    assert (final.state, final.reason, final.reads) == (
        FinalState.FAILED,
        "no trial of 'study.confirmation' is complete",
        [],
    )
    assert client.make_final("study").trial == 0
    assert client.final("study").state is FinalState.TRAINING


def test_a_final_model_that_cannot_be_made_of_its_confirmation_says_why(
    client: Client, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched(client, 0.3)
    client.make_final("study", confirm=CONFIRM)
    confirmed(client, 0.1)
    refusal = Mock(side_effect=Invalid("the task cannot be trained so", errors=[]))
    monkeypatch.setattr(companions, "follow", refusal)

    follow(replica)
    follow(replica)

    final = client.final("study")
    assert (final.state, final.reason, final.reads) == (FinalState.FAILED, "the task cannot be trained so", [])
    assert refusal.call_count == 1


def test_a_final_model_whose_confirmation_was_deleted_has_failed(client: Client, replica: Replica) -> None:
    searched(client, 0.3)
    client.make_final("study", confirm=CONFIRM)
    client.delete_study("study.confirmation")

    follow(replica)

    final = client.final("study")
    assert (final.state, final.reason, final.reads) == (
        FinalState.FAILED,
        "its confirmation was deleted before a model was made of it",
        [],
    )
    assert client.make_final("study", confirm=CONFIRM).state is FinalState.CONFIRMING


def test_a_confirmation_that_is_stopped_reads_nothing_unless_it_is_resumed(client: Client, replica: Replica) -> None:
    searched(client, 0.3, 0.1)
    client.make_final("study", confirm=CONFIRM)
    runs = lease_of(client, "study.confirmation")
    confirmed(client, 0.1)
    client.change_study("study.confirmation", state=StudyState.STOPPED)

    follow(replica)
    stopped = client.final("study")
    client.change_study("study.confirmation", state=StudyState.RUNNING)
    client.tell(runs, "complete", metrics={ERROR: 0.2})
    follow(replica)

    assert (stopped.state, stopped.reason, stopped.reads) == (
        FinalState.FAILED,
        "its confirmation was stopped before a model was made of it",
        [],
    )
    assert (client.final("study").state, client.final("study").trial) == (FinalState.TRAINING, 0)


def test_after_a_confirmation_that_is_stopped_a_final_model_may_be_asked_for_again(
    client: Client, replica: Replica
) -> None:
    searched(client, 0.3)
    client.make_final("study", confirm=CONFIRM)
    client.change_study("study.confirmation", state=StudyState.STOPPED)

    asked = client.make_final("study")

    follow(replica)
    assert asked.state is FinalState.TRAINING
    assert [read.final_study for read in client.final("study").reads] == ["study.final"]


def test_a_final_model_that_is_stopped_before_it_was_trained_has_failed_until_it_is_resumed(
    client: Client, tmp_path: Path
) -> None:
    searched(client, 0.3)
    client.make_final("study")
    client.change_study("study.final", state=StudyState.STOPPED)

    stopped = client.final("study")

    said = "'study.final' was stopped by hand; it goes on when it is resumed"
    assert (stopped.state, stopped.reason) == (FinalState.FAILED, said)
    with pytest.raises(ModelNotFound) as refused:
        client.fetch_model("study", tmp_path / "model.zip")
    assert refused.value.retry_after is None
    client.change_study("study.final", state=StudyState.RUNNING)
    assert client.final("study").state is FinalState.TRAINING


def test_a_final_model_that_is_stopped_in_training_is_in_training_while_its_worker_is(client: Client) -> None:
    searched(client, 0.3)
    client.make_final("study")
    lease = lease_of(client, "study.final")
    client.change_study("study.final", state=StudyState.STOPPED)

    during = client.final("study").state
    client.tell(lease, "released")

    assert (during, client.final("study").state) == (FinalState.TRAINING, FinalState.FAILED)


def test_without_a_complete_trial_there_is_nothing_to_choose(client: Client) -> None:
    searched(client)

    with pytest.raises(NoCompleteTrial):
        client.make_final("study")
    with pytest.raises(NoCompleteTrial):
        client.confirm("study")


def test_several_objectives_do_not_say_which_trial_is_final(http: httpx2.Client, client: Client) -> None:
    several = body(task={"name": "mlp"}, space="default", objectives=[{"metric": ERROR}, {"metric": "parameters"}])
    http.post("/v1/studies", json=several)

    with pytest.raises(SeveralObjectives):
        client.make_final("study")


def test_a_study_without_a_task_has_no_final_model(http: httpx2.Client, client: Client) -> None:
    http.post("/v1/studies", json=body())

    with pytest.raises(Conflict, match="no task"):
        client.make_final("study")


@pytest.mark.parametrize("change", [{"purpose": "final"}, {"task": {"name": "mlp", "purpose": "final"}}])
def test_nobody_makes_a_study_that_reads_the_test_set(http: httpx2.Client, change: dict[str, Any]) -> None:
    answer = http.post("/v1/studies", json=body(**change))

    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("field", "value"),
    [("fixed", {"purpose": "final"}), ("data", {"purpose": "final"}), ("data", {"split": {"test": 0}})],
)
def test_nobody_asks_for_the_test_set_by_the_task(http: httpx2.Client, field: str, value: dict[str, Any]) -> None:
    answer = http.post("/v1/studies", json=body(task={"name": "mlp", field: value}, space="default"))

    assert answer.status_code == 422


def test_a_study_whose_objective_is_the_error_on_the_test_set_is_refused(http: httpx2.Client) -> None:
    spec = body(task={"name": "mlp"}, space="default", objectives=[{"metric": "test_error"}])

    answer = http.post("/v1/studies", json=spec)

    assert answer.status_code == 422


def test_a_study_that_is_called_final_is_no_final_model(http: httpx2.Client, client: Client) -> None:
    http.post(
        "/v1/studies", json=body("study.final", task={"name": "mlp"}, space="default", objectives=[{"metric": ERROR}])
    )
    searched(client, 0.3)

    lease = lease_of(client, "study.final")
    made = client.make_final("study")

    assert lease.purpose is Purpose.SEARCH
    assert made.final_study == "study.final-2"


def test_a_final_study_has_no_trial_but_its_own(client: Client) -> None:
    searched(client, 0.3)
    client.make_final("study")
    trained(client)
    given = {"learning_rate": 0.1, "hidden_units": 8}

    with pytest.raises(Conflict):
        client.change_study("study.final", budget=5)
    with pytest.raises(Conflict):
        client.change_study("study.final", space={"hidden_units": {"high": 64}})
    with pytest.raises(Conflict):
        client.enqueue("study.final", given)

    assert client.study("study.final").state is StudyState.COMPLETE


@pytest.mark.parametrize("follower", ["study.confirmation", "study.final"])
def test_what_follows_a_study_has_no_final_model_of_its_own(client: Client, follower: str) -> None:
    searched(client, 0.3)
    client.confirm("study", top=1, repeats=2)
    confirmed(client, 0.2)
    client.make_final("study")
    trained(client)

    with pytest.raises(Conflict, match="'study'"):
        client.make_final(follower)


def test_before_it_is_asked_for_there_is_no_final_model(client: Client, tmp_path: Path) -> None:
    searched(client, 0.3)

    with pytest.raises(FinalNotFound):
        client.final("study")
    with pytest.raises(ModelNotFound):
        client.fetch_model("study", tmp_path / "model.zip")


def test_the_lease_that_is_lost_and_its_next_are_one_reading(client: Client, replica: Replica) -> None:
    searched(client, 0.3)
    client.make_final("study")
    first = lease_of(client, "study.final")
    client.tell(first, "released")

    second = lease_of(client, "study.final")
    send(client, second)
    client.tell(second, "complete", metrics=TESTED)

    assert first.params == second.params
    assert len(client.final("study").reads) == 1
