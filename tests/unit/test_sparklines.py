"""Curves in a line of text."""

import math

from trimtab.sparklines import sparkline


def test_a_curve_goes_from_its_highest_to_its_lowest_block() -> None:
    assert sparkline([8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0], 10) == "█▇▆▅▄▃▂▁"


def test_of_values_that_share_a_column_the_last_is_shown() -> None:
    assert sparkline([9.0, 0.0, 9.0, 1.0], 2) == "▁█"


def test_what_is_not_finite_is_a_blank() -> None:
    assert sparkline([None, 1.0, math.inf, 2.0], 4) == " ▁ █"
    assert sparkline([None, math.nan], 4) == "  "


def test_a_level_curve_is_low_and_none_is_nothing() -> None:
    assert sparkline([0.5, 0.5], 4) == "▁▁"
    assert sparkline([], 4) == ""
