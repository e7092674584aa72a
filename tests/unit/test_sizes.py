import pytest

from trimtab.data import DataSpec, SplitSpec
from trimtab.sizes import SetSizes, set_sizes, training_examples


@pytest.mark.parametrize(
    ("examples", "held_out"), [(4, 0), (5, 1), (150, 30), (1797, 359), (50_000, 10_000), (1_000_000, 10_000)]
)
def test_a_fifth_but_at_most_ten_thousand_validate_and_as_many_test(examples: int, held_out: int) -> None:
    assert set_sizes(DataSpec(), {"digits": examples}) == SetSizes(examples - 2 * held_out, held_out, held_out)


@pytest.mark.parametrize(
    ("split", "sizes"),
    [
        (SplitSpec(validation=0.1, test=0.29), SetSizes(61, 10, 29)),
        (SplitSpec(validation=7), SetSizes(73, 7, 20)),
        (SplitSpec(validation=0.001), SetSizes(79, 1, 20)),
        (SplitSpec(folds=5, test=25), SetSizes(75, 0, 25)),
        (SplitSpec(validation=60, test=60), SetSizes(-20, 60, 60)),
    ],
)
def test_what_is_said_comes_before_what_follows_from_the_size(split: SplitSpec, sizes: SetSizes) -> None:
    assert set_sizes(DataSpec(split=split), {"digits": 100}) == sizes


@pytest.mark.parametrize(
    ("spec", "sizes"),
    [
        (DataSpec(dataset="a", validation_dataset="b"), SetSizes(80, 25, 25, train_dev=20)),
        (DataSpec(dataset="a", validation_dataset="b", split=SplitSpec(test=0.2)), SetSizes(80, 40, 10, train_dev=20)),
        (DataSpec(dataset="a", validation_dataset="b", test_dataset="c"), SetSizes(80, 50, 9, train_dev=20)),
        (DataSpec(dataset="a", test_dataset="c"), SetSizes(80, 20, 9)),
        (DataSpec(dataset="a", test_dataset="c", split=SplitSpec(folds=4)), SetSizes(100, 0, 9)),
    ],
)
def test_data_sets_of_their_own_validate_and_test(spec: DataSpec, sizes: SetSizes) -> None:
    assert set_sizes(spec, {"a": 100, "b": 50, "c": 9}) == sizes


@pytest.mark.parametrize(
    ("split", "examples"),
    [
        (SplitSpec(), 90),
        (SplitSpec(folds=5), 96),
        (SplitSpec(folds=7), 102),
        (SplitSpec(folds=5, time="day"), 20),
        (SplitSpec(folds=100), 118),
    ],
)
def test_of_several_folds_the_one_with_the_fewest_training_examples_counts(split: SplitSpec, examples: int) -> None:
    spec = DataSpec(split=split)

    assert training_examples(spec, set_sizes(spec, {"digits": 150})) == examples
