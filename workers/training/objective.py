"""A loss as a function of the parameters of a network: its value, its gradient by backward, its slopes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.modules.batchnorm import _NormBase
from torch.overrides import TorchFunctionMode

from trimtab.models.parts import weight_matrices
from workers.training.errors import Uncheckable
from workers.training.losses import Loss
from workers.training.regularisation import penalty
from workers.training.slopes import Losses, Slopes, slopes

# P parameters of a tensor, K of them that are looked at, B at a time.

_AT_ONCE = 256
_NUMBERS_AT_ONCE = 2**22
"""That the losses at a time make on their way: 32 MiB."""

_LESS = {torch.float32, torch.float16, torch.bfloat16}

Parameters = Mapping[str, Tensor]


@dataclass(frozen=True)
class Penalty:
    """Regularisation that is a term of the loss (see workers.training.regularisation)."""

    l1: float
    l2: float


UNPENALIZED = Penalty(l1=0.0, l2=0.0)


class Objective:
    """The loss of a batch by the parameters of a network, in float64.

    Args:
        network: On the CPU. What it is in while this is used (see `still`) is what is looked at.
        loss: Of a batch.
        x: Its examples.
        y: Their targets.
        penalty: Regularisation.

    Raises:
        Uncheckable: The network has nothing to train, computes in less than float64 by itself, or its loss has no
            value: it is not finite, or not the same twice.
    """

    def __init__(self, network: nn.Module, loss: Loss, x: Tensor, y: Tensor, penalty: Penalty) -> None:
        self._network, self._loss, self._penalty = network, loss, penalty
        self._x, self._y = _double(x), _double(y)
        named = dict(network.named_parameters())
        self._trained = {
            name: _double(tensor.detach()).clone().requires_grad_()
            for name, tensor in named.items()
            if tensor.requires_grad
        }
        kept = {
            **{name: tensor for name, tensor in named.items() if not tensor.requires_grad},
            **dict(network.named_buffers()),
        }
        self._kept = {name: _double(tensor.detach()) for name, tensor in kept.items()}
        self._weights = weight_matrices(network).keys()
        self._is_vectorized = True
        self.value = self._measured()

    def gradients(self) -> Mapping[str, Tensor]:
        """Return what backward says, by name; zero of what the loss does not depend on."""
        loss = self._of(self._trained)
        tensors = list(self._trained.values())
        found = torch.autograd.grad(loss, tensors, allow_unused=True) if loss.requires_grad else [None] * len(tensors)
        return {
            name: torch.zeros_like(tensor) if gradient is None else gradient.detach()
            for (name, tensor), gradient in zip(self._trained.items(), found, strict=True)
        }

    @torch.no_grad()
    def slopes(self, name: str, index_K: Tensor) -> Slopes:
        """Return the slopes by some parameters of a tensor."""
        theta = self._trained[name]
        at_once = max(1, min(_AT_ONCE, _NUMBERS_AT_ONCE // (theta.numel() + self._numbers)))
        return slopes(self._losses(name), theta.flatten(), index_K, loss=self.value, at_once=at_once)

    @torch.no_grad()
    def _measured(self) -> float:
        if not self._trained:
            raise Uncheckable("the network has no parameter that is trained")
        with _Watch() as watch:
            first = self._of(self._trained)
        self._numbers = watch.numbers
        second = self._of(self._trained)
        if not first.isfinite():
            raise Uncheckable("the loss of the first batch is not finite")
        if first != second:
            raise Uncheckable("the loss is not the same twice, though dropout is off: the network draws by itself")
        return float(first)

    def _losses(self, name: str) -> Losses:
        theta = self._trained[name]

        def alone(changed: Tensor) -> Tensor:
            return self._of({**self._trained, name: changed})

        def losses(index_B: Tensor, value_B: Tensor) -> Tensor:
            theta_BP = theta.flatten().repeat(len(index_B), 1)
            theta_BP[torch.arange(len(index_B)), index_B] = value_B
            return self._each(alone, theta_BP.view(-1, *theta.shape))

        return losses

    def _each(self, alone: Callable[[Tensor], Tensor], theta_B: Tensor) -> Tensor:
        """Return the loss with each tensor, all at once where the network's code can do that."""
        if self._is_vectorized and len(theta_B) > 1:
            try:
                return vmap(alone)(theta_B)
            except (RuntimeError, ValueError):
                # vmap knows no autograd.Function without a rule for it, and no branch that depends on a value.
                self._is_vectorized = False
        return torch.stack([alone(theta) for theta in theta_B])

    def _of(self, parameters: Parameters) -> Tensor:
        outputs = functional_call(self._network, {**parameters, **self._kept}, (self._x,))
        loss = self._loss(outputs, self._y)
        if not self._weights:
            return loss
        weights = (parameters[name] for name in self._weights)
        return loss + penalty(weights, l1=self._penalty.l1, l2=self._penalty.l2)


class _Watch(TorchFunctionMode):
    """Counts the numbers that a network makes, and sees to it that no float64 becomes less.

    What that rounds is more than a check has to see.
    """

    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0

    def __torch_function__(
        self,
        function: Callable[..., object],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        result = function(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            self.numbers += result.numel()
            if result.dtype in _LESS and any(isinstance(one, Tensor) and one.dtype == torch.float64 for one in args):
                raise Uncheckable(f"the network rounds float64 to {result.dtype}")
        return result


@contextmanager
def still(network: nn.Module) -> Iterator[None]:
    """Let a network be as in evaluation, but for batch normalisation, which goes by the batch and records nothing."""
    modes = {module: module.training for module in network.modules()}
    batchwise = [module for module in network.modules() if isinstance(module, _NormBase) and module.track_running_stats]
    network.eval()
    for module in batchwise:
        module.training, module.track_running_stats = True, False
    try:
        yield
    finally:
        for module in batchwise:
            module.track_running_stats = True
        for each, is_training in modes.items():
            each.training = is_training


def _double(tensor: Tensor) -> Tensor:
    return tensor.double() if tensor.is_floating_point() else tensor
