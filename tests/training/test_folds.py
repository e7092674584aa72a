import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold, TimeSeriesSplit

from workers.training.dealing import Traits
from workers.training.folds import fold_of


def classes(examples: int, *, seed: int = 0) -> Traits:
    return Traits(np.random.default_rng(seed).integers(3, size=examples))


@given(st.integers(2, 8), st.integers(8, 90), st.integers(0, 9))
def test_every_example_validates_once_and_trains_in_all_other_folds(folds: int, examples: int, seed: int) -> None:
    traits = classes(examples, seed=seed)

    dealt = [fold_of(traits, fold, folds=folds, seed="a") for fold in range(folds)]

    assert sorted(np.concatenate([validation for _, validation in dealt])) == list(range(examples))
    for train, validation in dealt:
        assert sorted(np.concatenate((train, validation))) == list(range(examples))


@given(st.integers(2, 8), st.integers(24, 90), st.integers(0, 9))
def test_classes_have_the_shares_that_scikit_learns_folds_have(folds: int, examples: int, seed: int) -> None:
    class_N = classes(examples, seed=seed).class_N
    class_N[: 3 * folds] = np.repeat(np.arange(3), folds)  # enough of each for their splitter

    ours = [fold_of(Traits(class_N), fold, folds=folds, seed="a")[1] for fold in range(folds)]

    theirs = [validation for _, validation in StratifiedKFold(folds).split(class_N, class_N)]
    for number in range(3):
        counts = [sorted((class_N[rows] == number).sum() for rows in dealt) for dealt in (ours, theirs)]
        assert counts[0] == counts[1]


def test_groups_are_never_on_both_sides() -> None:
    group_N = np.random.default_rng(0).permutation(np.repeat(np.arange(20), 6))
    grouped = Traits(np.arange(120) % 3, group_N)

    dealt = [fold_of(grouped, fold, folds=5, seed="a") for fold in range(5)]

    for train, validation in dealt:
        assert not set(group_N[train]) & set(group_N[validation])
        assert len(validation) == 24


@given(st.integers(2, 6), st.integers(7, 60))
def test_in_time_order_each_block_validates_what_was_trained_on_all_before_it(folds: int, examples: int) -> None:
    time_N = np.random.default_rng(0).permutation(examples).astype(np.float64)
    traits = Traits(np.zeros(examples, dtype=np.int64), time_N=time_N)

    ours = [fold_of(traits, fold, folds=folds, seed="a") for fold in range(folds)]

    theirs = list(TimeSeriesSplit(folds).split(np.arange(examples)))
    assert [[sorted(time_N[rows]) for rows in pair] for pair in ours] == [
        [rows.tolist() for rows in pair] for pair in theirs
    ]


def test_folds_are_a_pure_function_of_the_seed() -> None:
    first, again, other = (fold_of(classes(60), 1, folds=4, seed=seed)[1].tolist() for seed in ("a", "a", "b"))

    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("traits", "said"),
    [
        (classes(4), "4 examples are too few for 5 folds"),
        (Traits(np.zeros(9, dtype=np.int64), np.arange(9) % 3), "too few groups: 9 examples make sets of"),
        (
            Traits(np.zeros(5, dtype=np.int64), time_N=np.arange(5.0)),
            "5 examples are too few for 5 folds in time order",
        ),
    ],
)
def test_fewer_examples_or_groups_than_folds_are_refused(traits: Traits, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fold_of(traits, 0, folds=5, seed="a")
