import numpy as np
import torch

from workers.training.data import prepare
from workers.training.datasets import load
from workers.training.normalization import Normalization
from workers.training.split import deal

CPU = torch.device("cpu")


def test_a_trial_gets_the_rows_that_were_dealt_normalised_by_the_training_set() -> None:
    digits = load("digits")
    split = deal(digits.y_N, content_hash=digits.content_hash, seed=3)

    data = prepare("digits", split_seed=3, device=CPU)

    scale_D = np.where(np.ptp(digits.x_ND[split.train], axis=0) == 0, 1, digits.x_ND[split.train].std(axis=0))
    expected_ND = (digits.x_ND[split.validation] - digits.x_ND[split.train].mean(axis=0)) / scale_D
    np.testing.assert_allclose(data.validation.x_ND.numpy(), expected_ND, rtol=1e-5, atol=1e-6)
    assert data.validation.y_N.tolist() == digits.y_N[split.validation].tolist()
    assert data.train.y_N.tolist() == digits.y_N[split.train].tolist()
    assert data.split_hash == split.hash


def test_a_trial_gets_no_row_of_the_test_set() -> None:
    data = prepare("digits", split_seed=0, device=CPU)

    rows = [*data.train.x_ND.tolist(), *data.validation.x_ND.tolist()]

    digits = load("digits")
    split = deal(digits.y_N, content_hash=digits.content_hash, seed=0)
    tested = Normalization.fit(digits.x_ND[split.train]).apply(digits.x_ND[split.test]).tolist()
    assert len(tested) == 359
    assert not {tuple(row) for row in rows} & {tuple(row) for row in tested}


def test_data_is_loaded_once_for_all_trials_of_a_worker() -> None:
    first = prepare("digits", split_seed=0, device=CPU)

    assert prepare("digits", split_seed=0, device=CPU) is first
