"""How far an error that was measured on some examples may be off."""

import math

import torch
from torch import Tensor

from trimtab.data import Problem
from workers.training.evaluation import Evaluation

# N examples, B resamples at once.

_RESAMPLES = 200
"""Enough for a standard error: Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 6.4."""

_NUMBERS_AT_ONCE = 2**22

_SEED = 0


def standard_error(evaluation: Evaluation) -> float:
    """Return the standard error of an error: binomial of a share of wrong answers, else by the bootstrap, seeded."""
    if evaluation.problem is Problem.REGRESSION:
        return float(resampled_errors(evaluation.errors_N, resamples=_RESAMPLES).std())
    share = float(evaluation.error)
    return math.sqrt(share * (1 - share) / len(evaluation.errors_N))


def resampled_errors(squares_N: Tensor, *, resamples: int) -> Tensor:
    """Return the root of the mean of each of so many resamples of squared errors, float64: the same ones each time."""
    generator = torch.Generator(squares_N.device).manual_seed(_SEED)
    count = len(squares_N)
    at_once = max(1, min(resamples, _NUMBERS_AT_ONCE // count))
    roots = []
    for start in range(0, resamples, at_once):
        shape = (min(at_once, resamples - start), count)
        rows_BN = torch.randint(count, shape, generator=generator, device=squares_N.device)
        roots.append(squares_N[rows_BN].mean(dim=1).sqrt())
    return torch.cat(roots)
