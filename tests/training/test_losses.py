from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from trimtab.data import Problem
from workers.training.losses import loss_of

DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "squared": lambda z, t: (z - t) ** 2,
    "absolute": lambda z, t: (z - t).abs(),
    "huber": lambda z, t: torch.where((z - t).abs() <= 1, (z - t) ** 2 / 2, (z - t).abs() - 0.5),
}


def outputs(count: int) -> Tensor:
    return 2 * torch.randn(50, count, generator=torch.Generator().manual_seed(0))


def numbers() -> Tensor:
    return torch.randn(50, generator=torch.Generator().manual_seed(1))


def classes() -> Tensor:
    return torch.randint(4, (50,), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", [*DISTANCES])
def test_the_loss_of_a_number_is_the_mean_of_the_formula(name: str) -> None:
    loss = loss_of(name, Problem.REGRESSION)(outputs(1), numbers())

    torch.testing.assert_close(loss, DISTANCES[name](outputs(1)[:, 0], numbers()).mean())


def test_cross_entropy_is_minus_the_logarithm_of_the_softmax_of_the_right_class() -> None:
    loss = loss_of("cross_entropy", Problem.CLASSIFICATION)(outputs(4), classes())

    exponentials_NK = outputs(4).exp()
    shares_N = exponentials_NK[range(50), classes()] / exponentials_NK.sum(dim=1)
    torch.testing.assert_close(loss, -shares_N.log().mean())


@pytest.mark.parametrize(
    ("problem", "name"), [(Problem.CLASSIFICATION, "cross_entropy"), (Problem.REGRESSION, "squared")]
)
def test_auto_goes_by_the_problem(problem: Problem, name: str) -> None:
    is_number = problem is Problem.REGRESSION
    given = (outputs(1), numbers()) if is_number else (outputs(4), classes())

    assert torch.equal(loss_of("auto", problem)(*given), loss_of(name, problem)(*given))


@pytest.mark.parametrize(
    ("problem", "name"),
    [(Problem.REGRESSION, "cross_entropy"), *((Problem.CLASSIFICATION, name) for name in DISTANCES)],
)
def test_a_loss_that_does_not_go_with_the_problem_is_refused(problem: Problem, name: str) -> None:
    with pytest.raises(ValueError, match=f"the loss {name} is not for {problem}"):
        loss_of(name, problem)
