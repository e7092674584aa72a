"""Which trials a picture draws, and in how many points."""

import json
from itertools import pairwise

from service.pictures.curves import CurvesPicture, DrawnBound, DrawnCurve
from service.pictures.thinning import (
    MOST_POINTS,
    MOST_POINTS_OF_ONE,
    MOST_POINTS_RUNNING,
    MOST_RUNNING,
    MOST_TRIALS,
    drawn,
    drawn_running,
    rounded,
    saved_steps,
    spread,
)
from service.storage.pictures import Standing
from trimtab.states import Direction, TrialState


def trial(number: int, value: float | None, *, steps: int = 30, state: TrialState = TrialState.COMPLETE) -> Standing:
    return Standing(trial_id=1000 + number, number=number, state=state, last_step=steps, value=value)


def test_few_trials_are_all_drawn_in_all_their_points() -> None:
    trials = [trial(number, number / 10, steps=20 + number) for number in range(20)]

    found = drawn(trials, best=1000)

    assert found.keys() == {each.trial_id for each in trials}
    assert all(found[each.trial_id] >= each.last_step for each in trials)


def test_of_ten_thousand_trials_the_best_is_drawn_and_the_others_from_the_best_to_the_worst() -> None:
    trials = [trial(number, float(number * 7919 % 10_000)) for number in range(10_000)]
    best = next(each.trial_id for each in trials if each.value == 5000.0)

    found = drawn(trials, best=best)

    by_id = {each.trial_id: each for each in trials}
    values = sorted(by_id[trial_id].value or 0.0 for trial_id in found)
    assert best in found
    assert (values[0], values[-1]) == (0.0, 9999.0)
    assert 100 < len(found) <= MOST_TRIALS + 1
    assert max(after - before for before, after in pairwise(values)) < 10_000 / len(found) * 2
    assert sum(found.values()) <= MOST_POINTS
    assert set(found.values()) == {30}


def test_trials_without_a_finite_value_come_after_the_worst() -> None:
    trials = [trial(number, None if number % 2 else float(number)) for number in range(1000)]

    found = drawn(trials, best=None)

    without = sum(1 for trial_id in found if trial_id % 2)
    assert abs(without - len(found) / 2) <= 1


def test_very_long_curves_are_few_and_thinned() -> None:
    trials = [trial(number, float(number), steps=50_000) for number in range(500)]

    found = drawn(trials, best=1000)

    assert found[1000] == MOST_POINTS_OF_ONE
    assert 2 <= len(found) <= 10


def test_of_very_many_that_run_the_newest_are_drawn() -> None:
    trials = [trial(number, None, state=TrialState.RUNNING) for number in range(500)]

    found = drawn_running(trials)

    assert list(found) == [each.trial_id for each in trials[-MOST_RUNNING:]]
    assert sum(found.values()) <= MOST_POINTS_RUNNING


def test_the_largest_picture_is_less_than_200_kilobytes() -> None:
    trials = [trial(number, float(number)) for number in range(10_000)]
    curves = [
        DrawnCurve(
            number=1_000_000 + trial_id,
            state=TrialState.COMPLETE,
            steps=[2_000_000_000 + step for step in range(points)],
            values=rounded([-1.23456789e-15] * points),
        )
        for trial_id, points in (drawn(trials, best=1000) | {9_000_000: MOST_POINTS_RUNNING}).items()
    ]
    bound = DrawnBound(measure="median", steps=list(range(500)), values=[-1.23456e-15] * 500)
    picture = CurvesPicture(
        metric="x" * 128,
        direction=Direction.MINIMIZE,
        best=0,
        trials=10_000,
        curves=curves,
        bound=bound,
        saved_steps=0.5,
    )

    written = picture.model_dump_json()

    assert len(json.loads(written)["curves"]) > 100
    assert len(written) <= 200_000


def test_what_is_spread_has_its_ends_and_no_item_twice() -> None:
    for most in (2, 3, 7, 99):
        found = spread(range(100), most)

        assert (found[0], found[-1], len(found), len(set(found))) == (0, 99, most, most)
    assert spread("abc", 3) == ["a", "b", "c"]


def test_steps_are_saved_by_trials_that_are_stopped_before_complete_ones_end() -> None:
    complete = [trial(0, 0.1, steps=20), trial(1, 0.2, steps=30)]
    pruned = [trial(number, 0.5, steps=5, state=TrialState.PRUNED) for number in (2, 3)]
    late = trial(4, 0.5, steps=30, state=TrialState.PRUNED)

    assert saved_steps([*complete, *pruned, late]) == 40.0
    assert saved_steps(complete) is None
    assert saved_steps(pruned) is None
