"""A final model as a file: what it is, and where it comes from."""

from pathlib import Path

from torch import nn

from trimtab.finals import TestError
from trimtab.models.card import Card, Origin
from trimtab.models.descriptions import Convolutional, Perceptron
from trimtab.models.networks import ConvolutionalNetwork, PerceptronNetwork
from trimtab.spec import TaskSpec
from workers.training import export as files
from workers.training.checkpoints import Written
from workers.training.final import Final


def export(final: Final, task: TaskSpec, *, study: str, trial: int, path: Path) -> Written:
    """Write a final model that is trained to a file.

    Args:
        final: Its training, over.
        task: That it was trained for.
        study: That trained it.
        trial: Of that study.
        path: Where to.

    Raises:
        OSError: There is no room, or no such folder.
    """
    return files.export(final.network, card_of(final, task, study=study, trial=trial), path)


def card_of(final: Final, task: TaskSpec, *, study: str, trial: int) -> Card:
    """Return what a final model is, once its training is over."""
    data, metrics = final.data, final.result.metrics
    contents = {name: task.data.contents.get(name) for name in task.data.datasets}
    return Card(
        task=task.name,
        hyperparameters=final.hyperparameters,
        network=_description(final.network),
        inputs=tuple(data.inputs),
        outputs=data.outputs,
        problem=data.problem,
        preprocessing=data.preprocessing.plain(),
        metrics={**metrics},
        test=TestError(
            error=metrics["test_error"],
            low=metrics["test_error_low"],
            high=metrics["test_error_high"],
            examples=round(metrics["test_examples"]),
        ),
        origin=Origin(study=study, trial=trial, datasets=contents, split=data.split_hash),
    )


def _description(network: nn.Module) -> Perceptron | Convolutional | None:
    """Return what a built-in network is; None: it is the user's own."""
    return network.description if isinstance(network, PerceptronNetwork | ConvolutionalNetwork) else None
