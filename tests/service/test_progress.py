"""How a study went on, and what its sampler gained over chance."""

import sys
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from service.gain import FEWEST_TRIALS, gain, startup_trials
from service.sampling.control import is_control
from service.sampling.hypervolume import hypervolumes, reference_M
from service.storage.progress import EndedTrial
from tests.service.served import Serve
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.errors import Refused, StudyNotFound
from trimtab.message import Params
from trimtab.protocol import Lease
from trimtab.spec import StudySpec
from trimtab.states import Origin, TrialState


def ask(client: Client, study: str = "study") -> Lease:
    (lease,) = client.ask(worker="w", study=study).leases
    return lease


def finish(client: Client, value: float, **metrics: float) -> None:
    client.tell(ask(client), "complete", metrics={METRIC: value, **metrics})


def test_each_trial_that_made_the_study_better_is_a_point(client: Client) -> None:
    client.create_study(spec(objectives=[{"metric": METRIC, "direction": "maximize"}]))
    for value in (0.5, 0.3, 0.5, 0.8, 0.7):
        finish(client, value)

    found = client.progress("study")

    assert (found.measure, found.finished, found.reason) == (METRIC, 5, None)
    assert [(point.number, point.finished, point.value) for point in found.points] == [(0, 1, 0.5), (3, 4, 0.8)]
    seconds = [point.seconds for point in found.points if point.seconds is not None]
    assert len(seconds) == 2
    assert 0 < seconds[0] < seconds[1]


def test_trials_without_a_value_and_infeasible_ones_make_no_study_better(client: Client) -> None:
    client.create_study(spec(constraints=[{"metric": "size", "at_most": 10}]))
    client.tell(ask(client), "error", message="broken")
    finish(client, 0.1, size=11)
    finish(client, 0.4, size=9)

    found = client.progress("study")

    assert [(point.number, point.finished, point.value) for point in found.points] == [(2, 3, 0.4)]


def test_before_any_complete_trial_it_says_why_there_is_nothing(client: Client) -> None:
    client.create_study(spec())

    found = client.progress("study")

    assert (found.points, found.reason) == ([], "no trial is complete and keeps the constraints")
    with pytest.raises(StudyNotFound):
        client.progress("nothing")


def test_a_trial_that_came_already_finished_has_no_seconds(client: Client) -> None:
    client.create_study(spec())

    client.add_trial("study", {"x": 0.5}, metrics={METRIC: 0.1})

    (point,) = client.progress("study").points
    assert (point.seconds, point.value) == (None, 0.1)


def test_of_several_objectives_it_is_the_hypervolume(client: Client) -> None:
    client.create_study(spec(objectives=[{"metric": METRIC}, {"metric": "speed", "direction": "maximize"}]))
    for error, speed in [(1.0, 0.0), (0.0, 10.0), (0.5, 5.0)]:
        finish(client, error, speed=speed)

    found = client.progress("study")

    # Worst: error 1, speed 0, each moved out by a tenth of its range.
    assert found.reference == pytest.approx({METRIC: 1.1, "speed": -1.0})
    assert found.measure == "hypervolume"
    assert [point.number for point in found.points] == [0, 1]
    assert [point.value for point in found.points] == pytest.approx([0.1 * 1.0, 1.1 * 11.0])


def test_the_hypervolume_of_more_than_three_objectives_is_not_told(client: Client) -> None:
    metrics = [METRIC, "a", "b", "c"]
    client.create_study(spec(objectives=[{"metric": metric} for metric in metrics]))
    finish(client, 1.0, a=1.0, b=1.0, c=1.0)

    found = client.progress("study")

    assert (found.points, found.reason) == ([], "the hypervolume of more than 3 objectives takes too long")


@pytest.mark.parametrize("penalty", [1e200, sys.float_info.max])
def test_a_hypervolume_that_is_no_number_is_not_told(client: Client, penalty: float) -> None:
    client.create_study(spec(objectives=[{"metric": METRIC}, {"metric": "speed", "direction": "maximize"}]))
    finish(client, 0.1, speed=1.0)
    finish(client, penalty, speed=-penalty)

    found = client.progress("study")

    assert (found.points, found.reason) == ([], "the values lie too far apart for a hypervolume")


def test_hypervolumes_are_areas_and_never_shrink() -> None:
    losses = np.random.default_rng(0).random((40, 2))
    reference = np.array([1.0, 1.0])

    found = hypervolumes(losses, reference)

    grid = (np.arange(400) + 0.5) / 400
    x, y = np.meshgrid(grid, grid)
    dominated = [((x >= loss[0]) & (y >= loss[1])) for loss in losses]
    assert found[-1] == pytest.approx(np.logical_or.reduce(dominated).mean(), abs=5e-3)
    assert found[9] == pytest.approx(np.logical_or.reduce(dominated[:10]).mean(), abs=5e-3)
    assert found == sorted(found)
    assert reference_M(np.array([[2.0, 3.0]])).tolist() == pytest.approx([2.1, 3.1])


CONTROLLED: dict[str, Any] = {"sampler": {"name": "tpe", "seed": 3}, "control": {"share": 0.25}}


def test_a_share_of_the_trials_is_drawn_at_random_and_says_so(client: Client) -> None:
    client.create_study(spec(budget={"trials": 60}, **CONTROLLED))

    for _ in range(60):
        finish(client, 0.5)

    origins = {trial.number: trial.origin for trial in client.trials("study")}
    expected = {number for number in range(60) if is_control(client.study("study").spec, number)}
    assert {number for number, origin in origins.items() if origin is Origin.CONTROL} == expected
    assert 5 < len(expected) < 25


def test_the_control_arm_has_its_own_best_so_far(client: Client) -> None:
    client.create_study(spec(budget={"trials": 40}, **CONTROLLED))
    for number in range(40):
        finish(client, 1.0 - number / 100)

    found = client.progress("study")

    controls = [trial.number for trial in client.trials("study") if trial.origin is Origin.CONTROL]
    assert [point.number for point in found.control] == controls
    assert [point.finished for point in found.control] == [number + 1 for number in controls]
    assert len(found.points) == 40


def test_controls_are_the_same_through_any_replica_and_where_chance_alone_would_be(start_replica: Serve) -> None:
    one, other = start_replica().client, start_replica().client
    for name in ("alone", "shared"):
        one.create_study(spec(name, budget={"trials": 30}, **CONTROLLED))
    one.create_study(spec("chance", budget={"trials": 30}, sampler={"name": "random", "seed": 3}))

    points: dict[str, list[Params]] = {}
    for name, clients in {"alone": (one, one), "shared": (one, other), "chance": (one, one)}.items():
        points[name] = []
        for number in range(30):
            lease = ask(clients[number % 2], name)
            points[name].append(lease.params)
            one.tell(lease, "complete", metrics={METRIC: float(lease.params["x"])})  # type: ignore[arg-type]

    assert points["alone"] == points["shared"]
    controls = [trial.number for trial in one.trials("alone") if trial.origin is Origin.CONTROL]
    assert [points["alone"][number] for number in controls] == [points["chance"][number] for number in controls]


@pytest.mark.parametrize("name", ["qmc", "coarse_to_fine", "nsga2", "cmaes"])
def test_every_other_sampler_has_a_control_arm_too(client: Client, engine: sa.Engine, name: str) -> None:
    client.create_study(spec(sampler={"name": name, "seed": 1}, control={"share": 0.4}, budget={"trials": 24}))

    for number in range(24):
        finish(client, float(number))

    assert client.study("study").state == "complete"
    assert {trial.origin for trial in client.trials("study")} == {Origin.SAMPLED, Origin.CONTROL}
    with engine.connect() as connection:
        sequences = connection.execute(sa.text("SELECT sequence FROM trimtab_trials ORDER BY 1")).scalars().all()
    assert sequences == list(range(24))


def test_a_grid_that_is_chosen_automatically_has_each_point_once_and_no_controls(client: Client) -> None:
    space = {"x": {"type": "int", "low": 1, "high": 9}}
    client.create_study(spec(space=space, sampler={"name": "auto"}, control={"share": 0.5}, budget={"trials": 9}))

    leases = [ask(client) for _ in range(9)]

    assert sorted(str(lease.params["x"]) for lease in leases) == [str(x) for x in range(1, 10)]


def test_a_grid_has_no_control_arm(client: Client) -> None:
    with pytest.raises((Refused, ValueError), match="is not for a grid"):
        client.create_study(
            spec(space={"x": {"type": "int", "low": 1, "high": 3}}, sampler={"name": "grid"}, control={"share": 0.1})
        )


def test_the_gain_over_chance_is_told_with_an_interval(client: Client) -> None:
    client.create_study(spec(budget={"trials": 60}, **CONTROLLED))
    for _ in range(60):
        lease = ask(client)
        x = lease.params["x"]
        assert isinstance(x, float)
        client.tell(lease, "complete", metrics={METRIC: (x - 0.3) ** 2})

    found = client.progress("study").gain

    assert found.reason is None
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < found.value < found.high
    assert client.progress("study").gain == found


def ended(final: list[float], origin: Origin, **changes: Any) -> list[EndedTrial]:
    """Complete trials beyond any start-up, but for what is changed."""
    parts: dict[str, Any] = {
        "state": TrialState.COMPLETE,
        "origin": origin,
        "sequence": 100,
        "is_feasible": None,
        "began_at": None,
        "ended_at": None,
        "last": None,
    }
    return [EndedTrial(number=number, **({**parts, "values": [value]} | changes)) for number, value in enumerate(final)]


def controlled_spec(direction: str = "minimize", **changes: Any) -> StudySpec:
    return spec(objectives=[{"metric": METRIC, "direction": direction}], **(CONTROLLED | changes))


def test_the_gain_is_the_difference_of_the_medians() -> None:
    sampled = ended([1.0, 2.0, 3.0, 4.0, 5.0], Origin.SAMPLED)
    control = ended([2.0, 4.0, 6.0, 8.0, 10.0], Origin.CONTROL)

    assert gain(sampled + control, controlled_spec()).value == 3.0
    assert gain(sampled + control, controlled_spec("maximize")).value == -3.0


def test_equal_sides_have_an_interval_around_zero() -> None:
    rng = np.random.default_rng(0)
    sampled = ended(rng.normal(size=40).tolist(), Origin.SAMPLED)
    control = ended(rng.normal(size=40).tolist(), Origin.CONTROL)

    found = gain(sampled + control, controlled_spec())

    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high


def test_pruned_trials_count_by_their_last_value_failed_ones_and_the_start_up_not_at_all() -> None:
    pruned = ended([0.0] * 5, Origin.SAMPLED, state=TrialState.PRUNED, values=[], last=7.0)
    failed = ended([0.0] * 5, Origin.SAMPLED, state=TrialState.FAIL, values=[])
    startup = ended([0.0] * 5, Origin.SAMPLED, sequence=9)
    control = ended([8.0] * 5, Origin.CONTROL)

    found = gain([*pruned, *failed, *startup, *control], controlled_spec())

    assert (found.value, found.sampled, found.control) == (1.0, 5, 5)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (spec(), "the study has no control arm (control)"),
        (controlled_spec(), f"needs {FEWEST_TRIALS} trials of either side that ended with a value"),
        (
            spec(objectives=[{"metric": METRIC}, {"metric": "b"}], **CONTROLLED),
            "with several objectives no trial is better than another by one value",
        ),
    ],
)
def test_where_there_is_no_gain_to_tell_it_says_why(given: StudySpec, reason: str) -> None:
    found = gain(ended([1.0] * 9, Origin.SAMPLED) + ended([1.0] * 4, Origin.CONTROL), given)

    assert (found.value, found.reason) == (None, reason)


@pytest.mark.parametrize(
    ("sampler", "trials"),
    [
        ({"name": "tpe", "startup_trials": 7}, 7),
        ({"name": "nsga2", "population_size": 20}, 20),
        ({"name": "coarse_to_fine", "rounds": 2}, 5),
        ({"name": "random"}, 0),
    ],
)
def test_a_samplers_start_up_is_what_it_chooses_before_it_knows_anything(sampler: dict[str, Any], trials: int) -> None:
    assert startup_trials(spec(sampler=sampler).resolved().sampler) == trials
