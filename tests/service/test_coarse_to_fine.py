"""From coarse to fine: how one round's trials become the next round's space. Decisions on values only."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.sampling.coarse_to_fine import Narrowed, narrowed, place_in_round, round_of
from trimtab.message import FlatParams
from trimtab.samplers import CoarseToFineSampler
from trimtab.space import Categorical, Float, Int, Parameter, Scale, Space

RATE = Float(low=1e-4, high=1.0, scale=Scale.LOG)
SHARE = Float(low=0.0, high=0.6)


def settings(**changes: Any) -> CoarseToFineSampler:
    return CoarseToFineSampler.model_validate({"name": "coarse_to_fine", "rounds": 3, "round_trials": 20} | changes)


def after(
    first: dict[str, Parameter],
    ranked: Sequence[FlatParams],
    *,
    current: dict[str, Parameter] | None = None,
    allowed: dict[str, Parameter] | None = None,
    **changes: Any,
) -> Narrowed:
    space = Space(first)
    before = space if current is None else Space(current)
    return narrowed(settings(**changes), first=space, current=before, ranked=ranked, allowed=allowed or {})


def numbers(space: Space, name: str) -> tuple[float, float]:
    parameter = space[name]
    assert isinstance(parameter, Float | Int)
    return parameter.low, parameter.high


def test_rounds_have_the_same_number_of_trials_and_the_last_has_no_end() -> None:
    assert [round_of(settings(), sequence) for sequence in (0, 19, 20, 39, 40, 60, 500)] == [0, 0, 1, 1, 2, 2, 2]
    assert [place_in_round(settings(), sequence) for sequence in (0, 19, 20, 41, 63)] == [0, 19, 0, 1, 23]


def test_the_next_range_holds_the_best_share_and_as_much_again_as_lies_between_two_of_them() -> None:
    ranked = [{"x": value} for value in (0.5, 0.4, 0.6, 0.1, 0.9, 0.2, 0.8, 0.95, 0.05, 0.15)]

    found = after({"x": Float(low=0.0, high=1.0)}, ranked, share=0.3, zoom=10)

    assert numbers(found.space, "x") == pytest.approx((0.3, 0.7))
    assert found.alarms == []


def test_ranges_are_measured_on_the_scale() -> None:
    ranked = [{"rate": value} for value in (1e-2, 1e-3)]

    found = after({"rate": RATE}, ranked, zoom=2)

    assert numbers(found.space, "rate") == pytest.approx((1e-4, 1e-1))


def test_no_range_shrinks_faster_than_the_zoom() -> None:
    found = after({"x": Float(low=0.0, high=1.0)}, [{"x": 0.5}, {"x": 0.5}, {"x": 0.9}], zoom=4)

    assert numbers(found.space, "x") == pytest.approx((0.375, 0.625))


def test_trials_outside_the_round_do_not_count_and_those_of_earlier_rounds_inside_do() -> None:
    narrow: dict[str, Parameter] = {"x": Float(low=0.4, high=0.8)}
    ranked = [{"x": 0.1}, {"x": 0.5}, {"x": 0.7}]

    found = after({"x": Float(low=0.0, high=1.0)}, ranked, current=narrow, share=0.9, zoom=100)

    assert numbers(found.space, "x") == pytest.approx((0.3, 0.9))


def test_a_best_value_on_the_first_spaces_bound_widens_that_side_and_raises_an_alarm() -> None:
    ranked = [{"rate": 1.0}, {"rate": 0.5}, {"rate": 1e-3}]

    found = after({"rate": RATE}, ranked, share=0.5, zoom=100)

    low, high = numbers(found.space, "rate")
    assert low < 0.5
    assert high == pytest.approx(1 / low)
    (alarm,) = found.alarms
    assert (alarm.code, alarm.parameter, alarm.side, alarm.value) == ("best_on_bound", "rate", "high", 1.0)
    assert f"it is widened from 1 to {high:g}" in alarm.text


def test_a_best_value_on_a_bound_of_a_later_round_widens_it_inside_the_first_space_without_an_alarm() -> None:
    ranked = [{"x": 0.4}, {"x": 0.45}]

    found = after({"x": Float(low=0.0, high=1.0)}, ranked, current={"x": Float(low=0.4, high=0.8)}, zoom=4)

    assert numbers(found.space, "x") == pytest.approx((0.3, 0.5))
    assert found.alarms == []


def test_a_range_that_was_widened_is_not_cut_back_to_the_first_space() -> None:
    ranked = [{"x": 1.3}, {"x": 1.2}]

    found = after({"x": Float(low=0.0, high=1.0)}, ranked, current={"x": Float(low=0.5, high=1.5)}, zoom=100)

    assert numbers(found.space, "x") == pytest.approx((1.1, 1.4))


def test_a_range_that_begins_at_zero_is_never_widened_across_it() -> None:
    found = after({"dropout": SHARE}, [{"dropout": 0.001}, {"dropout": 0.1}], zoom=100)

    assert numbers(found.space, "dropout")[0] == 0.0
    assert "it cannot be widened beyond 0" in found.alarms[0].text


@pytest.mark.parametrize(
    ("first", "best", "allowed", "bound"),
    [
        (Float(low=0.0, high=0.6), 0.6, Float(low=0.0, high=0.65), 0.65),
        (Float(low=0.5, high=0.99, scale=Scale.REVERSE_LOG), 0.99, None, 1.0),
        (Int(low=1, high=5), 5, Int(low=0, high=6), 6),
    ],
)
def test_widening_ends_at_what_the_task_allows_and_at_the_end_of_the_scale(
    first: Parameter, best: float, allowed: Parameter | None, bound: float
) -> None:
    ranked: list[FlatParams] = [{"x": best}] * 2

    found = after({"x": first}, ranked, zoom=1.1, allowed={"x": allowed} if allowed else {})

    low, high = numbers(found.space, "x")
    assert best < high <= bound
    assert low < best


def test_steps_stay_on_the_grid_of_the_first_space() -> None:
    first: dict[str, Parameter] = {"n": Int(low=1, high=31, step=3), "x": Float(low=0.0, high=1.0, step=0.1)}
    ranked = [{"n": 13, "x": 0.3}, {"n": 16, "x": 0.4}]

    found = after(first, ranked, zoom=100)

    assert numbers(found.space, "n") == (10, 19)
    assert numbers(found.space, "x") == (0.2, 0.5)


def test_choices_that_no_good_trial_has_are_dropped() -> None:
    first: dict[str, Parameter] = {"activation": Categorical(choices=("relu", "tanh", "gelu"))}
    ranked: list[FlatParams] = [{"activation": name} for name in ("gelu", "relu", "tanh", "tanh", "tanh", "tanh")]

    found = after(first, ranked, share=0.3)

    assert found.space["activation"] == Categorical(choices=("relu", "gelu"))


def test_conditions_keep_the_values_that_can_still_come_and_a_parameter_without_any_is_dropped() -> None:
    first: dict[str, Parameter] = {
        "optimizer": Categorical(choices=("sgd", "momentum", "nesterov", "adam")),
        "momentum": Float(low=0.5, high=0.9, when={"optimizer": ("momentum", "nesterov")}),
        "beta": Float(low=0.5, high=0.9, when={"optimizer": ("adam",)}),
    }
    ranked: list[FlatParams] = [{"optimizer": "momentum", "momentum": 0.7}, {"optimizer": "sgd"}]

    found = after(first, ranked)

    assert list(found.space) == ["optimizer", "momentum"]
    assert found.space["momentum"].when == {"optimizer": ("momentum",)}


def test_a_parameter_that_no_good_trial_has_stays_as_it_is() -> None:
    first: dict[str, Parameter] = {
        "optimizer": Categorical(choices=("sgd", "adam")),
        "layers": Int(low=1, high=9),
        "beta": Float(low=0.5, high=0.9, when={"layers": (3, 4)}),
    }
    ranked: list[FlatParams] = [{"optimizer": "sgd", "layers": 5}, {"optimizer": "sgd", "layers": 5}]

    found = after(first, ranked)

    assert numbers(found.space, "beta") == (0.5, 0.9)
    assert found.space["beta"].when == {"layers": (3, 4)}


def test_without_a_trial_to_learn_from_the_space_stays() -> None:
    first: dict[str, Parameter] = {"rate": RATE, "n": Int(low=1, high=5)}

    assert after(first, []).space == Space(first)


@pytest.mark.parametrize(
    ("first", "ranked"),
    [
        (Float(low=999999.6, high=999999.9), [999999.7, 999999.75]),
        (Float(low=1e6, high=1e6 + 1), [1e6 + 0.7, 1e6 + 0.75]),
        (Float(low=0.1234561, high=0.1234569), [0.1234564, 0.1234565]),
        (Int(low=2**53 - 10, high=2**53 - 1), [2**53 - 4, 2**53 - 5]),
        (Int(low=10**7, high=10**7 + 100), [10**7 + 50, 10**7 + 52]),
    ],
)
def test_a_narrow_range_far_from_zero_is_narrowed_too(first: Float | Int, ranked: list[float]) -> None:
    low, high = numbers(after({"x": first}, [{"x": value} for value in ranked]).space, "x")

    assert first.low < low < ranked[0] < high < first.high


@pytest.mark.parametrize(
    ("first", "ranked"),
    [
        (Float(low=1e-150, high=1e150, scale=Scale.LOG), [1e150, 1e-150]),
        (Float(low=1e-100, high=1e140, scale=Scale.LOG), [1e140, 1e-90]),
        (Float(low=-1e150, high=0.5, scale=Scale.REVERSE_LOG), [-1e150, 0.5]),
        (Int(low=1, high=2**53, scale=Scale.LOG), [2**53, 2**52]),
    ],
)
def test_a_range_as_wide_as_its_scale_stays_on_it(first: Float | Int, ranked: list[float]) -> None:
    found = after({"x": first}, [{"x": value} for value in ranked])

    assert Space.model_validate(found.space.model_dump()).contains({"x": ranked[0]})


def test_a_range_of_two_neighbouring_doubles_stays() -> None:
    low, high = 1.0, math.nextafter(1.0, 2.0)

    assert numbers(after({"x": Float(low=low, high=high)}, [{"x": low}, {"x": low}]).space, "x") == (low, high)


def test_steps_that_do_not_divide_the_range_are_widened_from_the_last_one() -> None:
    found = after({"n": Int(low=0, high=7, step=5)}, [{"n": 5}, {"n": 5}])

    assert numbers(found.space, "n") == (0, 10)
    assert "sits on the high end of its range: it is widened from 5 to 10" in found.alarms[0].text


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 30))
def test_every_next_space_is_a_valid_one_around_the_best_trial(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    first: dict[str, Parameter] = {
        "rate": RATE,
        "share": SHARE,
        "momentum": Float(low=0.5, high=0.999, scale=Scale.REVERSE_LOG),
        "units": Int(low=16, high=512, scale=Scale.LOG),
        "even": Int(low=2, high=20, step=2),
        "tenths": Float(low=-1.0, high=1.0, step=0.1),
        "fixed": Int(low=3, high=3),
        "odd_end": Int(low=0, high=7, step=5),
        "narrow": Float(low=999999.6, high=999999.9),
        "narrow_rate": Float(low=1.0, high=1.0 + 1e-12, scale=Scale.LOG),
        "offset": Int(low=2**53 - 10, high=2**53 - 1),
        "huge": Float(low=-1e150, high=1e150),
        "huge_rate": Float(low=1e-150, high=1e150, scale=Scale.LOG),
        "huge_momentum": Float(low=-1e150, high=1 - 1e-15, scale=Scale.REVERSE_LOG),
        "huge_units": Int(low=1, high=2**53, scale=Scale.LOG),
    }
    current = Space(first)
    for _ in range(4):
        ranked = [drawn(current, rng) for _ in range(count)]
        found = narrowed(settings(), first=Space(first), current=current, ranked=ranked, allowed={})
        current = Space.model_validate(found.space.model_dump())
        assert not ranked or current.contains(ranked[0])
        assert [name for name in first if numbers(current, name)[0] >= numbers(current, name)[1]] == ["fixed"]


def drawn(space: Space, rng: np.random.Generator) -> FlatParams:
    """A point, often on a bound."""
    point: dict[str, Any] = {}
    for name in space:
        low, high = numbers(space, name)
        whole = isinstance(space[name], Int)
        between = int(rng.integers(int(low), int(high), endpoint=True)) if whole else float(rng.uniform(low, high))
        point[name] = (low, high, between)[rng.integers(3)]
    return point
