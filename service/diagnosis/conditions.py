"""Bias, variance and mismatch: what the errors of a trial say."""

import math

from service.diagnosis.case import Case
from trimtab.diagnosis import Condition, Figures

TOLERANCE = 0.02
"""Of shares of wrong answers, where the study says nothing."""

REGRESSION_TOLERANCE = 0.05
"""Of RMSE, in standard deviations of the training targets, likewise."""

TOLERATED_OF_A_GUESS = 0.5
"""Share of a guess's error, at most: of a rare class who never says it may err by less than TOLERANCE."""

NOTHING = 0.9
"""Of the error of a guess: who has so much left has learned next to nothing."""

_ROUNDING = 1e-9
"""Differences of errors that are written in a few decimals miss them by less."""

NEEDED = ("training_error", "validation_error")


def figures(case: Case) -> Figures | None:
    """Return the errors of the trial and what follows from them; None: it lacks one of NEEDED."""
    if any(name not in case.metrics for name in NEEDED):
        return None
    training, validation = (case.metrics[name] for name in NEEDED)
    train_dev = case.metrics.get("train_dev_error")
    target = case.spec.diagnosis.target_error
    held_out = "validation" if train_dev is None else "train_dev"
    noise = {"bias": _noise(case, "training"), "variance": _noise(case, "training", held_out)}
    if train_dev is not None:
        noise["mismatch"] = _noise(case, "train_dev", "validation")
    return Figures(
        training_error=training,
        validation_error=validation,
        train_dev_error=train_dev,
        target_error=target,
        bias=training - target,
        variance=(validation if train_dev is None else train_dev) - training,
        mismatch=None if train_dev is None else validation - train_dev,
        noise=noise,
        tolerance=_tolerance(case),
    )


def conditions(found: Figures) -> list[Condition]:
    """Return which of bias, variance and mismatch are high: above their own noise and the tolerance."""
    amounts = {
        Condition.HIGH_BIAS: ("bias", found.bias),
        Condition.HIGH_VARIANCE: ("variance", found.variance),
        Condition.HIGH_MISMATCH: ("mismatch", found.mismatch),
    }
    return [
        condition
        for condition, (name, amount) in amounts.items()
        if amount is not None and amount > max(found.noise[name], found.tolerance) + _ROUNDING
    ]


def has_learned_nothing(case: Case) -> bool:
    """Return whether even the training error is about that of a guess, as far as that is known."""
    training, guessed = case.metrics.get("training_error"), guess(case)
    return training is not None and guessed is not None and training >= NOTHING * guessed


def guess(case: Case) -> float | None:
    """Return the error of who always says the most frequent class, or the mean; None: that is not known."""
    if not case.classes:
        return None if case.classes is None else 1.0
    known = case.datasets.get(case.spec.task.data.dataset) if case.spec.task else None
    if known and known.class_sizes:
        return 1 - max(known.class_sizes) / sum(known.class_sizes)
    return 1 - 1 / case.classes


def _tolerance(case: Case) -> float:
    if case.spec.diagnosis.tolerance is not None:
        return case.spec.diagnosis.tolerance
    if case.classes == 0:
        return REGRESSION_TOLERANCE
    guessed = guess(case)
    return TOLERANCE if guessed is None else min(TOLERANCE, TOLERATED_OF_A_GUESS * guessed)


def _noise(case: Case, *sets: str) -> float:
    """Return two standard errors of the error on a set, or of the difference of those on two."""
    return 2 * math.hypot(*(case.metrics.get(f"{name}_error_standard_error", 0.0) for name in sets))
