import pytest
import torch
from torch import nn

from tests.training.runs import run, validation_of
from trimtab.data import DataSpec
from trimtab.message import Params
from workers.training.early_stopping import Best, Patience
from workers.training.loop import Training
from workers.training.steps import Epoch

WINE = DataSpec(dataset="wine")
OVERFITTING: Params = {"learning_rate": 0.03, "hidden_units": 64, "epochs": 60, "patience": 3, "batch_size": 16}


def network(value: float = 0.0) -> nn.Linear:
    layer = nn.Linear(1, 1)
    nn.init.constant_(layer.weight, value)
    nn.init.constant_(layer.bias, value)
    return layer


def heeding(errors: list[float], patience: Patience) -> tuple[Best, list[bool]]:
    """Let errors come, epoch after epoch, of networks whose weights are the epochs' numbers."""
    best, was_final = Best(patience), []
    for step, error in enumerate(errors, start=1):
        best.heed(Epoch(step, {"validation_error": error}), network(step))
        was_final.append(best.is_final)
    return best, was_final


@pytest.mark.parametrize(
    ("errors", "min_improvement", "final"),
    [
        ([0.5, 0.4, 0.4, 0.4], 0.0, [False, False, False, True]),  # an equal one is not better
        ([0.5, 0.6, 0.4, 0.5, 0.6], 0.0, [False, False, False, False, True]),
        ([0.5, 0.45, 0.41], 0.1, [False, False, True]),  # too little
        ([0.5, 0.45, 0.35, 0.3], 0.1, [False, False, False, False]),  # little by little
    ],
)
def test_patience_counts_epochs_without_enough_improvement(
    errors: list[float], min_improvement: float, final: list[bool]
) -> None:
    _, was_final = heeding(errors, Patience(2, min_improvement))

    assert was_final == final


def test_the_weights_of_the_first_of_the_best_epochs_are_kept_however_little_better_it_is() -> None:
    best, _ = heeding([0.5, 0.4, 0.39, 0.39, 0.6], Patience(9, min_improvement=0.2))
    into = network()

    kept = best.put_back(into)

    assert kept.step == 3
    assert (into.weight.item(), into.bias.item()) == (3.0, 3.0)


def test_a_training_ends_with_its_patience_and_its_result_is_the_best_epochs() -> None:
    training = run(OVERFITTING, WINE)

    epochs = list(training.epochs())

    errors = [epoch.metrics["validation_error"] for epoch in epochs]
    best = errors.index(min(errors)) + 1
    result = training.result
    assert len(errors) == best + 3 < 60
    assert (result.step, result.metrics["best_step"], result.metrics["epochs_trained"]) == (best, best, best + 3)
    assert {name: result.metrics[name] for name in epochs[best - 1].metrics} == epochs[best - 1].metrics


def test_after_the_end_the_network_has_the_weights_that_were_kept() -> None:
    training = run(OVERFITTING, WINE)
    assert isinstance(training, Training)
    list(training.epochs())

    result = training.result

    data = validation_of(training._data)
    with torch.inference_mode():
        wrong = (training._network(data.x_ND).argmax(dim=1) != data.y_N).double().mean().item()
    assert wrong == result.metrics["validation_error"]


def test_without_patience_a_training_has_its_full_length_and_its_last_weights() -> None:
    training = run({**OVERFITTING, "patience": 0, "epochs": 20}, WINE)

    epochs = list(training.epochs())

    assert len(epochs) == 20
    assert (training.result.step, training.result.metrics["best_step"]) == (20, 20)
    assert training.result.metrics["validation_error"] == epochs[-1].metrics["validation_error"]


@pytest.mark.parametrize("step", [1, 4])
def test_a_training_that_goes_on_from_a_checkpoint_ends_where_it_would_have(step: int) -> None:
    first, whole = run(OVERFITTING, WINE), run(OVERFITTING, WINE)
    epochs = list(whole.epochs())
    for _, _ in zip(range(step), first.epochs(), strict=False):
        pass

    second = run(OVERFITTING, WINE)
    second.restore(first.state())

    assert list(second.epochs()) == epochs[step:]
    assert second.result == whole.result
