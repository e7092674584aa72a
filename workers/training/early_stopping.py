"""Early stopping: the weights of the best epoch are kept, and a training ends that has not become better for long.

It mixes fitting with regularising: how long to train is chosen by the validation error. The alternative is to train at
full length, without patience, and to search l2.

Source: Andrew Ng, Improving Deep Neural Networks, week 1, "Other regularization methods".
"""

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from workers.training.steps import Epoch

_ERROR = "validation_error"


@dataclass(frozen=True)
class Patience:
    """How long a training is waited for.

    Args:
        epochs: Without a better validation error; after them it ends. 0: it has its full length, and its last weights.
        min_improvement: What counts as better: an error that is lower by more than this.
    """

    epochs: int
    min_improvement: float


class Best:
    """The best epoch so far with a copy of its weights, on their device.

    Args:
        patience: Of at least one epoch.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._epoch: Epoch | None = None
        self._weights: dict[str, Tensor] = {}
        self._reference = math.inf
        self._waited = 0

    @property
    def is_final(self) -> bool:
        """Whether it is not waited any longer for a better one."""
        return self._waited >= self._patience.epochs

    def heed(self, epoch: Epoch, network: nn.Module) -> None:
        """Keep the weights of an epoch if there is no better one; of equal ones the first stays."""
        error = epoch.metrics[_ERROR]
        if self._epoch is None or error < self._epoch.metrics[_ERROR]:
            self._epoch = epoch
            self._weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        if error < self._reference - self._patience.min_improvement:
            self._reference, self._waited = error, 0
        else:
            self._waited += 1

    def put_back(self, network: nn.Module) -> Epoch:
        """Give a network the weights of the best epoch; return that."""
        assert self._epoch, "an epoch was heeded"
        network.load_state_dict(self._weights)
        return self._epoch

    def state(self) -> dict[str, Any]:
        """Return all that the epochs to come depend on."""
        assert self._epoch, "an epoch was heeded"
        return {
            "step": self._epoch.step,
            "metrics": self._epoch.metrics,
            "weights": self._weights,
            "reference": self._reference,
            "waited": self._waited,
        }

    def restore(self, state: dict[str, Any], network: nn.Module) -> None:
        """Go on from the state of another; the network says where its weights belong."""
        places = network.state_dict()
        self._weights = {name: tensor.to(places[name].device) for name, tensor in state["weights"].items()}
        self._epoch = Epoch(int(state["step"]), dict(state["metrics"]))
        self._reference, self._waited = float(state["reference"]), int(state["waited"])
