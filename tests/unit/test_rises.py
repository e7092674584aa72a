"""How far an error rose above its least: the mean of the end against the least mean of any stretch before."""

import random
import time
from collections.abc import Sequence
from statistics import mean

import pytest

from service.diagnosis.curves import LAST, rise


def plainly(errors: Sequence[float]) -> float:
    size = max(2, round(LAST * len(errors)))
    before = [mean(errors[start : start + size]) for start in range(len(errors) - 2 * size + 1)]
    return mean(errors[-size:]) - min(before, default=errors[0])


@pytest.mark.parametrize("length", [5, 6, 9, 10, 11, 37, 100, 101])
def test_it_is_what_each_mean_by_itself_says(length: int) -> None:
    chance = random.Random(length)
    errors = [chance.random() for _ in range(length)]

    assert rise(errors) == pytest.approx(plainly(errors))


def test_an_error_that_was_enormous_once_leaves_the_others_as_they_are() -> None:
    errors = [1e90, *([0.5] * 20), *([0.25] * 20), *([0.5] * 20)]

    assert rise(errors) == pytest.approx(plainly(errors)) == pytest.approx(0.25)


def test_the_longest_curve_takes_no_time() -> None:
    errors = [1 / step for step in range(1, 100_001)]

    begun = time.thread_time()
    rise(errors)

    # Each mean by itself: six minutes.
    assert time.thread_time() - begun < 2
