"""The gradient check: what backward says of the real network and its loss, against what differences say.

    figure = ||d_approx - d|| / (||d_approx|| + ||d||)

Of a tensor, and of all together; regularisation in the loss, dropout and augmentation off, in float64.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workers.training.gradient_figures import Entry, GradientCheck, TensorCheck
from workers.training.losses import Loss
from workers.training.objective import UNPENALIZED, Objective, Penalty, still
from workers.training.slopes import Slopes

# K parameters of a tensor that are looked at.

MOST = 5000
"""Parameters that are looked at: all of a small network, a sample of each tensor of a larger one."""

_WORST = 3


def check_gradients(
    network: nn.Module,
    loss: Loss,
    x: Tensor,
    y: Tensor,
    *,
    penalty: Penalty = UNPENALIZED,
    most: int = MOST,
    seed: int = 0,
) -> GradientCheck:
    """Compare the gradient of a network's loss with two-sided differences; the network stays as it is.

    Batch normalisation goes by the batch, as in training, and leaves its running figures alone; all else is as in
    evaluation.

    Args:
        network: Any, on the CPU, of floating-point parameters; it is looked at in float64.
        loss: Of a batch.
        x: Examples, few.
        y: Their targets.
        penalty: Regularisation.
        most: Parameters that are looked at, about.
        seed: Which, where there are more.

    Raises:
        Uncheckable: See Objective.
    """
    with still(network):
        objective = Objective(network, loss, x, y, penalty)
        gradients = objective.gradients()
        quotas = _quotas([gradient.numel() for gradient in gradients.values()], most)
        generator = torch.Generator().manual_seed(seed)
        compared = []
        for (name, gradient), quota in zip(gradients.items(), quotas, strict=True):
            index_K = torch.randperm(gradient.numel(), generator=generator)[:quota].sort().values
            found = objective.slopes(name, index_K)
            compared.append(_Compared(name, gradient, index_K, found))
    return GradientCheck(_figure(compared), [one.summed_up() for one in compared])


@dataclass(frozen=True)
class _Compared:
    """The slopes of a tensor beside its gradient."""

    name: str
    gradient: Tensor
    index_K: Tensor
    found: Slopes

    @property
    def numerical(self) -> Tensor:
        """Of those that were compared."""
        return self.found.slope_K[~self.found.is_kink_K]

    @property
    def backward(self) -> Tensor:
        """Of the same."""
        return self.gradient.flatten()[self.index_K][~self.found.is_kink_K]

    def summed_up(self) -> TensorCheck:
        """Return what came of it."""
        return TensorCheck(
            name=self.name,
            size=self.gradient.numel(),
            checked=len(self.numerical),
            kinks=int(self.found.is_kink_K.sum()),
            figure=_figure([self]),
            worst=list(self._worst()),
        )

    def _worst(self) -> Iterator[Entry]:
        numerical_K, backward_K = self.numerical, self.backward
        index_K = self.index_K[~self.found.is_kink_K]
        difference_K = (numerical_K - backward_K).abs().nan_to_num(nan=torch.inf)
        for place in difference_K.argsort(descending=True)[:_WORST].tolist():
            at = torch.unravel_index(index_K[place], self.gradient.shape)
            yield Entry(tuple(map(int, at)), float(numerical_K[place]), float(backward_K[place]))


def _figure(compared: Sequence[_Compared]) -> float:
    """Return the figure of some tensors together.

    Slopes so small that their rounding alone would be more than 1e-7 of them are measured by that rounding: of a
    bias before a normalisation, say, both slopes are zero but for it.
    """
    numerical = torch.cat([one.numerical for one in compared])
    backward = torch.cat([one.backward for one in compared])
    if not backward.isfinite().all():
        return 1.0
    if not len(backward):
        return 0.0
    noise = max(one.found.noise for one in compared) * math.sqrt(len(numerical))
    size = max(float(numerical.norm() + backward.norm()), noise / 1e-7)
    return float((numerical - backward).norm() / size)


def _quotas(sizes: Sequence[int], most: int) -> Sequence[int]:
    """Return how many parameters of each tensor are looked at: as many of each, but no more than it has."""
    quotas, left = [0] * len(sizes), most
    smallest_first = sorted(range(len(sizes)), key=sizes.__getitem__)
    for done, place in enumerate(smallest_first):
        quotas[place] = min(sizes[place], max(1, left // (len(sizes) - done)))
        left -= quotas[place]
    return quotas
