"""The training of a final model: on all but the test set, by which it is judged once, when all is over."""

from collections.abc import Iterator
from functools import cached_property

from torch import nn

from trimtab.message import Params
from workers.training.data import Data
from workers.training.evaluation import evaluate
from workers.training.export import weights_of
from workers.training.intervals import interval
from workers.training.losses import Loss
from workers.training.steps import Epoch, Heed, State, Steps, heed_nothing


class Final:
    """A training whose result has the error on the test set, with its 95 % interval.

    Args:
        training: On all but the test set.
        network: That it trains.
        data: With the test set.
        loss: What is minimised.
        hyperparameters: All of them.
    """

    def __init__(self, training: Steps, network: nn.Module, data: Data, *, loss: Loss, hyperparameters: Params) -> None:
        self._training = training
        self._loss = loss
        self.network = network
        self.data = data
        self.hyperparameters = hyperparameters

    @property
    def is_over(self) -> bool:
        """Whether the last epoch is behind it."""
        return self._training.is_over

    @property
    def split(self) -> str:
        """SHA-256 of who is where, in what data."""
        return self.data.split_hash

    def epochs(self, heed: Heed = heed_nothing) -> Iterator[Epoch]:
        """Train on to the end; yield after each epoch what it led to.

        Raises:
            Diverged: The loss or the gradient is not finite, or has grown beyond hope.
        """
        yield from self._training.epochs(heed)

    @cached_property
    def result(self) -> Epoch:
        """The last epoch, with the error on the test set, once all is over.

        Raises:
            TypeError: The model cannot be written; the test set was not read then.
        """
        kept = self._training.result
        weights_of(self.network)
        return Epoch(kept.step, kept.metrics | self._test())

    def state(self) -> State:
        """Return all that the epochs to come depend on. It changes with the training: it is no copy."""
        return self._training.state()

    def restore(self, state: State) -> None:
        """Go on from the state of another training.

        Raises:
            CheckpointForeign: That was not a training like this one in the midst of it. This one is of no use any more.
        """
        self._training.restore(state)

    def _test(self) -> dict[str, float]:
        assert self.data.test is not None, "the data of a final model has its test set"
        self.network.eval()
        evaluation = evaluate(self.network, self.data.test, self._loss, self.data.problem)
        low, high = interval(evaluation)
        return {
            "test_error": float(evaluation.error),
            "test_error_low": low,
            "test_error_high": high,
            "test_examples": float(len(self.data.test)),
        }
