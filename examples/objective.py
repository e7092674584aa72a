"""An objective written for Optuna, as it stands: a perceptron on scikit-learn's digits, pruned epoch by epoch.

    python -m examples.objective

runs with plain Optuna, in this process and in memory. With

    import trimtab
    ...
    study = trimtab.optimize(objective, study="perceptron", n_trials=12, timeout=600, direction="maximize")

in place of the line `study.optimize(...)` it runs as a study of Trimtab: on as many machines as start it, with every
trial on record, and what comes after that line goes on as it is.
"""

import optuna
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import TensorDataset

EPOCHS = 6

# N examples, D features, C classes.


def build(trial: optuna.Trial) -> nn.Sequential:
    """Return a network whose depth is suggested first, and then the size and the dropout of each of its layers."""
    layers: list[nn.Module] = []
    width = 64
    for layer in range(trial.suggest_int("layers", 1, 3)):
        units = trial.suggest_int(f"units_{layer}", 4, 128, log=True)
        layers += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(trial.suggest_float(f"dropout_{layer}", 0.0, 0.5))]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, 10))


def digits() -> tuple[TensorDataset, TensorDataset]:
    """Return the training and the validation set."""
    x_ND, y_N = load_digits(return_X_y=True)
    parts = train_test_split(x_ND / 16, y_N, test_size=0.25, random_state=0, stratify=y_N)
    x_train_ND, x_valid_ND, y_train_N, y_valid_N = (torch.from_numpy(part) for part in parts)
    return TensorDataset(x_train_ND.float(), y_train_N), TensorDataset(x_valid_ND.float(), y_valid_N)


def accuracy(network: nn.Module, examples: TensorDataset) -> float:
    """Return the share of examples that are classified rightly."""
    x_ND, y_N = examples.tensors
    network.eval()
    with torch.no_grad():
        outputs_NC: Tensor = network(x_ND)
    return (outputs_NC.argmax(1) == y_N).float().mean().item()


def objective(trial: optuna.Trial) -> float:
    """Train one network and return its accuracy; give up where others were better at the same epoch."""
    torch.manual_seed(trial.number)
    network = build(trial)
    kind = trial.suggest_categorical("optimizer", ["Adam", "RMSprop", "SGD"])
    rate = trial.suggest_float("learning_rate", 1e-5, 1e-1, log=True)
    optimizer = getattr(torch.optim, kind)(network.parameters(), lr=rate)
    training, validation = digits()
    share = 0.0
    for epoch in range(EPOCHS):
        network.train()
        order_N = torch.randperm(len(training))
        for start in range(0, len(training), 64):
            x_ND, y_N = training[order_N[start : start + 64]]
            optimizer.zero_grad()
            functional.cross_entropy(network(x_ND), y_N).backward()  # type: ignore[no-untyped-call]  # torch's own
            optimizer.step()
        share = accuracy(network, validation)
        trial.report(share, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return share


if __name__ == "__main__":
    torch.set_num_threads(1)  # Threads cost networks of this size more than they save.
    study = optuna.create_study(direction="maximize")
    study.optimize(objective, n_trials=12, timeout=600)

    pruned = study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.PRUNED])
    print(f"{len(study.trials)} trials, {len(pruned)} of them pruned")
    print(f"best: trial {study.best_trial.number} with {study.best_trial.value}")
    for name, value in study.best_trial.params.items():
        print(f"  {name}: {value}")
