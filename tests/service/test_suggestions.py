"""Trials of a study without a space say while they run which parameters they need."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from pydantic import JsonValue

from service.replica import Replica
from tests.service.long_polls import wait_until
from tests.service.record import let_leases_run_out, rows, statements, value
from tests.service.served import Serve
from tests.service.specs import METRIC, spec
from tests.service.test_closing import HELD_UP
from trimtab.client import Client
from trimtab.errors import Conflict, Invalid, LeaseEnded, LeaseLost, LeaseNotFound, StudyDeleted
from trimtab.protocol import Lease
from trimtab.space import Categorical, Float, Int, Parameter, Scale, Space
from trimtab.suggestions import MAX_ATTRIBUTE_BYTES, MAX_ATTRIBUTE_LEVELS

RATE = Float(low=1e-4, high=0.1, scale=Scale.LOG)
LAYERS = Int(low=1, high=3)
OPTIMIZER = Categorical(choices=("sgd", "adam"))


@pytest.fixture
def study(client: Client) -> str:
    """A study whose trials say what they search."""
    return client.create_study(spec(space=None)).name


def lease_of(client: Client, study: str = "study") -> Lease:
    (lease,) = client.ask("worker", study=study).leases
    return lease


@pytest.mark.parametrize("parameter", [RATE, LAYERS, OPTIMIZER, Float(low=0.5, high=0.99, scale=Scale.REVERSE_LOG)])
def test_a_suggested_value_lies_in_the_parameter_and_becomes_a_param_of_the_trial(
    client: Client, study: str, parameter: Parameter
) -> None:
    lease = lease_of(client)

    value = client.suggest(lease, "x", parameter)

    assert lease.params == {}
    assert parameter.contains(value)
    assert client.trial(study, 0).params == {"x": value}


def test_the_same_name_has_the_same_value_however_often_it_is_asked_for(client: Client, study: str) -> None:
    lease = lease_of(client)
    first = client.suggest(lease, "learning_rate", RATE)

    again = [client.suggest(lease, "learning_rate", RATE) for _ in range(3)]

    assert again == [first] * 3


def test_the_next_attempt_has_the_values_of_the_one_before(client: Client, study: str) -> None:
    lease = lease_of(client)
    first = client.suggest(lease, "learning_rate", RATE)
    client.tell(lease, "released")

    next_lease = lease_of(client)

    assert next_lease.trial == lease.trial
    assert next_lease.params == {"learning_rate": first}
    assert client.suggest(next_lease, "learning_rate", RATE) == first


def test_two_parameters_that_are_alike_have_values_of_their_own(client: Client, study: str) -> None:
    lease = lease_of(client)

    values = {client.suggest(lease, name, RATE) for name in ("one", "two", "three")}

    assert len(values) == 3


def test_what_trials_ask_for_becomes_the_space_of_the_study(client: Client, study: str) -> None:
    one, other = lease_of(client), lease_of(client)
    client.suggest(one, "layers", LAYERS)
    client.suggest(one, "optimizer", OPTIMIZER)

    client.suggest(other, "layers", Int(low=2, high=5))
    client.suggest(other, "learning_rate", RATE)

    space = client.study(study).spec.space
    assert space == Space({"layers": Int(low=1, high=5), "optimizer": OPTIMIZER, "learning_rate": RATE})


def test_before_the_first_suggestion_a_study_has_no_space(client: Client, study: str) -> None:
    lease_of(client)

    assert client.study(study).spec.space is None


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (Float(low=1.0, high=3.0), "type"),
        (Int(low=1, high=3, scale=Scale.LOG), "scale"),
        (Categorical(choices=(1, 2, 3)), "type"),
    ],
)
def test_another_kind_of_parameter_under_a_known_name_is_refused(
    client: Client, study: str, other: Parameter, field: str
) -> None:
    client.suggest(lease_of(client), "layers", LAYERS)

    with pytest.raises(Invalid, match="an integer from 1 to 3") as refusal:
        client.suggest(lease_of(client), "layers", other)

    assert [problem.field for problem in refusal.value.errors] == [field]
    assert client.trial(study, 1).params == {}


def test_other_choices_under_a_known_name_are_refused(client: Client, study: str) -> None:
    client.suggest(lease_of(client), "optimizer", OPTIMIZER)

    with pytest.raises(Invalid, match="one of sgd, adam, not one of adam, sgd"):
        client.suggest(lease_of(client), "optimizer", Categorical(choices=("adam", "sgd")))


def test_bounds_in_which_the_trials_value_does_not_lie_are_refused(client: Client, study: str) -> None:
    lease = lease_of(client)
    client.suggest(lease, "layers", Int(low=2, high=2))
    space = client.study(study).spec.space

    with pytest.raises(Invalid, match="has the value 2 in this trial"):
        client.suggest(lease, "layers", Int(low=3, high=4))

    assert client.suggest(lease, "layers", Int(low=1, high=4)) == 2
    assert client.study(study).spec.space == space


def test_steps_that_do_not_meet_are_taken_out_of_the_space(client: Client, study: str) -> None:
    asked = [Float(low=0.1, high=0.5, step=0.2), Float(low=0.2, high=0.6, step=0.2)]

    values = [client.suggest(lease_of(client), "dropout", parameter) for parameter in asked]

    assert any(values[0] == pytest.approx(value) for value in (0.1, 0.3, 0.5))
    assert client.study(study).spec.space == Space({"dropout": Float(low=0.1, high=0.6)})


def test_a_suggestion_in_a_study_with_a_space_is_refused(client: Client) -> None:
    client.create_study(spec())
    lease = lease_of(client)

    with pytest.raises(Conflict, match="has a space"):
        client.suggest(lease, "layers", LAYERS)


def test_a_suggestion_renews_the_lease(client: Client, engine: sa.Engine, study: str) -> None:
    lease = lease_of(client)
    ends = [_expiry(engine)]

    for _ in range(2):
        client.suggest(lease, "layers", LAYERS)
        ends.append(_expiry(engine))

    assert ends[0] < ends[1] < ends[2]


def _expiry(engine: sa.Engine) -> datetime:
    found = value(engine, "SELECT expires_at FROM trimtab_leases")
    assert isinstance(found, datetime)
    return found


@pytest.mark.parametrize("name", ["layers", "known"])
def test_nothing_is_suggested_to_a_lease_that_ran_out(client: Client, engine: sa.Engine, study: str, name: str) -> None:
    lease = lease_of(client)
    client.suggest(lease, "known", LAYERS)
    let_leases_run_out(engine)
    before = rows(engine)["trial_params"]

    with pytest.raises(LeaseLost):
        client.suggest(lease, name, LAYERS)

    assert rows(engine)["trial_params"] == before


def test_a_dead_lease_is_named_before_a_fault_of_the_parameter(client: Client, study: str) -> None:
    lease = lease_of(client)
    client.suggest(lease, "layers", LAYERS)
    client.tell(lease, "complete", metrics={METRIC: 0.5})

    with pytest.raises(LeaseEnded):
        client.suggest(lease, "layers", OPTIMIZER)


def test_nothing_is_suggested_to_a_lease_of_another_fence_or_of_none(client: Client, study: str) -> None:
    lease = lease_of(client)

    with pytest.raises(LeaseLost, match="fence"):
        client.suggest(lease.model_copy(update={"fence": 2}), "layers", LAYERS)
    with pytest.raises(LeaseNotFound):
        client.suggest(lease.model_copy(update={"id": "999999"}), "layers", LAYERS)


def test_nothing_is_suggested_to_a_lease_of_a_deleted_study(client: Client, study: str) -> None:
    lease = lease_of(client)
    client.delete_study(study)

    with pytest.raises(StudyDeleted):
        client.suggest(lease, "layers", LAYERS)


def test_a_trial_that_was_told_to_stop_is_still_suggested_values(client: Client, study: str) -> None:
    lease = lease_of(client)
    client.stop_trial(study, 0)

    assert LAYERS.contains(client.suggest(lease, "layers", LAYERS))


def test_a_study_has_no_more_parameters_than_a_space_may_have(client: Client, engine: sa.Engine, study: str) -> None:
    full = Space({f"x{number}": LAYERS for number in range(256)})
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE trimtab_studies SET space = CAST(:space AS json), revision = 1"),
            {"space": full.model_dump_json()},
        )

    with pytest.raises(Invalid, match="at most 256"):
        client.suggest(lease_of(client), "one_more", LAYERS)

    assert LAYERS.contains(client.suggest(lease_of(client), "x7", LAYERS))


NAMED = {"name": "x", "type": "float", "low": 0, "high": 1}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (NAMED | {"name": "a\0"}, "name"),
        (NAMED | {"name": "\ud800"}, "name"),
        (NAMED | {"name": "a" * 513}, "name"),
        (NAMED | {"name": "1-x"}, "name"),
        (NAMED | {"low": float("nan")}, "low"),
        (NAMED | {"high": float("inf")}, "high"),
        (NAMED | {"low": 2}, "low"),
        (NAMED | {"scale": "log"}, "low"),
        (NAMED | {"when": {"y": [1]}}, "when"),
        (NAMED | {"per": "y"}, "per"),
        (NAMED | {"type": "real"}, "body"),
        ({"name": "x", "type": "categorical", "choices": []}, "choices"),
        ({"name": "x", "type": "categorical", "choices": list(range(2_000))}, "choices"),
        ({"name": "x", "type": "categorical", "choices": ["a\0"]}, "choices.0"),
    ],
)
def test_what_is_no_parameter_is_refused_with_the_field_at_fault(
    client: Client, http: httpx2.Client, study: str, asked: dict[str, Any], field: str
) -> None:
    lease = lease_of(client)
    headers = {"Trimtab-Fence": str(lease.fence), "Content-Type": "application/json"}

    answer = http.post(f"/v1/leases/{lease.id}/suggestions", content=json.dumps(asked), headers=headers)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert client.study(study).spec.space is None


@pytest.mark.parametrize("content", ['{"value": NaN}', '{"value": "\\ud800"}', '{"value": 1e999}', "{}"])
def test_what_is_no_json_is_refused_as_an_attribute(
    client: Client, http: httpx2.Client, study: str, content: str
) -> None:
    lease = lease_of(client)
    headers = {"Trimtab-Fence": str(lease.fence), "Content-Type": "application/json"}

    answer = http.put(f"/v1/leases/{lease.id}/attributes/a", content=content, headers=headers)

    assert answer.status_code == 422
    assert client.trial(study, 0).user_attributes == {}


def test_an_attribute_is_shown_with_its_trial(client: Client, study: str) -> None:
    lease = lease_of(client)

    client.set_attribute(lease, "notes/of the day", {"seen": [1, None, "ä\x00"]})
    client.set_attribute(lease, "other", 1)
    client.set_attribute(lease, "other", 2.5)

    assert client.trial(study, 0).user_attributes == {"notes/of the day": {"seen": [1, None, "ä\x00"]}, "other": 2.5}


def test_a_later_attempt_overwrites_an_attribute(client: Client, study: str) -> None:
    lease = lease_of(client)
    client.set_attribute(lease, "a", "first")
    client.set_attribute(lease, "b", "first")
    client.tell(lease, "released")

    client.set_attribute(lease_of(client), "a", "second")

    assert client.trial(study, 0).user_attributes == {"a": "second", "b": "first"}


@pytest.mark.parametrize("key", ["", "a" * 513, "a\x00", ".", ".."])
def test_a_key_that_cannot_be_stored_is_refused(client: Client, study: str, key: str) -> None:
    with pytest.raises(Invalid, match="key"):
        client.set_attribute(lease_of(client), key, 1)


@pytest.mark.parametrize("key", ["%2E", "%2e%2E"])
def test_a_key_that_means_another_place_in_a_path_is_refused(
    http: httpx2.Client, client: Client, study: str, key: str
) -> None:
    lease = lease_of(client, study)

    path = f"/v1/leases/{lease.id}/attributes/{key}"
    answer = http.put(path, json={"value": 1}, headers={"Trimtab-Fence": str(lease.fence)})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["key"]


@pytest.mark.parametrize("path", ["/v1/studies/", "/v1/leases/1/attributes"])
def test_nobody_is_sent_on_to_another_path(http: httpx2.Client, path: str) -> None:
    answer = http.get(path, follow_redirects=False)

    assert answer.status_code == 404


def test_an_attribute_that_is_too_large_is_refused(client: Client, study: str) -> None:
    with pytest.raises(Invalid, match="65,536"):
        client.set_attribute(lease_of(client), "a", "x" * MAX_ATTRIBUTE_BYTES)


def nested(levels: int) -> JsonValue:
    value: JsonValue = []
    for level in range(1, levels):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize("levels", [MAX_ATTRIBUTE_LEVELS + 1, 254, 300])
def test_an_attribute_that_is_too_deep_is_refused(client: Client, http: httpx2.Client, study: str, levels: int) -> None:
    lease = lease_of(client)
    path = f"/v1/leases/{lease.id}/attributes/a"

    answer = http.put(path, json={"value": nested(levels)}, headers={"Trimtab-Fence": str(lease.fence)})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "value", "message": "has too many levels of lists and objects: at most 64"}
    ]


def test_the_deepest_attribute_is_read_back(client: Client, study: str) -> None:
    deepest = nested(MAX_ATTRIBUTE_LEVELS)

    client.set_attribute(lease_of(client), "a", deepest)

    assert client.trial(study, 0).user_attributes == {"a": deepest}
    assert [trial.user_attributes for trial in client.trials(study)] == [{"a": deepest}]


def test_an_attribute_that_has_itself_in_it_is_refused_before_it_is_sent(client: Client, study: str) -> None:
    endless: list[JsonValue] = []
    endless += [endless, endless]

    with pytest.raises(Invalid, match="too many levels"):
        client.set_attribute(lease_of(client), "a", endless)


def test_attributes_that_are_too_large_together_are_refused(client: Client, study: str) -> None:
    lease = lease_of(client)
    large = "x" * (MAX_ATTRIBUTE_BYTES - 100)
    for number in range(4):
        client.set_attribute(lease, str(number), large)

    with pytest.raises(Invalid, match="of all attributes of this trial"):
        client.set_attribute(lease, "4", large)

    client.set_attribute(lease, "0", large)
    assert set(client.trial(study, 0).user_attributes) == set("0123")


@pytest.mark.usefixtures("unhurried")
def test_attributes_that_come_at_once_are_not_too_large_together_either(
    client: Client, engine: sa.Engine, study: str
) -> None:
    lease = lease_of(client)
    large = "x" * (MAX_ATTRIBUTE_BYTES - 100)
    for number in range(3):
        client.set_attribute(lease, str(number), large)

    with ThreadPoolExecutor(2) as pool:
        with engine.begin() as holding:
            holding.execute(sa.text("SELECT FROM trimtab_leases FOR UPDATE"))
            calls = [pool.submit(client.set_attribute, lease, key, large) for key in ("a", "b")]
            wait_until(lambda: value(engine, HELD_UP) == 2)
        errors = [call.exception() for call in calls]

    assert sorted(type(error).__name__ for error in errors) == ["Invalid", "NoneType"]
    assert len(client.trial(study, 0).user_attributes) == 4


def test_an_attribute_of_a_lost_lease_is_refused(client: Client, engine: sa.Engine, study: str) -> None:
    lease = lease_of(client)
    let_leases_run_out(engine)

    with pytest.raises(LeaseLost):
        client.set_attribute(lease, "a", 1)

    assert rows(engine)["trial_user_attributes"] == []


@pytest.mark.usefixtures("nothing_ahead")
def test_a_suggestion_is_one_look_and_one_write_and_reads_no_trial_twice(
    client: Client, replica: Replica, study: str
) -> None:
    for error in (0.5, 0.25):
        lease = lease_of(client)
        client.suggest(lease, "layers", LAYERS)
        client.tell(lease, "complete", metrics={METRIC: error})
    lease = lease_of(client)
    client.suggest(lease, "layers", LAYERS)
    client.tell(lease, "complete", metrics={METRIC: 0.125})
    lease = lease_of(client)

    with statements(replica.engine) as first:
        client.suggest(lease, "layers", LAYERS)
    with statements(replica.engine) as again:
        client.suggest(lease, "layers", LAYERS)

    assert [re.findall("trimtab_[a-z]+", each)[0] for each in first] == [
        *("trimtab_standing", "trimtab_finished", "trimtab_take")
    ]
    assert [re.findall("trimtab_[a-z]+", each)[0] for each in again] == ["trimtab_standing", "trimtab_renew"]


@pytest.mark.usefixtures("unhurried")
def test_of_two_calls_at_once_through_two_replicas_one_gives_the_value(start_replica: Serve) -> None:
    clients = [start_replica().client for _ in range(2)]
    clients[0].create_study(spec(space=None, budget={"trials": 100}))
    leases = [lease_of(clients[0]) for _ in range(4)]
    asked = [(client, lease, name) for lease in leases for name in ("one", "two") for client in clients]

    with ThreadPoolExecutor(8) as threads:
        values = list(threads.map(lambda each: each[0].suggest(each[1], each[2], RATE), asked))

    assert values[::2] == values[1::2]
    assert [trial.params for trial in clients[0].trials("study")] == [
        {"one": one, "two": two} for one, two in zip(values[::4], values[2::4], strict=True)
    ]
    assert set(clients[1].study("study").spec.declared) == {"one", "two"}
