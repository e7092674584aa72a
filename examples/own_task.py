"""A network of your own, searched: a study whose task is the function `build` of this file.

    python -m workers --allow examples.own_task:build     in one terminal: a worker that may import this file
    python -m examples.own_task                           in another: the study

The network has a straight way from the features to the outputs beside its hidden units. How many there are, and how
much of them is dropped, is searched together with the hyperparameters that every task has.
"""

import sys
from collections.abc import Mapping
from typing import Any

import torch
from rich.console import Console
from torch import Tensor, nn

from trimtab import rendering
from trimtab.budget import Budget
from trimtab.client import Client
from trimtab.data import DataSpec
from trimtab.errors import TrimtabError
from trimtab.space import Float, Int, Scale, Space
from trimtab.spec import StudySpec, TaskSpec
from trimtab.watching import watch

# N examples, D features, H hidden units, C classes.

SPEC = StudySpec(
    name="own",
    task=TaskSpec(name="examples.own_task:build", data=DataSpec(dataset="digits"), fixed={"epochs": 15}),
    space=Space(
        {
            "learning_rate": Float(low=1e-4, high=1e-1, scale=Scale.LOG),
            "width": Int(low=16, high=256, scale=Scale.LOG),
            "dropped": Float(low=0.0, high=0.6),
        }
    ),
    budget=Budget(trials=12),
)


class WideAndDeep(nn.Module):
    """A linear model and a hidden layer, added up.

    Args:
        features: D.
        width: H.
        dropped: Share of the hidden units that is dropped in training.
        outputs: C.
    """

    def __init__(self, *, features: int, width: int, dropped: float, outputs: int) -> None:
        super().__init__()
        self.wide = nn.Linear(features, outputs)
        self.hidden = nn.Linear(features, width)
        self.activation = nn.SiLU()
        self.dropout = nn.Dropout(dropped)
        self.deep = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs (N, C) of examples of any shape."""
        x_ND = x.flatten(1)
        outputs_NC: Tensor = self.wide(x_ND) + self.deep(self.dropout(self.activation(self.hidden(x_ND))))
        return outputs_NC


def build(params: Mapping[str, Any], data: Any) -> nn.Module:
    """Return the network of a trial: what a worker calls."""
    features = torch.Size(data.inputs).numel()
    return WideAndDeep(features=features, width=params["width"], dropped=params["dropped"], outputs=data.outputs)


def main() -> int:
    """Create the study and follow it to its end; return the exit code."""
    console = Console()
    try:
        with Client() as client:
            client.create_study(SPEC)
            progress = watch(client, SPEC.name, console)
    except TrimtabError as error:
        print(f"trimtab: {error}", file=sys.stderr)
        return 1
    if progress.best is None:
        print(f"trimtab: no trial was completed: {progress.study.reason}", file=sys.stderr)
        return 1
    console.print(rendering.best_view(progress.best))
    return 0


if __name__ == "__main__":
    sys.exit(main())
