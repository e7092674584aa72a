from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.model_selection import cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from tests.training.files import META, put
from trimtab.data import DataSpec, SplitSpec
from trimtab.models.columns import Rows
from workers.training import datasets, sources
from workers.training.data import Data, prepare
from workers.training.datasets import Dataset
from workers.training.leakage import duplicate_share, find_leak
from workers.training.row_sets import RowSet
from workers.training.shift import find_shift

CPU = torch.device("cpu")


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def table(*columns_N: NDArray[Any]) -> Rows:
    return Rows({f"x{number}": column_N for number, column_N in enumerate(columns_N)})


def test_a_class_that_a_column_gives_away_is_found() -> None:
    y_N = chance().integers(3, size=600)
    noise_N = chance(1).normal(size=600)

    leak = find_leak(table(noise_N, y_N + 0.1 * noise_N, noise_N**2), y_N, is_class=True)

    assert leak is not None
    assert leak.feature == 1
    assert leak.error < 0.02


def test_a_class_that_a_category_gives_away_is_found() -> None:
    y_N = chance().integers(2, size=600)
    names_N = np.array(["healthy", "ill"], dtype=object)[y_N]
    names_N[:30] = None

    leak = find_leak(table(chance(1).normal(size=600), names_N), y_N, is_class=True)

    assert leak is not None
    assert leak.feature == 1
    assert leak.error < 0.06


@pytest.mark.parametrize("given_away", [lambda y_N: 3 * y_N, lambda y_N: -np.exp(y_N), lambda y_N: y_N**3])
def test_a_number_that_a_column_gives_away_is_found_on_whatever_scale(given_away: Any) -> None:
    y_N = chance().normal(size=2000)

    leak = find_leak(table(chance(1).normal(size=2000), given_away(y_N)), y_N, is_class=False)

    assert leak is not None
    assert leak.feature == 1
    assert leak.error < 0.02


def test_noise_gives_nothing_away() -> None:
    noise = table(*chance().normal(size=(20, 2000)))
    class_N = np.arange(2000) % 2

    of_classes = find_leak(noise, class_N, is_class=True)
    of_numbers = find_leak(noise, chance(2).normal(size=2000), is_class=False)

    assert of_classes is not None
    assert of_numbers is not None
    assert of_classes.error > 0.4
    assert of_numbers.error > 0.9


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "wine"])
def test_what_a_feature_tells_is_about_what_a_tree_of_it_alone_tells(name: str) -> None:
    dataset = datasets.load(name, spec=DataSpec(dataset=name), files={})

    leak = find_leak(dataset.rows, dataset.y_N, is_class=True)

    trees = [
        np.mean(
            cross_val_predict(DecisionTreeClassifier(max_leaf_nodes=8), column_N[:, None], dataset.y_N) != dataset.y_N
        )
        for column_N in dataset.rows.columns.values()
    ]
    assert leak is not None
    assert leak.error == pytest.approx(min(trees), abs=0.06)


def test_too_few_examples_give_nothing_away() -> None:
    assert find_leak(table(np.arange(9.0)), np.arange(9) % 2, is_class=True) is None


def test_validation_rows_that_are_training_rows_too_are_counted() -> None:
    train_ND = chance().normal(size=(50, 3)).astype(np.float32)
    others_ND = chance(1).normal(size=(30, 3)).astype(np.float32)

    share = duplicate_share(train_ND, np.concatenate((train_ND[:10], others_ND)))

    assert share == 0.25


def test_sets_of_one_distribution_cannot_be_told_apart() -> None:
    lows = [
        find_shift(*(chance(2 * seed + which).normal(size=(300, 5)).astype(np.float32) for which in (0, 1)))
        for seed in range(5)
    ]

    assert all(shift is not None and shift.low < 0.55 for shift in lows)


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_a_shifted_or_widened_feature_tells_sets_apart(factor: float) -> None:
    a_ND, b_ND = (chance(seed).normal(size=(400, 20)).astype(np.float32) for seed in (0, 1))
    b_ND[:, 7] = factor * b_ND[:, 7] + 2 * (factor == 1)

    shift = find_shift(a_ND, b_ND)

    assert shift is not None
    assert 0.6 < shift.low < shift.auc


def test_an_interval_holds_the_chance_that_normal_scores_have() -> None:
    hits = 0
    for seed in range(20):
        # With one feature, two deviations apart, no forest beats its order: the chance is Phi(2 / sqrt 2) = 0.921.
        a_ND, b_ND = (chance(2 * seed + which).normal(2 * which, size=(150, 1)).astype(np.float32) for which in (0, 1))
        shift = find_shift(a_ND, b_ND)
        assert shift is not None
        hits += shift.low < 0.921

    assert hits >= 17


def test_facts_of_a_training_tell_what_was_found(tmp_path: Path) -> None:
    files = {}
    for name, mean in (("here", 0), ("elsewhere", 2), ("there", 4)):
        numbers_ND = chance(mean).normal(mean, size=(200, 2))
        y_N = (numbers_ND[:, 1] > mean).astype(np.int64)
        columns = [{"name": "a", "kind": "number"}, {"name": "b", "kind": "number"}]
        files[name] = put(
            tmp_path / f"{name}.npz", META | {"columns": columns}, numbers_ND=numbers_ND, codes_NK=None, y_N=y_N
        )
    contents = {name: sha256 for name, (_, sha256) in files.items()}
    spec = DataSpec(dataset="here", validation_dataset="elsewhere", test_dataset="there", contents=contents)

    facts = prepare(spec, device=CPU, files={name: path for name, (path, _) in files.items()}).facts

    assert facts["leak_feature"] == 1
    assert facts["duplicate_share"] == 0
    assert facts["shift_auc_low"] > 0.6
    assert facts["test_shift_auc_low"] > 0.6


def test_data_of_one_source_has_no_shift() -> None:
    assert not {"shift_auc", "test_shift_auc"} & set(prepare(DataSpec(dataset="wine"), device=CPU).facts)


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Prepares iris or diabetes with the rows that are not trained on changed beyond recognition."""

    def prepared(spec: DataSpec, *, fold: int | None) -> tuple[Data, Data]:
        whole = datasets.load(spec.dataset, spec=spec, files={})
        is_train_N = _is_in(whole, sources.load(spec, files={}, fold=fold).train)
        columns = {
            name: np.where(is_train_N, values_N, 1e6 * values_N) for name, values_N in whole.rows.columns.items()
        }
        y_N = whole.y_N if whole.classes else np.where(is_train_N, whole.y_N, -1e6)
        before = prepare(spec, device=CPU, fold=fold)
        changed = replace(whole, rows=Rows(columns), y_N=y_N)
        monkeypatch.setattr(datasets, "load", lambda *_, **__: changed)
        return before, prepare(spec, device=CPU, fold=fold, resident_bytes=10**9)

    return prepared


def _is_in(dataset: Dataset, part: RowSet) -> NDArray[np.bool_]:
    rows = set(zip(*(column_N.tolist() for column_N in part.rows.columns.values()), strict=True))
    return np.array(
        [row in rows for row in zip(*(column_N.tolist() for column_N in dataset.rows.columns.values()), strict=True)]
    )


@pytest.mark.parametrize(("name", "folds"), [("wine", None), ("wine", 3), ("diabetes", None), ("diabetes", 3)])
def test_nothing_of_the_other_sets_reaches_what_is_trained_on(moved: Any, name: str, folds: int | None) -> None:
    spec = DataSpec(dataset=name, split=SplitSpec(folds=folds))

    before, after = moved(spec, fold=1 if folds else None)

    assert not torch.equal(before.validation.x_ND, after.validation.x_ND)
    assert torch.equal(before.train.x_ND, after.train.x_ND)
    assert torch.equal(before.train.y_N, after.train.y_N)
    assert before.preprocessing == after.preprocessing
