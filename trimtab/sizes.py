"""How many examples each set gets: decided before any of them is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass

from trimtab.data import DataSpec, HoldOut

_AUTO_SHARE = 5
"""One example in five ..."""

_AUTO_LIMIT = 10_000
"""... but no more than tell 0.1 % apart, however large the data."""


@dataclass(frozen=True)
class SetSizes:
    """Examples of each set; where groups stay together they are what is aimed at.

    Args:
        train: With folds: all that is dealt to the folds.
        validation: With folds none: each validates in its turn.
        test: Locked.
        train_dev: Held apart from the training examples, where validation comes from elsewhere.
    """

    train: int
    validation: int
    test: int
    train_dev: int = 0


def set_sizes(spec: DataSpec, examples: Mapping[str, int]) -> SetSizes:
    """Return how data sets of so many examples, by name, are dealt out. Where too much is held out `train` is below 1.

    With a validation data set, `split.validation` is what is held apart for train-dev, and `split.test` what the test
    gets of that data set: half if nothing is said.
    """
    split, whole = spec.split, examples[spec.dataset]
    held_out = 0 if split.folds else _count(split.validation, whole, otherwise=usual_hold_out(whole))
    test = 0 if spec.test_dataset is None else examples[spec.test_dataset]
    if spec.validation_dataset is not None:
        elsewhere = examples[spec.validation_dataset]
        cut = 0 if test else _count(split.test, elsewhere, otherwise=elsewhere // 2)
        return SetSizes(whole - held_out, elsewhere - cut, test or cut, train_dev=held_out)
    cut = 0 if test else _count(split.test, whole, otherwise=usual_hold_out(whole))
    return SetSizes(whole - held_out - cut, held_out, test or cut)


def usual_hold_out(examples: int) -> int:
    """Return how many of so many examples are held out for a set where nothing is said."""
    return min(examples // _AUTO_SHARE, _AUTO_LIMIT)


def training_examples(spec: DataSpec, sizes: SetSizes) -> int:
    """Return how many examples a network is fitted to; of several folds, in the one with the fewest."""
    if not spec.split.folds:
        return sizes.train
    if spec.split.time:
        # Forward chaining: the first fold is trained on what is left before the blocks that validate.
        return sizes.train - spec.split.folds * (sizes.train // (spec.split.folds + 1))
    return sizes.train - -(-sizes.train // spec.split.folds)


def validation_examples(spec: DataSpec, sizes: SetSizes) -> int:
    """Return how many examples a network is judged by; of folds all that validate, each in its turn."""
    if not spec.split.folds:
        return sizes.validation
    # In time order what the first fold is trained on never validates.
    return sizes.train - training_examples(spec, sizes) if spec.split.time else sizes.train


def _count(wanted: HoldOut | None, examples: int, *, otherwise: int) -> int:
    if wanted is None:
        return otherwise
    return wanted if isinstance(wanted, int) else max(1, round(wanted * examples))
