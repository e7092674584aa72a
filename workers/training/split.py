"""Which examples train, which validate, which are kept for the test: everywhere and always the same."""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from trimtab.data import SplitSpec
from trimtab.sizes import SetSizes, usual_hold_out
from workers.training.dealing import Indices, Traits, deal
from workers.training.folds import fold_of


def _no_rows() -> Indices:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Split:
    """Row numbers of the sets, int64, ascending.

    Args:
        train: What the weights are fitted to.
        validation: What hyperparameters are chosen by.
        test: What no trial ever sees.
        train_dev: Held apart from where `train` comes from, where validation comes from elsewhere; else none.
    """

    train: Indices
    validation: Indices
    test: Indices
    train_dev: Indices = field(default_factory=_no_rows)

    def hash(self, *contents: str) -> str:
        """Return the SHA-256 of who is where, in data sets of such contents."""
        parts = (self.train, self.validation, self.test, self.train_dev)
        digest = hashlib.sha256(repr((contents, [len(part) for part in parts])).encode())
        for part in parts:
            digest.update(part.astype("<i8").tobytes())
        return digest.hexdigest()


def split_alone(traits: Traits, spec: SplitSpec, sizes: SetSizes, *, content: str, fold: int | None) -> Split:
    """Split a data set that training and validation both come from; the test too, unless `sizes` has none of it.

    Args:
        traits: Of its examples.
        spec: How.
        sizes: Of the sets; a test set of 0 comes from elsewhere.
        content: SHA-256 of the data: other data is dealt otherwise.
        fold: Which one, with folds.

    Raises:
        ValueError: A set is left without any example.
    """
    seed = f"{content} {spec.seed}"
    if spec.folds is None and traits.group_N is None:
        return Split(*_deal(traits, [sizes.train, sizes.validation, sizes.test], seed=seed))
    rest, test = _test_apart(traits, sizes, seed=seed)
    if fold is None:
        left = max(1, len(rest) - sizes.validation)
        train, validation = _deal(traits[rest], [left, sizes.validation], seed=f"{seed} rest")
    else:
        assert spec.folds is not None, "a fold is one of some"
        train, validation = fold_of(traits[rest], fold, folds=spec.folds, seed=f"{seed} folds")
    return Split(rest[train], rest[validation], test)


def split_pair(
    here: Traits, elsewhere: Traits, spec: SplitSpec, sizes: SetSizes, *, contents: tuple[str, str]
) -> Split:
    """Split a data set for training and another one for validation and test; a test set of 0 comes from a third.

    Raises:
        ValueError: A set is left without any example.
    """
    train, train_dev = _deal(here, [sizes.train, sizes.train_dev], seed=f"{contents[0]} {spec.seed}")
    validation, test = _deal(elsewhere, [sizes.validation, sizes.test], seed=f"{contents[1]} {spec.seed}")
    return Split(train, validation, test, train_dev)


def _test_apart(traits: Traits, sizes: SetSizes, *, seed: str) -> tuple[Indices, Indices]:
    """Return all but the test set, and the test set: it is the same whatever the rest is dealt to."""
    rest = sizes.train + sizes.validation
    validation = min(usual_hold_out(len(traits)), rest - 1)
    if traits.group_N is not None and _largest_group(traits.group_N) <= rest - validation:
        # Where a group goes depends on all the sets that are dealt at once.
        left, test = _deal(traits, [rest, sizes.test], seed=seed)
        return left, test
    # How a class's share is rounded does too: with folds it is as without, beside the usual validation set. And beside
    # a group that alone is more than trains, the test set would get all others if none were dealt for validation.
    train, validating, test = _deal(traits, [rest - validation, validation, sizes.test], seed=seed)
    return np.union1d(train, validating), test


def _largest_group(group_N: Indices) -> int:
    return int(np.unique(group_N, return_counts=True)[1].max())


def _deal(traits: Traits, counts: list[int], *, seed: str) -> list[Indices]:
    """Deal to those sets that are to have any."""
    wanted = [count for count in counts if count != 0]
    sets = iter(deal(traits, wanted, seed=seed))
    return [next(sets) if count else _no_rows() for count in counts]
