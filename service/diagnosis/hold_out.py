"""Findings on the data: what makes its errors mean less than they say."""

from service.diagnosis.case import Case
from service.diagnosis.conditions import guess
from trimtab.diagnosis import Finding, FindingCode

LEAK_ERROR = 0.02
"""Of the best feature alone, in classification: no more than the tolerance: it is as good as the answer."""

LEAK_RMSE = 0.1
"""Likewise in regression: that feature explains 99 % of the variance."""

LEAK_SHARE_OF_CHANCE = 0.1
"""At most so much of the error of a guess may such a feature have left: of a rare class a guess is good as well."""

DUPLICATE_SHARE = 0.05
"""One validation example in twenty is known by heart: the validation error is at least 5 % too good."""

FEWEST_DUPLICATES = 2.5
"""Examples; one or two alike are found in many a small data set."""

SHIFT_AUC = 0.6
"""A classifier tells the sets apart: its area under the curve, at the lower end of its 95 % interval."""

_OTHERS = {
    "shift_auc": ("those that training holds out", "train on examples like those that the model will meet"),
    "test_shift_auc": ("those of the test", "let validation and test come from one distribution"),
}
"""What validation examples are told from, and what to do, by the metric of the area under the curve."""

FEWEST_EXAMPLES = 30
"""In a hold-out: of fewer, one wrong answer more is over 3 %."""


def label_leak(case: Case) -> Finding | None:
    """Find a feature that tells the answers by itself."""
    error, threshold = case.metrics.get("leak_error"), _leak_threshold(case)
    if error is None or threshold is None or error > threshold:
        return None
    feature = int(case.metrics.get("leak_feature", -1))
    text = (
        f"{_feature(case, feature)} alone answers with an error of {error:.3g}: it may hold the label, or what is "
        "known only after it; look where it comes from, and leave it out of the data set if it will not be there in use"
    )
    return Finding(
        code=FindingCode.LABEL_LEAK, figures={"leak_error": error, "leak_feature": float(feature)}, text=text
    )


def duplicates(case: Case) -> Finding | None:
    """Find validation examples that are in the training set too."""
    share, examples = case.metrics.get("duplicate_share", 0.0), _validating(case)
    if share <= DUPLICATE_SHARE or (examples is not None and share * examples < FEWEST_DUPLICATES):
        return None
    text = (
        f"{share:.0%} of the validation examples are training examples too: the validation error is too good; "
        "remove copies from the data set, or keep those of one origin together (task.data.split.group)"
    )
    return Finding(code=FindingCode.DUPLICATES, figures={"duplicate_share": share}, text=text)


def shift(case: Case) -> Finding | None:
    """Find a validation set that comes from another distribution than what training holds out, or than the test."""
    lows = {name: low for name in _OTHERS if (low := case.metrics.get(f"{name}_low", 0.0)) > SHIFT_AUC}
    if not lows:
        return None
    areas = {name: case.metrics.get(name, low) for name, low in lows.items()}
    apart = " and ".join(
        f"from {_OTHERS[name][0]} (area under the curve {areas[name]:.2f}, at least {low:.2f})"
        for name, low in lows.items()
    )
    remedy = ", and ".join(_OTHERS[name][1] for name in lows)
    text = f"a small classifier tells validation examples {apart}: they come from another distribution; {remedy}"
    figures = areas | {f"{name}_low": low for name, low in lows.items()}
    return Finding(code=FindingCode.SHIFT, figures=figures, text=text)


def small_hold_out(case: Case) -> Finding | None:
    """Find a validation set that is too small to say anything."""
    examples = _validating(case)
    if examples is None or examples >= FEWEST_EXAMPLES:
        return None
    remedy = "get more" if _folds(case) else "let each example validate in its turn (folds), or get more"
    text = f"{examples:.0f} validation examples say little: one wrong answer is {1 / max(examples, 1):.1%}; {remedy}"
    return Finding(code=FindingCode.SMALL_HOLD_OUT, figures={"validation_examples": examples}, text=text)


def _validating(case: Case) -> float | None:
    """Return how many examples validate, of folds all of them: what a trial tells is the mean over them."""
    told = case.metrics.get("validation_examples")
    # Eleven times the mean of eleven folds may miss their sum by a hair.
    return told if told is None else round(told * max(_folds(case), 1), 6)


def _folds(case: Case) -> int:
    """Return how many folds there are; 0: none."""
    return (case.spec.task.data.split.folds or 0) if case.spec.task else 0


def _feature(case: Case, number: int) -> str:
    """Return what a feature is called, of those that the worker counts from 0: columns that split are none."""
    data = case.spec.task.data if case.spec.task else None
    known = case.datasets.get(data.dataset) if data else None
    if data is None or known is None:
        return f"feature {number} (from 0)" if number >= 0 else "one feature"
    if known.image:
        return _pixel(known.image, number)
    columns = [name for name in known.columns if name not in (data.split.group, data.split.time)]
    return f"the column {columns[number]!r}" if 0 <= number < len(columns) else "one feature"


def _pixel(image: tuple[int, int, int], number: int) -> str:
    """Return which pixel a number of a flattened image is."""
    channels, height, width = image
    if not 0 <= number < channels * height * width:
        return "one pixel"
    row, column = divmod(number % (height * width), width)
    channel = f" of channel {number // (height * width) + 1}" if channels > 1 else ""
    return f"the pixel in row {row + 1}, column {column + 1}{channel}"


def _leak_threshold(case: Case) -> float | None:
    """Return the greatest error of a feature that leaks; None: what is learned is not known."""
    if case.classes == 0:
        return LEAK_RMSE
    guessed = guess(case)
    return None if guessed is None else min(LEAK_ERROR, LEAK_SHARE_OF_CHANCE * guessed)
