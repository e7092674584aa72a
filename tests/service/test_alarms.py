"""A best value that sits on a bound is in the study, whatever its sampler."""

import httpx2
import pytest

from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.protocol import Alarm


def study_with(client: Client, values: list[float], **parameter: object) -> list[Alarm]:
    """Return the alarms of a study with such trials, of which the last is the best."""
    client.create_study(spec(space={"x": {"type": "float", "low": 1e-4, "high": 1.0} | parameter}))
    for position, value in enumerate(values):
        client.add_trial("study", {"x": value}, metrics={METRIC: -position})
    return client.study("study").alarms


def test_a_best_value_within_a_hundredth_of_the_range_from_an_end_raises_an_alarm(client: Client) -> None:
    (alarm,) = study_with(client, [*[0.5] * 9, 0.992])

    assert (alarm.code, alarm.parameter, alarm.side, alarm.value) == ("best_on_bound", "x", "high", 0.992)
    assert alarm.text.startswith("the best value of x, 0.992, sits on the high end of its range, 0.0001 to 1")


@pytest.mark.parametrize(
    ("value", "scale", "sides"), [(1.05e-4, "log", ["low"]), (0.012, "log", []), (0.012, "linear", [])]
)
def test_the_distance_is_that_on_the_scale(client: Client, value: float, scale: str, sides: list[str]) -> None:
    found = study_with(client, [*[0.5] * 9, value], scale=scale)

    assert [alarm.side for alarm in found] == sides


@pytest.mark.parametrize(
    ("best", "high", "sides"), [(15, 17, ["high"]), (10, 17, []), (0, 15, ["low"]), (10, 12, []), (0, 12, [])]
)
def test_steps_are_measured_from_the_last_one_and_fewer_than_four_values_raise_no_alarm(
    client: Client, best: int, high: int, sides: list[str]
) -> None:
    found = study_with(client, [*[5] * 9, best], type="int", low=0, high=high, step=5)

    assert [alarm.side for alarm in found] == sides


def test_before_ten_complete_trials_there_is_no_alarm(client: Client) -> None:
    assert study_with(client, [*[0.5] * 8, 1.0]) == []


def test_bounds_that_are_moved_end_the_alarm(client: Client, http: httpx2.Client) -> None:
    assert study_with(client, [*[0.5] * 9, 1.0])

    http.patch("/v1/studies/study", json={"space": {"x": {"high": 2.0}}}).raise_for_status()

    assert client.study("study").alarms == []


def test_the_list_of_studies_has_the_alarms_too(client: Client) -> None:
    alarms = study_with(client, [*[0.5] * 9, 1.0])

    (listed,) = client.studies()

    assert listed.alarms == alarms
    assert len(alarms) == 1
