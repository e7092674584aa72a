"""A training loop that owns itself: it is given one trial after another, and says after each epoch how it goes.

    python -m examples.loop        on as many machines as there are: they share the trials of one study

A trial that is interrupted goes on from its last checkpoint, here or elsewhere.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional

import trimtab
from trimtab import Budget, Float, Int, Scale, Space, StudySpec
from trimtab.own.loop import LoopTrial

EPOCHS = 8
EPOCHS_PER_CHECKPOINT = 3

SPEC = StudySpec(
    name="loop",
    task=None,
    space=Space(
        {
            "learning_rate": Float(low=1e-3, high=3e-1, scale=Scale.LOG),
            "units": Int(low=8, high=128, scale=Scale.LOG),
        }
    ),
    budget=Budget(trials=8),
)

# N examples, D features, C classes.

Split = tuple[Tensor, Tensor, Tensor, Tensor]
"""Of the training set and of the validation set: x_ND of both, y_N of both."""


def digits() -> Split:
    """Return scikit-learn's digits."""
    x_ND, y_N = load_digits(return_X_y=True)
    parts = train_test_split(x_ND / 16, y_N, random_state=0, stratify=y_N)
    x_train_ND, x_valid_ND, y_train_N, y_valid_N = (torch.tensor(part) for part in parts)
    return x_train_ND.float(), x_valid_ND.float(), y_train_N, y_valid_N


def train(trial: LoopTrial, data: Split, checkpoint: Path) -> None:
    """Train the network of a trial to its end, or until `report` raises `Pruned`."""
    torch.manual_seed(trial.seed)
    network = nn.Sequential(nn.Linear(64, trial.params["units"]), nn.ReLU(), nn.Linear(trial.params["units"], 10))
    optimizer = torch.optim.SGD(network.parameters(), lr=trial.params["learning_rate"], momentum=0.9)
    first = trial.resume(checkpoint)
    if first:
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
    for epoch in range(first + 1, EPOCHS + 1):
        pass_over(network, optimizer, data)
        trial.report(epoch, validation_error=error(network, data))
        if epoch % EPOCHS_PER_CHECKPOINT == 0:
            torch.save({"network": network.state_dict(), "optimizer": optimizer.state_dict()}, checkpoint)
            trial.checkpoint(checkpoint)


def pass_over(network: nn.Module, optimizer: torch.optim.Optimizer, data: Split) -> None:
    """Train for an epoch."""
    x_ND, _, y_N, _ = data
    order_N = torch.randperm(len(x_ND))
    for start in range(0, len(x_ND), 64):
        rows_N = order_N[start : start + 64]
        optimizer.zero_grad()
        functional.cross_entropy(network(x_ND[rows_N]), y_N[rows_N]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def error(network: nn.Module, data: Split) -> float:
    """Return the share of the validation set that is classified wrongly."""
    _, x_ND, _, y_N = data
    with torch.no_grad():
        outputs_NC: Tensor = network(x_ND)
    return (outputs_NC.argmax(1) != y_N).float().mean().item()


if __name__ == "__main__":
    data = digits()
    with TemporaryDirectory() as folder:
        for trial in trimtab.trials(SPEC):
            with trial:
                train(trial, data, Path(folder) / "checkpoint")
    best = trimtab.study(SPEC.name).best_trial()
    print(f"best: trial {best.number} with {best.values}: {dict(best.params)}")
