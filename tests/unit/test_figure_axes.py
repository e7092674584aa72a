"""Axes in our names and on our scales: a momentum is a momentum."""

import math

import pytest

from service.storage.dimensions import dimension
from service.web.figures.axes import Axis, near_one
from trimtab.space import Categorical, Float, Int, Scale

MOMENTUM = Axis(dimension("momentum", Float(low=0.5, high=0.999, scale=Scale.REVERSE_LOG)))


@pytest.mark.parametrize("momentum", [0.5, 0.9, 0.95, 0.99, 0.998, 0.9999])
def test_a_momentum_is_read_as_it_was_written(momentum: float) -> None:
    drawn = MOMENTUM.drawn(1 - momentum)

    assert float(MOMENTUM.text(drawn)) == pytest.approx(momentum, abs=1e-9)


def test_a_greater_momentum_lies_higher() -> None:
    drawn = [MOMENTUM.drawn(1 - momentum) for momentum in (0.5, 0.9, 0.99, 0.999)]

    assert drawn == sorted(drawn, key=float)
    assert MOMENTUM.name == "momentum"


def test_marks_stand_at_round_values() -> None:
    marks = MOMENTUM.marks([-math.log10(0.5), 3.0])
    assert marks is not None

    assert marks[1] == ["0.9", "0.99", "0.999"]
    assert marks[0] == pytest.approx([1, 2, 3])


def test_a_narrow_range_has_marks_too() -> None:
    rate = Axis(dimension("rate", Float(low=1e-4, high=1.0, scale=Scale.LOG)))

    marks = rate.marks([0.011, 0.012])

    assert marks is not None
    assert len(marks[0]) == 3
    assert marks[0][0] == pytest.approx(0.011)


def test_one_value_has_one_mark() -> None:
    marks = MOMENTUM.marks([1.0, 1.0])

    assert marks is not None
    assert marks[1] == ["0.9"]


def test_plotly_marks_what_is_searched_evenly() -> None:
    assert Axis(dimension("units", Int(low=1, high=9))).marks([1, 9]) is None


def test_choices_are_drawn_by_their_words() -> None:
    axis = Axis(dimension("activation", Categorical(choices=("relu", "<b>"))))

    assert [axis.drawn(0.0), axis.drawn(1.0)] == ["relu", "&lt;b&gt;"]


def test_zero_is_no_empty_word() -> None:
    assert near_one(0.0) == "0"


def test_choices_that_are_numbers_are_drawn_as_numbers() -> None:
    axis = Axis(dimension("batch_size", Categorical(choices=(32, 64, 128))))

    assert [axis.drawn(0.0), axis.drawn(2.0)] == [32, 128]
    assert axis.text(axis.drawn(2.0)) == "128"
