"""A trained model that answers."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from trimtab.data import Problem
from trimtab.models.card import Card
from trimtab.models.errors import RowsUnfit
from trimtab.models.given import Given, rows_of
from trimtab.models.preprocessing import Preprocessing

# N examples, K outputs, X shape of an example.

_AT_ONCE = 4096
"""Examples that go through the network together."""


class Model:
    """A model, on the CPU, in evaluation mode.

    Args:
        card: What it is.
        network: Its network, with its weights.
        preprocessing: That of the card, read.
    """

    def __init__(self, card: Card, network: nn.Module, preprocessing: Preprocessing) -> None:
        self.card = card
        self._network = network.eval()
        self._preprocessing = preprocessing

    @property
    def classes(self) -> tuple[str, ...] | None:
        """What its classes are called; None: it answers with numbers."""
        return self._preprocessing.classes

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a table that it takes, in their order; of images none."""
        return tuple(column.name for column in self._preprocessing.columns)

    def predict(self, rows: Given) -> NDArray[np.object_] | NDArray[np.float64]:
        """Return the class of each row, by what it is called, or its number.

        Args:
            rows: As `trimtab.models.given` says.

        Raises:
            RowsUnfit: They have not the columns or the shape that the model was trained on.
        """
        outputs_NK = self.outputs(rows)
        if self.classes is None:
            return self._preprocessing.numbers(outputs_NK[:, 0])
        predicted_N: NDArray[np.object_] = np.array(self.classes, dtype=object)[outputs_NK.argmax(axis=1)]
        return predicted_N

    def probabilities(self, rows: Given) -> NDArray[np.float64]:
        """Return the probability of each class for each row, N x classes, as the network has learned it.

        Raises:
            RowsUnfit: As `predict`; or the model answers with numbers.
        """
        if self.card.problem is not Problem.CLASSIFICATION:
            raise RowsUnfit("this model answers with numbers: it has no classes, and no probabilities of them")
        return torch.from_numpy(self.outputs(rows)).double().softmax(dim=1).numpy()

    def outputs(self, rows: Given) -> NDArray[np.float32]:
        """Return what the network gives, N x K: a number for each class, or one in deviations of the targets.

        Raises:
            RowsUnfit: As `predict`.
        """
        x_NX = torch.from_numpy(self._preprocessing.apply(rows_of(rows, self._preprocessing)))
        with torch.inference_mode():
            # A user's network may compute with more digits, or with fewer: bfloat16, which NumPy does not know.
            chunks = [self._network(chunk).float() for chunk in torch.split(x_NX, _AT_ONCE)]
        outputs_NK: NDArray[np.float32] = torch.cat(chunks).numpy()
        return outputs_NK
