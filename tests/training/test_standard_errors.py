"""How far errors may be off: against the formula, and against what SciPy's bootstrap says."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import bootstrap

from tests.training.runs import run
from trimtab.data import DataSpec, Problem
from workers.training.data import Examples
from workers.training.evaluation import Evaluation
from workers.training.judge import SAMPLE, sampled
from workers.training.standard_errors import standard_error


def evaluation(problem: Problem, errors: torch.Tensor) -> Evaluation:
    return Evaluation(problem, errors.double(), torch.zeros(()))


def test_the_standard_error_of_a_share_is_binomial() -> None:
    wrong = torch.tensor([1, 0, 0, 0, 1, 0, 0, 0, 0, 0])

    found = standard_error(evaluation(Problem.CLASSIFICATION, wrong))

    assert found == pytest.approx(math.sqrt(0.2 * 0.8 / 10))


@pytest.mark.parametrize("count", [50, 3000])
def test_the_standard_error_of_a_root_mean_square_is_that_of_scipys_bootstrap(count: int) -> None:
    squares = torch.randn(count, generator=torch.Generator().manual_seed(0)).square()

    found = standard_error(evaluation(Problem.REGRESSION, squares))

    def root(sample: NDArray[np.float64], axis: int) -> Any:
        return np.sqrt(sample.mean(axis=axis))

    expected = bootstrap((squares.double().numpy(),), root, n_resamples=2000, rng=0).standard_error
    assert found == pytest.approx(expected, rel=0.2)  # of 200 resamples: four standard errors
    assert found == standard_error(evaluation(Problem.REGRESSION, squares))


def test_a_training_tells_standard_errors_of_what_it_came_to_in_classes_and_in_numbers() -> None:
    for dataset, examples in (("wine", 35), ("diabetes", 88)):
        training = run({"epochs": 2}, DataSpec(dataset=dataset))
        list(training.epochs())

        told = training.result.metrics

        share = told["validation_error"]
        binomial = math.sqrt(max(share * (1 - share), 0) / examples)
        assert told["validation_examples"] == examples
        assert (told["validation_error_standard_error"] == pytest.approx(binomial)) is (dataset == "wine")
        assert 0 <= told["training_error_standard_error"] < told["training_error"]


def test_a_large_training_set_is_judged_by_a_fixed_sample_of_it() -> None:
    count = SAMPLE + 1000
    examples = Examples(torch.arange(count, dtype=torch.float32).unsqueeze(1), torch.arange(count))

    sample, again = sampled(examples), sampled(examples)

    assert len(sample) == SAMPLE
    assert torch.equal(sample.y_N, again.y_N)
    assert torch.equal(sample.x_ND.squeeze(1).long(), sample.y_N)
    assert len({*sample.y_N.tolist()}) == SAMPLE
    assert abs(sample.y_N.double().mean().item() - count / 2) < 100  # four standard errors of a sample without gaps


def test_a_small_training_set_is_judged_whole() -> None:
    examples = Examples(torch.ones(10, 2), torch.ones(10))

    assert sampled(examples) is examples
