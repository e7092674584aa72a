"""Between what bounds an error lies that was measured on some examples, with 95 % confidence."""

import math

from trimtab.data import Problem
from workers.training.evaluation import Evaluation
from workers.training.standard_errors import resampled_errors

_Z = 1.959963984540054
"""Of the normal distribution, 95 % lies within so many standard deviations of the mean."""

_RESAMPLES = 2000
"""Percentiles need about ten times as many as a standard error: Efron and Tibshirani (1993), section 19.3."""

_TAILS = (0.025, 0.975)


def interval(evaluation: Evaluation) -> tuple[float, float]:
    """Return the lower and the upper end of the 95 % interval of an error.

    Of a share of wrong answers it is Wilson's, which holds for few examples and for none wrong; else the percentiles
    of the bootstrap, seeded.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference" (1927); Efron and
        Tibshirani, An Introduction to the Bootstrap (1993), section 13.3.
    """
    if evaluation.problem is Problem.REGRESSION:
        errors_B = resampled_errors(evaluation.errors_N, resamples=_RESAMPLES)
        low, high = errors_B.quantile(errors_B.new_tensor(_TAILS)).tolist()
        return low, high
    return wilson(float(evaluation.error), len(evaluation.errors_N))


def wilson(share: float, examples: int) -> tuple[float, float]:
    """Return Wilson's interval of a share that was found among so many examples."""
    spread = _Z**2 / examples
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / examples + spread / (4 * examples))
    # The ends that are exact are so for certain: elsewhere rounding leaves a little.
    return 0.0 if share <= 0 else middle - half, 1.0 if share >= 1 else middle + half
