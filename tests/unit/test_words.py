"""How figures are written for people."""

from service.web import words

WRITTEN = {
    0.0: "0",
    0.02221: "0.02221",
    0.1: "0.1",
    1e-7: "1e-07",
    999.96: "1000",
    9261.0: "9261",
    9999.6: "10,000",
    162_634.0: "162,634",
    -120_000.0: "-120,000",
    1.23456e12: "1.235e+12",
}


def test_a_figure_has_four_digits_that_count_and_a_large_one_all_of_them() -> None:
    assert {value: words.number(value) for value in WRITTEN} == WRITTEN
    assert words.number(None) == words.NOTHING
