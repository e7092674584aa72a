"""What is watched of a training: gradients, activations, its beginning. Figures stay on the device until read."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm

from trimtab.models.parts import hidden_activations, weight_matrices

# N examples, H units, C channels, W weight matrices.

_FIRST_BATCHES = 3
"""That are looked at in the first epoch; of every other one the first batch alone."""

GLANCE = 500
"""Examples that a look at activations takes at most, evenly spaced: a unit that one in a hundred activates passes for
dead once in 150 looks."""

_SCALE = 5
"""Of those, one in so many is enough for the scale of all activations together."""

STEPS = 100
"""That a look at activations is spread over: it takes as long as half a step, and so less than a hundredth of them. Of
epochs of fewer steps not each one is looked at."""

ACTIVITY = (
    "dead_units",
    "first_activation_scale",
    "last_activation_scale",
    "smallest_activation_scale",
    "smallest_activation_layer",
    "largest_activation_scale",
    "largest_activation_layer",
)
"""The figures of activations. An epoch that is not looked at has those of the one before."""

_ENDS = 2
"""Layers, the first and the last, of which each is told by itself: of more than these the extremes are told too."""

_LOSSES = ("loss_sum", "training_loss", "validation_loss")
"""Of a final model there is no validation loss."""

_IMAGES = 4
"""Dimensions of the activations of images: their second one counts channels."""

_ROWS = 2
"""Dimensions of the activations of examples, at least."""

_EXPLOSION = 1e3
"""Times its start: from there on a gradient leads nowhere, where the loss has become worse than at first too."""


@dataclass(frozen=True)
class Beginning:
    """How a training began.

    Args:
        first_loss: Before the first step.
        gradient_norm: In the first batches.
        activation_scale: Of the last hidden layer before the first step; None: there is none.
    """

    first_loss: float
    gradient_norm: float
    activation_scale: float | None = None


def why_diverged(figures: Mapping[str, float], beginning: Beginning) -> str | None:
    """Return what shows that a training gets nowhere any more; None: nothing does.

    Args:
        figures: Of an epoch, among them the sum of its batches' losses.
        beginning: Of the training.
    """
    if not math.isfinite(figures["gradient_norm"]):
        return "the gradient is not finite"
    if not all(math.isfinite(figures.get(name, 0.0)) for name in _LOSSES):
        return "the loss is not finite"
    growth = figures["gradient_norm"] / beginning.gradient_norm if beginning.gradient_norm > 0 else 0.0
    if growth > _EXPLOSION and figures["training_loss"] > beginning.first_loss:
        return f"the gradient is {growth:.0f} times what it was at first, and the loss above its first value,"
    return None


class Gradients:
    """Norms of the gradients of the weight matrices.

    Args:
        network: On its device.
    """

    def __init__(self, network: nn.Module) -> None:
        self._weights = tuple(weight_matrices(network).values()) or tuple(network.parameters())
        self._looks: list[Sequence[Tensor]] = []

    def look(self, *, step: int, batch: int) -> None:
        """Look at the gradients of a batch, counted from 0, of an epoch, counted from 1, if it is to be looked at."""
        if batch < (_FIRST_BATCHES if step == 1 else 1):
            gradients = [each.new_zeros(()) if each.grad is None else each.grad for each in self._weights]
            self._looks.append(torch._foreach_norm(gradients))  # noqa: SLF001  # as torch's own clipping: one call

    def scalars(self) -> dict[str, Tensor]:
        """Return what was seen, on the device."""
        looks = enumerate(self._looks)
        return {f"norm {look} {number}": norm for look, norms in looks for number, norm in enumerate(norms)}

    def figures(self, seen: Mapping[str, float]) -> dict[str, float]:
        """Return the median norms of what was seen: of all weights together, and of which matrix it is what.

        Of the first and of the last one; of three or more also the smallest and the largest, with their numbers from 1.
        """
        looks = range(len(self._looks))
        norms_W = [median(seen[f"norm {look} {number}"] for look in looks) for number in range(len(self._weights))]
        self._looks.clear()
        return {
            "gradient_norm": math.hypot(*norms_W),
            "first_gradient_norm": norms_W[0],
            "last_gradient_norm": norms_W[-1],
            **_extremes("gradient", "norm", norms_W),
        }


@dataclass
class _Layer:
    """What was seen of a hidden layer: the greatest activation of each unit, and of how many the norm is known."""

    highest_H: Tensor
    norms: list[Tensor] = field(default_factory=list)
    count: int = 0


class Activity:
    """What was seen of the hidden layers.

    Args:
        every: One example of so many is looked at.
    """

    def __init__(self, *, every: int) -> None:
        self._every = every
        self._layers: dict[tuple[str, torch.Size], _Layer] = {}

    def see(self, name: str, a: Tensor) -> None:
        """Look at the activations of a layer: (N, C, height, width) or (N, ..., H).

        What has no units, such as a number that is learned, is no layer; of an expert that no example was sent to
        there is nothing to see.
        """
        if a.ndim < _ROWS or not a.numel():
            return
        seen = a.detach()[:: self._every]
        units = 1 if a.ndim == _IMAGES else a.ndim - 1
        # The greatest ones: on a CPU they cost a tenth of comparing each activation with zero.
        highest_H = seen.amax(dim=[dim for dim in range(a.ndim) if dim != units])
        layer = self._layers.get((name, a.shape[1:]))
        if layer is None:
            layer = self._layers[name, a.shape[1:]] = _Layer(highest_H)
        else:
            layer.highest_H = torch.maximum(layer.highest_H, highest_H)
        few = seen[::_SCALE]
        layer.norms.append(vector_norm(few))
        layer.count += few.numel()

    def scalars(self) -> dict[str, Tensor]:
        """Return what was seen, on the device."""
        layers = list(enumerate(self._layers.values()))
        alive = {f"alive {number}": layer.highest_H.count_nonzero() for number, layer in layers}
        return alive | {
            f"scale {number} {chunk}": norm for number, layer in layers for chunk, norm in enumerate(layer.norms)
        }

    def last_scale(self) -> Tensor | None:
        """Return the scale of the last hidden layer, a scalar on the device; None: there is none."""
        if not self._layers:
            return None
        *_, last = self._layers.values()
        norm: Tensor = vector_norm(torch.stack(last.norms))
        return norm / math.sqrt(last.count)

    def figures(self, seen: Mapping[str, float]) -> dict[str, float]:
        """Return the largest share of dead units in a layer, and the scales of the first and of the last one.

        A unit is dead if its greatest activation is zero: a rectifier that no example opens. A scale is a root mean
        square. Without hidden layers no units are dead, and there are no scales; of three or more layers the smallest
        and the largest scale are told too, with the numbers of their layers, from 1 in the order of the calls.
        """
        layers = list(self._layers.values())
        if not layers:
            return {"dead_units": 0.0}
        units = [layer.highest_H.numel() for layer in layers]
        dead = [(count - seen[f"alive {number}"]) / count for number, count in enumerate(units)]
        scales = [_scale(layer, number, seen) for number, layer in enumerate(layers)]
        return {
            "dead_units": max(dead),
            "first_activation_scale": scales[0],
            "last_activation_scale": scales[-1],
            **_extremes("activation", "scale", scales),
        }


def _scale(layer: _Layer, number: int, seen: Mapping[str, float]) -> float:
    return math.hypot(*(seen[f"scale {number} {chunk}"] for chunk in range(len(layer.norms)))) / math.sqrt(layer.count)


def _extremes(what: str, measure: str, of_layers: Sequence[float]) -> dict[str, float]:
    if len(of_layers) <= _ENDS:
        return {}
    ascending = sorted(range(len(of_layers)), key=of_layers.__getitem__)
    return {
        f"{end}_{what}_{name}": figure
        for end, number in (("smallest", ascending[0]), ("largest", ascending[-1]))
        for name, figure in ((measure, of_layers[number]), ("layer", number + 1.0))
    }


@contextmanager
def watched(network: nn.Module, *, examples: int) -> Iterator[Activity]:
    """Look at the hidden layers while so many examples go through a network."""
    activity = Activity(every=math.ceil(examples / GLANCE))
    handles = [
        module.register_forward_hook(lambda _module, _inputs, a, name=name: activity.see(name, a))
        for name, module in hidden_activations(network).items()
    ]
    try:
        yield activity
    finally:
        for handle in handles:
            handle.remove()
