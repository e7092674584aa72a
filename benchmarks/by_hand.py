"""A training as somebody would write it who has no Trimtab: plain PyTorch, the data on the device, nothing else.

The work is that of a trial of the task `mlp` on digits: sizes of the sets, network, update rule, batches in a new order
each epoch, error and loss on the training set and the validation set after each, one wait for the device.
"""

import math
import time

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

TRAINING_EXAMPLES, VALIDATION_EXAMPLES = 1079, 359


def train(*, hidden_layers: int, hidden_units: int, batch_size: int, epochs: int, seed: int = 0) -> list[float]:
    """Train; return for each epoch the seconds from its beginning until its figures are known."""
    torch.manual_seed(seed)
    x, y, x_validation, y_validation = _data()
    network = _network(hidden_layers, hidden_units)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    seconds = []
    for _ in range(epochs):
        began_at = time.perf_counter()
        network.train()
        loss_sum = torch.zeros(())
        for rows in torch.split(torch.randperm(len(y)), batch_size):
            optimizer.zero_grad()
            loss = cross_entropy(network(x[rows]), y[rows])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            loss_sum += loss.detach()
        network.eval()
        figures = torch.stack([loss_sum, *_judged(network, x, y), *_judged(network, x_validation, y_validation)])
        assert all(map(math.isfinite, figures.tolist()))
        seconds.append(time.perf_counter() - began_at)
    return seconds


def _data() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    features, classes = load_digits(return_X_y=True)
    order = torch.randperm(len(classes))
    x, y = torch.tensor(features, dtype=torch.float32)[order], torch.tensor(classes)[order]
    end = TRAINING_EXAMPLES + VALIDATION_EXAMPLES
    mean, deviation = x[:TRAINING_EXAMPLES].mean(0), x[:TRAINING_EXAMPLES].std(0)
    x = (x - mean) / deviation.where(deviation > 0, 1)
    return x[:TRAINING_EXAMPLES], y[:TRAINING_EXAMPLES], x[TRAINING_EXAMPLES:end], y[TRAINING_EXAMPLES:end]


def _network(hidden_layers: int, hidden_units: int) -> nn.Module:
    layers: list[nn.Module] = []
    inputs = 64
    for _ in range(hidden_layers):
        layers += [nn.Linear(inputs, hidden_units), nn.ReLU()]
        inputs = hidden_units
    network = nn.Sequential(*layers, nn.Linear(inputs, 10))
    for layer in network:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return network


@torch.inference_mode()
def _judged(network: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    outputs = network(x)
    return (outputs.argmax(1) != y).double().mean(), cross_entropy(outputs, y).double()
