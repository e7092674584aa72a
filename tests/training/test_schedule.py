import pytest

from workers.training.schedule import Schedule


def shares(decay: str, rate: float, epochs: int = 4) -> list[float]:
    schedule = Schedule(decay, rate, epochs)
    return [schedule.share(epoch) for epoch in range(1, epochs + 1)]


@pytest.mark.parametrize(
    ("decay", "rate", "expected"),
    [
        ("none", 0.1, [1, 1, 1, 1]),
        ("inverse_time", 1.0, [1 / 2, 1 / 3, 1 / 4, 1 / 5]),  # the course's 0.2: 0.1, 0.067, 0.05, 0.04
        ("exponential", 0.05, [0.95, 0.95**2, 0.95**3, 0.95**4]),
        ("exponential", 7.0, [0, 0, 0, 0]),
        ("inverse_sqrt", 0.1, [1, 2**-0.5, 3**-0.5, 1 / 2]),
        ("staircase", 0.5, [1, 1, 1 / 2, 1 / 2]),
        ("cosine", 0.1, [1, (1 + 2**-0.5) / 2, 1 / 2, (1 - 2**-0.5) / 2]),
    ],
)
def test_each_schedule_is_its_formula(decay: str, rate: float, expected: list[float]) -> None:
    assert shares(decay, rate) == pytest.approx(expected)


def test_a_staircase_steps_at_the_epoch_that_its_rate_says() -> None:
    schedule = Schedule("staircase", rate=0.29, epochs=200)  # 0.29 * 100 is 28.999999999999996

    assert schedule.share(100) == 2.0**-28
    assert schedule.share(101) == 2.0**-29


@pytest.mark.parametrize("decay", ["none", "inverse_time", "exponential", "inverse_sqrt", "staircase", "cosine"])
@pytest.mark.parametrize("rate", [0.0, 0.1, 1000.0])
def test_a_share_lies_between_nothing_and_all_and_never_rises(decay: str, rate: float) -> None:
    figures = shares(decay, rate, epochs=500)

    assert all(0 <= share <= 1 for share in figures)
    assert figures == sorted(figures, reverse=True)


def test_an_unknown_schedule_is_refused() -> None:
    with pytest.raises(ValueError, match="no decay is called 'sudden'"):
        Schedule("sudden", rate=0.1, epochs=1).share(1)
