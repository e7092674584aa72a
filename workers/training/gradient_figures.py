"""What a gradient check says: a figure for each tensor, and what is to be thought of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.checks import UNCOMPARED_FIGURE, Rating


@dataclass(frozen=True)
class Entry:
    """One parameter of a tensor.

    Args:
        index: Its place.
        numerical: Its slope by differences.
        backward: Its slope as backward says.
    """

    index: tuple[int, ...]
    numerical: float
    backward: float


@dataclass(frozen=True)
class TensorCheck:
    """What came of one tensor.

    Args:
        name: As the network names it.
        size: Its parameters.
        checked: Those that were compared.
        kinks: Those that were left out, since the loss has a kink there.
        figure: In [0, 1].
        worst: Those that differ most, the worst first.
    """

    name: str
    size: int
    checked: int
    kinks: int
    figure: float
    worst: Sequence[Entry]

    @property
    def is_compared(self) -> bool:
        """Whether at least half of what was looked at could be compared: else the figure says nothing."""
        return self.checked >= self.kinks

    @property
    def rating(self) -> Rating:
        """What the figure says, if it says anything."""
        return Rating.of(self.figure if self.is_compared else max(self.figure, UNCOMPARED_FIGURE))


@dataclass(frozen=True)
class GradientCheck:
    """What came of a network.

    Args:
        figure: Over all parameters that were compared, in [0, 1].
        tensors: Each by itself, in the network's order.
    """

    figure: float
    tensors: Sequence[TensorCheck]

    @property
    def size(self) -> int:
        """Parameters of the network."""
        return sum(tensor.size for tensor in self.tensors)

    @property
    def checked(self) -> int:
        """Those that were compared."""
        return sum(tensor.checked for tensor in self.tensors)

    @property
    def kinks(self) -> int:
        """Those that were left out, since the loss has a kink there."""
        return sum(tensor.kinks for tensor in self.tensors)

    @property
    def worst(self) -> TensorCheck:
        """The tensor with the greatest figure."""
        return max(self.tensors, key=lambda tensor: tensor.figure)

    @property
    def uncompared(self) -> int:
        """Tensors of which too little could be compared."""
        return sum(not tensor.is_compared for tensor in self.tensors)

    @property
    def is_faulty(self) -> bool:
        """Whether what was compared differs."""
        return not Rating.of(self._greatest).is_passed

    @property
    def rating(self) -> Rating:
        """The worst rating of any tensor: among many parameters that are right a few wrong ones hardly show."""
        return Rating.of(max(self._greatest, UNCOMPARED_FIGURE) if self.uncompared else self._greatest)

    @property
    def _greatest(self) -> float:
        return max(self.figure, self.worst.figure)
