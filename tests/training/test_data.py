from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.files import PETS, put
from tests.training.runs import run, validation_of
from trimtab.data import DataSpec, SplitSpec
from trimtab.message import Params
from trimtab.states import Purpose
from workers.training import sources
from workers.training.data import prepare
from workers.training.examples import Examples
from workers.training.placement import fits

CPU = torch.device("cpu")
WINE = DataSpec(dataset="wine", split=SplitSpec(seed=3))
DIABETES = DataSpec(dataset="diabetes")


def rows_of(examples: Examples) -> list[tuple[float, ...]]:
    return [tuple(row) for row in examples.x_ND.flatten(1).tolist()]


def test_a_trial_gets_the_rows_that_were_dealt_normalised_by_the_training_set() -> None:
    dealt = sources.load(WINE, files={}, fold=None)

    data = prepare(WINE, device=CPU)

    train_ND, validation_ND = (
        np.column_stack(list(part.rows.columns.values())) for part in (dealt.train, dealt.validation)
    )
    expected_ND = (validation_ND - train_ND.mean(axis=0)) / train_ND.std(axis=0)
    np.testing.assert_allclose(validation_of(data).x_ND.numpy(), expected_ND, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(data.train.x_ND.mean(dim=0), 0, atol=1e-6)
    assert validation_of(data).y_N.tolist() == dealt.validation.y_N.tolist()
    assert data.split_hash == dealt.split_hash


def test_features_stay_as_they_are_where_no_normalisation_is_wanted() -> None:
    spec = DataSpec(dataset="wine", normalization="none")

    data = prepare(spec, device=CPU)

    raw = sources.load(spec, files={}, fold=None).train.rows.columns
    np.testing.assert_array_equal(data.train.x_ND.numpy(), np.column_stack(list(raw.values())).astype(np.float32))


def test_a_target_that_is_a_number_is_learned_in_standard_deviations_of_the_training_targets() -> None:
    data = prepare(DIABETES, device=CPU)

    raw_N = sources.load(DIABETES, files={}, fold=None).validation.y_N
    assert data.outputs == 1
    assert (data.train.y_N.mean().item(), data.train.y_N.std(correction=0).item()) == pytest.approx((0, 1), abs=1e-6)
    np.testing.assert_allclose(data.preprocessing.numbers(validation_of(data).y_N.numpy()), raw_N, rtol=1e-6)


def test_images_keep_their_shape() -> None:
    data = prepare(DataSpec(), device=CPU)

    assert data.inputs == (1, 8, 8)
    assert data.train.x_ND.shape == (1797 - 2 * 359, 1, 8, 8)
    assert data.train.x_ND.std(correction=0).item() == pytest.approx(1, abs=1e-5)


def test_a_trial_gets_no_row_of_the_test_set() -> None:
    data = prepare(DataSpec(dataset="moons"), device=CPU)

    final = prepare(DataSpec(dataset="moons", normalization="none"), device=CPU, purpose=Purpose.FINAL)
    seen = prepare(DataSpec(dataset="moons", normalization="none"), device=CPU)
    assert data.test is None
    assert final.test is not None
    assert len(final.test) == 200
    assert not {*rows_of(seen.train), *rows_of(validation_of(seen))} & {*rows_of(final.test)}


def test_the_final_model_trains_on_what_validated_before() -> None:
    spec = DataSpec(dataset="moons", normalization="none")

    final = prepare(spec, device=CPU, purpose=Purpose.FINAL)

    before = prepare(spec, device=CPU)
    assert sorted(rows_of(final.train)) == sorted([*rows_of(before.train), *rows_of(validation_of(before))])


def test_the_final_model_of_folds_trains_on_all_of_them() -> None:
    spec = DataSpec(dataset="iris", split=SplitSpec(folds=4))

    final = prepare(spec, device=CPU, purpose=Purpose.FINAL)

    assert (len(final.train), len(final.test or ())) == (120, 30)


def test_each_fold_is_normalised_by_its_own_training_part() -> None:
    spec = DataSpec(dataset="iris", split=SplitSpec(folds=4))

    folds = [prepare(spec, device=CPU, fold=fold) for fold in range(4)]

    for data in folds:
        assert (len(data.train), len(validation_of(data))) == (90, 30)
        np.testing.assert_allclose(data.train.x_ND.mean(dim=0), 0, atol=1e-6)
    assert len({data.split_hash for data in folds}) == 4
    assert len({data.preprocessing.scales for data in folds}) == 4


def test_folds_need_to_be_told_which_one_validates() -> None:
    with pytest.raises(ValueError, match="which fold validates is not said"):
        prepare(DataSpec(dataset="iris", split=SplitSpec(folds=4)), device=CPU)


def test_a_train_dev_set_without_an_example_is_refused(tmp_path: Path) -> None:
    few, few_sha256 = put(tmp_path / "few.npz")
    others, others_sha256 = put(
        tmp_path / "others.npz",
        numbers_ND=np.tile(PETS["numbers_ND"], (3, 1)),
        codes_NK=np.tile(PETS["codes_NK"], (3, 1)),
        y_N=np.tile(PETS["y_N"], 3),
    )
    contents = {"few": few_sha256, "others": others_sha256}
    spec = DataSpec(dataset="few", validation_dataset="others", contents=contents)

    with pytest.raises(ValueError, match="4 examples are too few"):
        sources.load(spec, files={"few": few, "others": others}, fold=None)


def test_data_is_prepared_once_for_all_trials_of_a_worker() -> None:
    first = prepare(DataSpec(), device=CPU)

    assert prepare(DataSpec(), device=CPU) is first


def test_an_unknown_data_set_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"'mnist'; built in are digits, "):
        prepare(DataSpec(dataset="mnist"), device=CPU)


@pytest.mark.parametrize("data", [WINE, DIABETES])
def test_examples_that_do_not_fit_on_the_device_give_the_same_figures(
    data: DataSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    params: Params = {"epochs": 3, "batch_size": 16, "dropout": 0.2, "patience": 2}
    resident = run(params, data)
    curve = [epoch.metrics for epoch in resident.epochs()]

    monkeypatch.setattr("workers.tasks.prepare", partial(prepare, resident_bytes=0))
    hosted = run(params, data)

    assert [epoch.metrics for epoch in hosted.epochs()] == curve
    assert hosted.result == resident.result
    assert prepare(data, device=CPU, resident_bytes=0).train.device == CPU


def test_examples_that_lie_elsewhere_are_taken_in_batches_and_chunks() -> None:
    data = prepare(WINE, device=CPU, resident_bytes=0)
    rows_M = torch.tensor([5, 3, 3])

    x_MD, y_M = data.train.batch(rows_M)
    chunks = list(data.train.chunks(50))

    assert torch.equal(x_MD, data.train.x_ND[rows_M])
    assert torch.equal(y_M, data.train.y_N[rows_M])
    assert [len(y_M) for _, y_M in chunks] == [50, 50, 8]
    assert torch.equal(torch.cat([x_MD for x_MD, _ in chunks]), data.train.x_ND)


def test_examples_lie_on_the_device_as_long_as_they_fit() -> None:
    assert fits(CPU, 1000, 1000)
    assert not fits(CPU, 1001, 1000)
    assert fits(CPU, 10**15, None)
