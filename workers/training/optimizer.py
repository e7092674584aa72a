"""Update rules, with decay of the weights either in the gradient (l2) or beside it (weight_decay, l1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer, RMSprop

from trimtab.models.parts import weight_matrices
from workers.training.regularisation import SoftThreshold


@dataclass(frozen=True)
class UpdateRule:
    """An update rule and its figures; a rule ignores those that it has no use for.

    Args:
        name: sgd, momentum, nesterov, rmsprop, adam or adamw. The last two differ in name alone, since
            here any rule can have its decay decoupled.
        learning_rate: alpha, above 0.
        momentum: Share of the last step that is kept, in [0, 1): momentum and nesterov.
        beta1: Decay of the first moment, in [0, 1): adam and adamw.
        beta2: Decay of the second moment, in [0, 1): rmsprop, adam and adamw.
        epsilon: Added to the denominator: rmsprop, adam and adamw.
        l2: lambda / m. The gradient gets l2 * W, so that a rule with moments sees it too.
        weight_decay: W <- (1 - alpha * weight_decay) W before each step, whatever the rule.
        l1: lambda / 2m. After each step, whatever the rule, weights shrink by alpha * l1, to zero at most.

    Source: l2 against weight_decay: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019).
    """

    name: str
    learning_rate: float
    momentum: float
    beta1: float
    beta2: float
    epsilon: float
    l2: float
    weight_decay: float
    l1: float


def optimizer_of(network: nn.Module, rule: UpdateRule) -> Optimizer:
    """Return the optimiser of a network that is on its device. Only weights decay, never biases.

    Raises:
        ValueError: There is no rule of that name.
    """
    matrices = weight_matrices(network)
    optimizer = _undecayed(_groups(network, matrices, rule), rule)
    if rule.weight_decay > 0:
        optimizer.register_step_pre_hook(_Decay(rule.weight_decay, list(matrices.values())))
    if rule.l1 > 0:
        optimizer.register_step_post_hook(SoftThreshold(rule.l1, list(matrices.values())))
    return optimizer


def _groups(network: nn.Module, matrices: Mapping[str, Tensor], rule: UpdateRule) -> list[dict[str, Any]]:
    if not rule.l2:
        # Each group is a call of its own into torch, 15 us a step.
        return [{"params": list(network.parameters())}]
    weights = list(matrices.values())
    others = [parameter for name, parameter in network.named_parameters() if name not in matrices]
    # torch calls the coupled kind weight_decay.
    groups = [{"params": weights, "weight_decay": rule.l2}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def _undecayed(groups: list[dict[str, Any]], rule: UpdateRule) -> Optimizer:
    # Torch fuses no complex ones.
    is_fused = all(parameter.is_floating_point() for group in groups for parameter in group["params"])
    match rule.name:
        case "sgd":
            return SGD(groups, lr=rule.learning_rate, fused=is_fused)
        case "momentum" | "nesterov":
            nesterov = rule.name == "nesterov" and rule.momentum > 0  # torch has none without momentum
            return SGD(groups, rule.learning_rate, rule.momentum, nesterov=nesterov, fused=is_fused)
        case "rmsprop":
            return RMSprop(groups, lr=rule.learning_rate, alpha=rule.beta2, eps=rule.epsilon)
        case "adam" | "adamw":
            betas = (rule.beta1, rule.beta2)
            return Adam(groups, lr=rule.learning_rate, betas=betas, eps=rule.epsilon, fused=is_fused)
        case _:
            raise ValueError(f"no update rule is called {rule.name!r}")


class _Decay:
    """Shrinks the weights before a step, by the learning rate that the step will have."""

    def __init__(self, weight_decay: float, weights: Sequence[Tensor]) -> None:
        self.weight_decay = weight_decay
        self.weights = weights

    @torch.no_grad()
    def __call__(self, optimizer: Optimizer, _args: tuple[Any, ...], _kwargs: dict[Any, Any]) -> None:
        keep = 1 - optimizer.param_groups[0]["lr"] * self.weight_decay
        for weight in self.weights:
            weight.mul_(keep)
