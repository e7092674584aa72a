"""Every parameter that a spec may have is one that Optuna draws from without a word."""

import json
import warnings
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st
from optuna.distributions import FloatDistribution, IntDistribution
from pydantic import ValidationError

from service import sampling
from service.history import Observations
from service.storage.dimensions import dimensions, params
from trimtab.samplers import RandomSampler
from trimtab.space import MAX_FLOAT, MAX_INT, Float, Int, Scale, Space
from trimtab.spec import StudySpec
from trimtab.states import Direction

Parameter = TypeVar("Parameter", Float, Int)

BOUNDS = {
    Scale.LINEAR: st.floats(-MAX_FLOAT, MAX_FLOAT) | st.integers(-1000, 1000).map(lambda hundredths: hundredths / 100),
    Scale.LOG: st.floats(0, MAX_FLOAT, exclude_min=True),
    Scale.REVERSE_LOG: st.floats(-MAX_FLOAT, 1, exclude_max=True),
}
FINE = st.sampled_from([0.01, 0.1, 1 / 3, 2.5])


@st.composite
def floats(draw: st.DrawFn) -> Float:
    scale = draw(st.sampled_from(Scale))
    low, high = sorted(draw(st.tuples(BOUNDS[scale], BOUNDS[scale])))
    is_stepped = scale is Scale.LINEAR and low < high and draw(st.booleans())
    step = draw(FINE | st.floats(0, high - low, exclude_min=True)) if is_stepped else None
    return accepted(lambda: Float(low=low, high=high, step=step, scale=scale))


@st.composite
def integers(draw: st.DrawFn) -> Int:
    scale = draw(st.sampled_from([Scale.LINEAR, Scale.LOG]))
    bound = st.integers(-MAX_INT, MAX_INT) | st.integers(-20, 20) if scale is Scale.LINEAR else st.integers(1, MAX_INT)
    low, high = sorted(draw(st.tuples(bound, bound)))
    step = draw(st.integers(1, max(high - low, 1))) if scale is Scale.LINEAR else 1
    return accepted(lambda: Int(low=low, high=high, step=step, scale=scale))


def accepted(make: Callable[[], Parameter]) -> Parameter:
    try:
        return make()
    except ValidationError:
        reject()


def drawn(parameter: Float | Int, seed: int) -> float:
    """A random value of `parameter`, by way of its distribution."""
    spec = StudySpec(name="s", task=None, space=Space({"x": parameter}), sampler=RandomSampler(name="random"))
    found = dimensions(spec.searched)
    view = sampling.View(found, [Direction.MINIMIZE], Observations.empty([d.stored_name for d in found]), ())
    value = params(found, sampling.suggest(spec, view, number=seed).point)["x"]
    assert isinstance(value, int | float)
    return value


@pytest.mark.parametrize("scale", [Scale.LINEAR, Scale.LOG])
def test_a_whole_number_that_came_through_json_is_a_float_where_the_parameter_is_one(scale: Scale) -> None:
    found = dimensions(Space({"x": Float(low=1, high=4, scale=scale)}))

    value = params(found, json.loads('{"x": 2}'))["x"]

    assert type(value) is float


@example(Float(low=-(2.0**53), high=-(2.0**53), scale=Scale.REVERSE_LOG), 0)
@given(floats(), st.integers(0, 99))
def test_every_number_that_may_be_searched_can_be_drawn(parameter: Float, seed: int) -> None:
    value = drawn(parameter, seed)

    assert parameter.contains(value)


@given(integers(), st.integers(0, 99))
def test_every_integer_that_may_be_searched_can_be_drawn(parameter: Int, seed: int) -> None:
    value = drawn(parameter, seed)

    assert parameter.contains(value)
    assert (int(value) - parameter.low) % parameter.step == 0


@pytest.mark.parametrize(
    ("low", "high", "step", "last"),
    [
        (0.0, 1.0, 0.3, 0.9),
        (0.0, 0.3, 0.1, 0.3),
        (0.1, 0.3, 0.2, 0.3),
        (-1.0, 1.0, 0.75, 0.5),
        (0.0, 10.0, 1 / 3, 9.999999999999998),
        (1e-20, 1.0, 0.3, 0.9),
    ],
)
def test_a_range_ends_with_the_step_that_optuna_ends_it_with(low: float, high: float, step: float, last: float) -> None:
    (dimension,) = dimensions(Space({"x": Float(low=low, high=high, step=step)}))

    with warnings.catch_warnings(action="ignore"):
        optunas_own = FloatDistribution(low, high, step=step)
    assert dimension.distribution == optunas_own
    assert optunas_own.high == last


def test_a_range_of_integers_ends_with_its_last_step() -> None:
    (dimension,) = dimensions(Space({"x": Int(low=1, high=10, step=4)}))

    assert dimension.distribution == IntDistribution(1, 9, step=4)
