"""Bias, variance and mismatch: the table of the practice, noise and tolerance."""

from typing import Any

import pytest

from service.diagnosis import examine
from service.diagnosis.conditions import conditions, figures
from tests.unit.cases import case, study
from trimtab.diagnosis import Condition

BIAS, VARIANCE, MISMATCH = Condition.HIGH_BIAS, Condition.HIGH_VARIANCE, Condition.HIGH_MISMATCH


def found(target: float = 0.0, tolerance: float | None = None, **errors: Any) -> list[Condition]:
    """Return the conditions of a trial with such errors."""
    spec = study(diagnosis={"target_error": target, "tolerance": tolerance})
    measured = figures(case(spec, **errors))
    assert measured is not None
    return conditions(measured)


@pytest.mark.parametrize(
    ("training", "validation", "target", "expected"),
    [
        (0.01, 0.11, 0.0, [VARIANCE]),
        (0.15, 0.16, 0.0, [BIAS]),
        (0.15, 0.30, 0.0, [BIAS, VARIANCE]),
        (0.005, 0.01, 0.0, []),
        (0.15, 0.16, 0.15, []),
    ],
)
def test_the_table_of_the_practice(
    training: float, validation: float, target: float, expected: list[Condition]
) -> None:
    assert found(target, training_error=training, validation_error=validation) == expected


def test_what_is_within_two_standard_errors_is_not_high() -> None:
    errors = {"training_error": 0.0, "validation_error": 0.1}

    within = found(**errors, validation_error_standard_error=0.051)
    beyond = found(**errors, validation_error_standard_error=0.049)

    assert (within, beyond) == ([], [VARIANCE])


def test_the_noise_of_a_difference_is_that_of_both_errors() -> None:
    errors = {"training_error": 0.1, "validation_error": 0.2}

    both = found(0.1, **errors, training_error_standard_error=0.03, validation_error_standard_error=0.041)
    one = found(0.1, **errors, validation_error_standard_error=0.041)

    assert (both, one) == ([], [VARIANCE])


@pytest.mark.parametrize(("amount", "expected"), [(0.02, []), (0.021, [BIAS])])
def test_of_classes_up_to_two_hundredths_are_tolerated(amount: float, expected: list[Condition]) -> None:
    assert found(0.15, training_error=0.15 + amount, validation_error=0.15 + amount) == expected


@pytest.mark.parametrize(("amount", "expected"), [(0.05, []), (0.051, [BIAS])])
def test_of_numbers_up_to_five_hundredths_are_tolerated(amount: float, expected: list[Condition]) -> None:
    assert found(0.6, training_error=0.6 + amount, validation_error=0.6 + amount, classes=0) == expected


def test_the_study_may_tolerate_more() -> None:
    assert found(tolerance=0.2, training_error=0.15, validation_error=0.3) == []


def test_with_a_train_dev_set_variance_and_mismatch_are_told_apart() -> None:
    mismatched = found(training_error=0.01, train_dev_error=0.02, validation_error=0.2)
    varied = found(training_error=0.01, train_dev_error=0.2, validation_error=0.2)

    assert (mismatched, varied) == ([MISMATCH], [VARIANCE])


def test_a_trial_without_errors_has_no_conditions_and_says_which_is_missing() -> None:
    lacking = case()
    metrics = {name: value for name, value in lacking.metrics.items() if name != "training_error"}

    diagnosis = examine(type(lacking)(spec=lacking.spec, trial=7, metrics=metrics))

    assert (diagnosis.conditions, diagnosis.figures) == ([], None)
    assert diagnosis.reason == "trial 7 has no training_error"
