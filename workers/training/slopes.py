"""Slopes of a loss by two-sided differences, with the points left out at which it has a kink.

    d[i] = (J(theta_i + eps) - J(theta_i - eps)) / (2 eps),   eps = 1e-5 max(1, |theta_i|)

In float64 the errors of rounding and of truncation balance there. A kink, as ReLU and max-pooling have them, shows in
the loss alone, whatever module it comes from: with half of eps a smooth loss has the same slope d, and half of the
difference between its slopes to the right and to the left. A kink at t eps, of which the slope jumps by g, moves the
one by g min(t, 1 - t) / 2 and the other by g (3 t - 1): never both by nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

# K parameters that are looked at, B of them at a time, Q points of each.

EPSILON = 1e-5

Losses = Callable[[Tensor, Tensor], Tensor]
"""From the numbers of parameters, index_B, and what they are to be, value_B, to the loss with each alone so, (B,)."""

_ROUNDING = torch.finfo(torch.float64).eps / 2
"""Of a loss, as a share of it or of 1: about twice of what is measured on perceptrons and convolutional networks."""

_SURELY = 8
"""Times the usual rounding: no rounding is that large."""

_HARMLESS = 1e-8
"""Share of the slopes' size that a kink may move one of them by: a tenth of what is still called right."""

_POINTS_Q = (1.0, -1.0, 0.5, -0.5)


@dataclass(frozen=True)
class Slopes:
    """What differences say of some parameters.

    Args:
        slope_K: By two-sided differences, float64.
        is_kink_K: Whether the loss has a kink so near that its slope means nothing, bool.
        noise: What rounding usually makes of a slope.
    """

    slope_K: Tensor
    is_kink_K: Tensor
    noise: float


def slopes(losses: Losses, theta_P: Tensor, index_K: Tensor, *, loss: float, at_once: int) -> Slopes:
    """Return the slopes of a loss by some parameters.

    Args:
        losses: The loss with one parameter otherwise.
        theta_P: All parameters, float64, flat.
        index_K: Which are looked at, int64.
        loss: With all as they are.
        at_once: Losses that are computed together, at most.
    """
    value_K = theta_P[index_K]
    eps_K = EPSILON * value_K.abs().clamp(min=1.0)
    points_KQ = value_K[:, None] + eps_K[:, None] * torch.tensor(_POINTS_Q, dtype=theta_P.dtype)
    repeated_B = index_K.repeat_interleave(len(_POINTS_Q))
    parts = zip(torch.split(repeated_B, at_once), torch.split(points_KQ.flatten(), at_once), strict=True)
    found = [losses(index_B, value_B) for index_B, value_B in parts]
    return _read(torch.cat(found).view(-1, len(_POINTS_Q)), eps_K, loss)


def _read(loss_KQ: Tensor, eps_K: Tensor, loss: float) -> Slopes:
    above_K, below_K, half_above_K, half_below_K = loss_KQ.unbind(dim=1)
    slope_K = (above_K - below_K) / (2 * eps_K)
    bend_K = (above_K - 2 * loss + below_K) / eps_K
    half_slope_K = (half_above_K - half_below_K) / eps_K
    half_bend_K = 4 * (half_above_K - 2 * loss + half_below_K) / eps_K
    noise = _ROUNDING * max(abs(loss), 1.0) / EPSILON
    allowed = _SURELY * noise + _HARMLESS * float(slope_K.square().mean().sqrt())
    # Of eight losses, and by half of eps twice: with four times the rounding.
    is_bent_K = (bend_K - half_bend_K).abs() > 4 * allowed
    is_kink_K = ((slope_K - half_slope_K).abs() > allowed) | is_bent_K
    return Slopes(slope_K, is_kink_K | ~slope_K.isfinite(), noise)
