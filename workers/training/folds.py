"""Cross-validation: every example validates once; in time order, what was trained on all that came before it."""

import numpy as np

from workers.training.dealing import Indices, Traits, deal, in_time, random_keys


def fold_of(traits: Traits, fold: int, *, folds: int, seed: str) -> tuple[Indices, Indices]:
    """Return the rows that train and those that validate in a fold.

        classes, groups                      time ->
        fold 0   V t t t                     fold 0   t V
        fold 1   t V t t                     fold 1   t t V
        fold 2   t t V t                     fold 2   t t t V

    Args:
        traits: Of the examples.
        fold: Which one, from 0.
        folds: How many there are.
        seed: The deal.

    Raises:
        ValueError: There are fewer examples, or groups, than folds.
    """
    if traits.time_N is not None:
        return _chained(in_time(traits.time_N, seed=seed), fold, folds)
    sets = _deal(traits, folds, seed=seed)
    train = np.concatenate([rows for number, rows in enumerate(sets) if number != fold])
    return np.sort(train), sets[fold]


def _deal(traits: Traits, folds: int, *, seed: str) -> list[Indices]:
    if len(traits) < folds:
        raise ValueError(f"{len(traits)} examples are too few for {folds} folds")
    if traits.group_N is not None:
        sizes = np.diff(np.arange(folds + 1) * len(traits) // folds)
        return deal(traits, sizes.tolist(), seed=seed)
    # In turn, class by class: each fold gets of each class its share, rounded up or down.
    order = np.lexsort((random_keys(len(traits), seed), traits.class_N))
    return [np.sort(order[fold::folds]) for fold in range(folds)]


def _chained(order: Indices, fold: int, folds: int) -> tuple[Indices, Indices]:
    """Forward chaining: a block of the latest validates what was trained on all before it."""
    block = len(order) // (folds + 1)
    if block == 0:
        raise ValueError(f"{len(order)} examples are too few for {folds} folds in time order")
    start = len(order) - (folds - fold) * block
    return np.sort(order[:start]), np.sort(order[start : start + block])
