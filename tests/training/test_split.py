import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from workers.training.datasets import load
from workers.training.split import Split, deal

HASH = "0" * 64


def classes_of(y_N: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.bincount(y_N[rows], minlength=int(y_N.max()) + 1)


def parts(split: Split) -> tuple[list[int], list[int], list[int]]:
    return split.train.tolist(), split.validation.tolist(), split.test.tolist()


@pytest.mark.parametrize(
    ("examples", "held_out"), [(5, 1), (150, 30), (1797, 359), (50_000, 10_000), (1_000_000, 10_000)]
)
def test_a_fifth_but_at_most_ten_thousand_validate_and_as_many_test(examples: int, held_out: int) -> None:
    y_N = np.arange(examples) % 7

    split = deal(y_N, content_hash=HASH, seed=0)

    assert (len(split.validation), len(split.test)) == (held_out, held_out)
    assert len(split.train) == examples - 2 * held_out


@given(st.lists(st.integers(0, 4), min_size=5, max_size=300).map(np.array), st.integers(min_value=0, max_value=9))
def test_every_example_is_in_one_set_and_every_class_has_its_share_of_each(y_N: NDArray[np.int64], seed: int) -> None:
    split = deal(y_N, content_hash=HASH, seed=seed)

    assert sorted(np.concatenate([split.train, split.validation, split.test])) == list(range(len(y_N)))
    for rows in (split.validation, split.test):
        share = np.bincount(y_N) * len(rows) / len(y_N)
        assert np.all(np.abs(classes_of(y_N, rows) - share) <= 1)


def test_a_split_is_a_pure_function_of_the_data_and_the_seed() -> None:
    y_N = load("digits").y_N

    split = deal(y_N, content_hash=HASH, seed=0)

    assert parts(deal(y_N, content_hash=HASH, seed=0)) == parts(split)
    assert parts(deal(y_N, content_hash=HASH, seed=1)) != parts(split)
    assert parts(deal(y_N, content_hash="1" * 64, seed=0)) != parts(split)


def test_the_split_of_digits_never_changes() -> None:
    digits = load("digits")

    split = deal(digits.y_N, content_hash=digits.content_hash, seed=0)

    # Recorded values: another one means that every stored figure was measured on other examples.
    assert digits.content_hash == "0450f7dd450091a4cd0efebc987b0ae1e2d2abd2df849f82ed8d1c2d35a978f8"
    assert split.hash == "516927fc0b9be04a4e8fcbf559e8fe6908f35561981d4963fc0238ecb9a76ef2"


def test_the_hash_tells_apart_splits_that_move_one_example() -> None:
    split = deal(np.arange(20) % 2, content_hash=HASH, seed=0)

    moved = Split(split.train[:-1], np.append(split.validation, split.train[-1]), split.test)

    assert moved.hash != split.hash


def test_examples_are_held_out_evenly_whatever_their_row() -> None:
    y_N = np.arange(100) % 2
    held_out_N = np.zeros(100)

    for seed in range(400):
        held_out_N[deal(y_N, content_hash=HASH, seed=seed).validation] += 1

    # Binomial(400, 0.2): six standard deviations of 8 each side of 80.
    assert held_out_N.min() > 32
    assert held_out_N.max() < 128


def test_too_few_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="4 examples are too few"):
        deal(np.zeros(4, dtype=np.int64), content_hash=HASH, seed=0)
