"""Which examples train, which validate, which are kept for the test: everywhere and always the same."""

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np

from trimtab.data import SplitSpec
from trimtab.sizes import SetSizes
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
    split = Split(*_deal(traits, [sizes.train, sizes.validation, sizes.test], seed=seed))
    if fold is None:
        return split
    assert spec.folds is not None, "a fold is one of some"
    train, validation = fold_of(traits[split.train], fold, folds=spec.folds, seed=f"{seed} folds")
    return replace(split, train=split.train[train], validation=split.train[validation])


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


def _deal(traits: Traits, counts: list[int], *, seed: str) -> list[Indices]:
    """Deal to those sets that are to have any."""
    wanted = [count for count in counts if count != 0]
    sets = iter(deal(traits, wanted, seed=seed))
    return [next(sets) if count else _no_rows() for count in counts]
