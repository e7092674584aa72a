from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.training.files import META, put
from trimtab.data import DataSpec, SplitSpec
from trimtab.sizes import set_sizes
from workers.training import sources
from workers.training.dealing import Traits, class_counts, deal
from workers.training.split import Split, split_alone


def traits(classes: int, examples: int, *, groups: int = 0, seed: int = 0) -> Traits:
    chance = np.random.default_rng(seed)
    class_N = chance.integers(classes, size=examples)
    group_N = np.unique(chance.integers(groups, size=examples), return_inverse=True)[1] if groups else None
    return Traits(class_N, group_N)


def sizes(sets: list[NDArray[np.int64]]) -> list[int]:
    return [len(rows) for rows in sets]


def of(spec: DataSpec, **files: Path) -> sources.Sources:
    return sources.load(spec, files=files, fold=None)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Examples of each class, and of each of three sets, together as many."""
    sizes_C = draw(st.lists(st.integers(1, 40), min_size=1, max_size=30))
    ends = sorted(draw(st.lists(st.integers(0, sum(sizes_C)), min_size=2, max_size=2)))
    return sizes_C, np.diff([0, *ends, sum(sizes_C)]).tolist()


@given(tables())
def test_each_class_has_its_share_of_each_set_to_within_one_example(table: tuple[list[int], list[int]]) -> None:
    sizes_C, counts = table

    cells_CS = np.array(class_counts(sizes_C, counts))

    assert cells_CS.sum(axis=1).tolist() == sizes_C
    assert cells_CS.sum(axis=0).tolist() == counts
    assert np.all(np.abs(cells_CS - np.outer(sizes_C, counts) / sum(sizes_C)) < 1)


@given(st.lists(st.integers(0, 4), min_size=9, max_size=300).map(np.array), st.integers(min_value=0, max_value=9))
def test_every_example_is_in_one_set_and_every_class_has_its_share_of_each(y_N: NDArray[np.int64], seed: int) -> None:
    counts = [len(y_N) - 5, 3, 2]

    sets = deal(Traits(y_N), counts, seed=str(seed))

    assert sorted(np.concatenate(sets)) == list(range(len(y_N)))
    assert sizes(sets) == counts
    for rows in sets:
        share = np.bincount(y_N) * len(rows) / len(y_N)
        assert np.all(np.abs(np.bincount(y_N[rows], minlength=len(share)) - share) < 1)


def test_a_deal_is_a_pure_function_of_the_examples_and_the_seed() -> None:
    first = deal(traits(3, 100), [60, 20, 20], seed="a")

    again, other = (deal(traits(3, 100), [60, 20, 20], seed=seed) for seed in ("a", "b"))

    assert [rows.tolist() for rows in again] == [rows.tolist() for rows in first]
    assert [rows.tolist() for rows in other] != [rows.tolist() for rows in first]


def test_examples_are_held_out_evenly_whatever_their_row() -> None:
    half_and_half = Traits(np.arange(100) % 2)
    held_out_N = np.zeros(100)

    for seed in range(400):
        held_out_N[deal(half_and_half, [80, 20], seed=str(seed))[1]] += 1

    # Binomial(400, 0.2): six standard deviations of 8 each side of 80.
    assert held_out_N.min() > 32
    assert held_out_N.max() < 128


@given(st.integers(3, 60), st.integers(1, 5), st.integers(0, 9))
def test_groups_stay_whole(groups: int, classes: int, seed: int) -> None:
    grouped = traits(classes, 6 * groups, groups=groups, seed=seed)
    assert grouped.group_N is not None
    examples = len(grouped)

    sets = deal(grouped, [examples - 2 * (examples // 4), examples // 4, examples // 4], seed=str(seed))

    assert sorted(np.concatenate(sets)) == list(range(examples))
    owners = [set(grouped.group_N[rows]) for rows in sets]
    assert not owners[0] & owners[1] | owners[0] & owners[2] | owners[1] & owners[2]


def test_as_many_groups_as_sets_make_one_each_whatever_their_numbers() -> None:
    part = Traits(np.array([0, 1, 1]), np.array([24, 20, 32]))

    sets = deal(part, [1, 1, 1], seed="0")

    assert sizes(sets) == [1, 1, 1]


def test_groups_make_sets_of_about_the_wanted_size_and_shares() -> None:
    grouped = traits(3, 3000, groups=300)

    sets = deal(grouped, [1800, 600, 600], seed="a")

    for rows, wanted in zip(sets, (1800, 600, 600), strict=True):
        assert abs(len(rows) - wanted) <= 20
        assert np.bincount(grouped.class_N[rows]) / len(rows) == pytest.approx(
            np.bincount(grouped.class_N) / 3000, abs=0.05
        )


def test_the_latest_examples_are_tested_and_those_before_validate() -> None:
    time_N = np.random.default_rng(0).permutation(np.repeat(np.arange(50.0), 2))

    train, validation, test = deal(Traits(np.zeros(100, dtype=np.int64), time_N=time_N), [60, 20, 20], seed="a")

    assert time_N[train].max() < time_N[validation].min() <= time_N[validation].max() < time_N[test].min()
    assert sizes([train, validation, test]) == [60, 20, 20]


def test_too_few_groups_are_refused() -> None:
    pair = Traits(np.zeros(20, dtype=np.int64), np.arange(20) % 2)

    with pytest.raises(ValueError, match="too few groups: 20 examples make sets of 10, 10, 0"):
        deal(pair, [12, 4, 4], seed="a")


def split_of(of: Traits, spec: SplitSpec) -> Split:
    sizes = set_sizes(DataSpec(split=spec), {"digits": len(of)})
    return split_alone(of, spec, sizes, content="a", fold=0 if spec.folds else None)


UNEVEN = Traits(np.repeat(np.arange(6), [25, 24, 2, 1, 8, 80]))
GROUPED = traits(3, 140, groups=40)
ONE_IS_LARGE = Traits(traits(2, 140).class_N, np.minimum(np.arange(140) // 4, 11))
"""A group of 96, and eleven of 4."""

TIMED = Traits(np.zeros(140, dtype=np.int64), time_N=np.random.default_rng(0).permutation(np.arange(140.0)))


@pytest.mark.parametrize(
    ("of", "spec"),
    [
        *((of, SplitSpec(folds=folds)) for of in (UNEVEN, GROUPED, ONE_IS_LARGE, TIMED) for folds in (2, 5)),
        *((of, SplitSpec(validation=share)) for of in (GROUPED, ONE_IS_LARGE, TIMED) for share in (0.05, 0.4)),
    ],
)
def test_the_test_set_is_the_same_whatever_the_rest_is_dealt_to(of: Traits, spec: SplitSpec) -> None:
    usual = split_of(of, SplitSpec())

    other = split_of(of, spec)

    assert other.test.tolist() == usual.test.tolist()
    assert not set(other.test) & {*other.train, *other.validation}


@pytest.mark.parametrize("spec", [SplitSpec(), SplitSpec(validation=20, test=0.3)])
def test_groups_held_out_one_after_the_other_make_sets_of_about_the_wanted_size(spec: SplitSpec) -> None:
    wanted = set_sizes(DataSpec(split=spec), {"digits": 140})

    dealt = split_of(GROUPED, spec)

    for rows, size in ((dealt.train, wanted.train), (dealt.validation, wanted.validation), (dealt.test, wanted.test)):
        assert abs(len(rows) - size) <= 5


@pytest.mark.parametrize("large", [96, 240, 2400])
def test_beside_a_group_that_is_larger_than_what_trains_the_others_validate_and_test(large: int) -> None:
    group_N = np.maximum(np.arange(large + 40) - large + 4, 0) // 4
    spec = SplitSpec(group="group")

    dealt = split_of(Traits(np.zeros(large + 40, dtype=np.int64), group_N), spec)

    assert sizes([dealt.train, dealt.validation, dealt.test]) == [large, 20, 20]


def test_the_split_of_digits_never_changes() -> None:
    dealt = of(DataSpec())

    # A recorded value: another one means that every stored figure was measured on other examples.
    assert dealt.split_hash == "35e06b510fea76ecee46b71af8f20d679b19ddd3d48c00cfffdd48a6b8bbc2bc"


def test_the_hash_tells_apart_splits_that_move_one_example_and_data_of_other_content() -> None:
    split = Split(*deal(traits(2, 20), [12, 4, 4], seed="a"))

    moved = Split(split.train[:-1], np.append(split.validation, split.train[-1]), split.test)

    assert len({split.hash("a"), moved.hash("a"), split.hash("b")}) == 3


def test_what_the_spec_says_is_held_out() -> None:
    dealt = of(DataSpec(dataset="iris", split=SplitSpec(validation=0.1, test=30)))

    assert (len(dealt.train), len(dealt.validation), len(dealt.test), dealt.train_dev) == (105, 15, 30, None)
    assert np.bincount(dealt.validation.y_N).tolist() == [5, 5, 5]


def test_too_few_examples_are_refused(tmp_path: Path) -> None:
    path, sha256 = put(tmp_path / "pets.npz")

    with pytest.raises(ValueError, match="4 examples are too few"):
        of(DataSpec(dataset="pets", contents={"pets": sha256}), pets=path)


def test_hold_outs_of_more_than_all_are_refused() -> None:
    with pytest.raises(ValueError, match="150 examples are too few"):
        of(DataSpec(dataset="iris", split=SplitSpec(validation=100, test=50)))


@pytest.fixture
def shops(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    """Two data sets of one form: here and elsewhere, whose classes are numbered otherwise."""
    chance = np.random.default_rng(0)
    found = {}
    for name, examples, classes in (("here", 100, ["no", "yes"]), ("elsewhere", 60, ["yes", "no"])):
        columns = [
            {"name": "price", "kind": "number"},
            {"name": "shop", "kind": "category", "categories": list("abcdefgh")},
            {"name": "day", "kind": "time"},
        ]
        found[name] = put(
            tmp_path / f"{name}.npz",
            META | {"columns": columns, "classes": classes},
            numbers_ND=np.column_stack((chance.normal(size=examples), np.arange(examples, 0, -1.0))),
            codes_NK=(np.arange(examples)[:, None] % 8).astype(np.int32),
            y_N=(np.arange(examples) % 4 == 0).astype(np.int64),
        )
    return found


def shop_data(shops: dict[str, tuple[Path, str]], **spec: object) -> sources.Sources:
    contents = {name: sha256 for name, (_, sha256) in shops.items()}
    files = {name: path for name, (path, _) in shops.items()}
    return of(DataSpec.model_validate({"dataset": "here", "contents": contents} | spec), **files)


def test_validation_data_of_its_own_leaves_a_train_dev_set(shops: dict[str, tuple[Path, str]]) -> None:
    dealt = shop_data(shops, validation_dataset="elsewhere")

    assert dealt.train_dev is not None
    assert (len(dealt.train), len(dealt.train_dev), len(dealt.validation), len(dealt.test)) == (80, 20, 30, 30)
    # Three in four are `yes` elsewhere, as one in four is here: classes go by their names.
    assert [round(part.y_N.mean(), 1) for part in (dealt.train, dealt.train_dev)] == [0.2, 0.2]
    assert 0.7 < dealt.validation.y_N.mean() < 0.8


def test_test_data_of_its_own_is_tested_whole(shops: dict[str, tuple[Path, str]]) -> None:
    dealt = shop_data(shops, test_dataset="elsewhere")

    assert (len(dealt.train), len(dealt.validation), len(dealt.test)) == (80, 20, 60)


def test_columns_of_another_data_set_are_found_by_their_names(tmp_path: Path) -> None:
    found = {}
    for name, columns, values in (("here", ["low", "high"], [1.0, 9.0]), ("elsewhere", ["high", "low"], [9.0, 1.0])):
        found[name] = put(
            tmp_path / f"{name}.npz",
            META | {"columns": [{"name": column, "kind": "number"} for column in columns], "classes": ["no", "yes"]},
            numbers_ND=np.tile(values, (20, 1)),
            codes_NK=np.empty((20, 0), dtype=np.int32),
            y_N=np.arange(20) % 2,
        )

    dealt = shop_data(found, validation_dataset="elsewhere")

    for part in (dealt.train, dealt.validation, dealt.test):
        assert {name: set(column.tolist()) for name, column in part.rows.columns.items()} == {"low": {1}, "high": {9}}
        assert list(part.rows.columns) == ["low", "high"]


def test_columns_that_groups_and_times_are_told_by_are_no_features(shops: dict[str, tuple[Path, str]]) -> None:
    grouped, timed = (shop_data(shops, split={by: column}) for by, column in (("group", "shop"), ("time", "day")))

    assert list(grouped.train.rows.columns) == ["price", "day"]
    assert list(timed.train.rows.columns) == ["price", "shop"]


@pytest.mark.parametrize(
    ("split", "said"),
    [({"group": "colour"}, "there is no column colour; there are price, shop, day"), ({"time": "shop"}, "holds text")],
)
def test_a_column_that_cannot_order_or_group_is_refused(
    shops: dict[str, tuple[Path, str]], split: dict[str, str], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        shop_data(shops, split=split)


def test_data_sets_that_do_not_go_together_are_refused(shops: dict[str, tuple[Path, str]]) -> None:
    with pytest.raises(ValueError, match="there is no column price"):
        shop_data(shops, validation_dataset="iris")
    with pytest.raises(ValueError, match="other targets: regression is not classification"):
        of(DataSpec(dataset="wine", validation_dataset="diabetes").model_copy(update={"dataset": "iris"}))
