import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tests.training.runs import validation_of
from trimtab.data import DataSpec
from trimtab.models.descriptions import Perceptron
from workers.training.augmentation import Augmentation
from workers.training.data import Data, prepare
from workers.training.early_stopping import Patience
from workers.training.errors import Diverged
from workers.training.loop import Training
from workers.training.losses import Loss
from workers.training.network import Start, trainable
from workers.training.optimizer import UpdateRule
from workers.training.plan import Plan
from workers.training.randomness import Randomness
from workers.training.schedule import Schedule
from workers.training.steps import Epoch

CPU = torch.device("cpu")
RULE = UpdateRule(
    name="adam",
    learning_rate=1e-3,
    momentum=0.9,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    l2=0.0,
    weight_decay=0.0,
    l1=0.0,
)
UNCHANGED = Augmentation(flip=0.0, crop=0.0, rotation=0.0, zoom=0.0, distortion=0.0, feature_noise=0.0)
PLAN = Plan(
    batch_size=64,
    rule=RULE,
    schedule=Schedule("none", rate=0.1, epochs=3),
    patience=Patience(0, min_improvement=0.0),
    augmentation=UNCHANGED,
)


@pytest.fixture
def data() -> Data:
    return prepare(DataSpec(), device=CPU)


def network(dropout: float = 0.0) -> nn.Module:
    shape = Perceptron(inputs=(64,), outputs=10, hidden_units=(32,), activation="relu", normalization="none")
    return trainable(shape, Start(dropout=(dropout,)), Randomness.from_seed(0, device=CPU))


def counted(steps: list[int]) -> Loss:
    """Return a loss that counts the batches that are trained on."""

    def loss(logits_NC: Tensor, y_N: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            steps.append(len(y_N))
        return cross_entropy(logits_NC, y_N)

    return loss


def epochs(model: nn.Module, data: Data, plan: Plan, *, loss: Loss) -> Iterator[Epoch]:
    return Training(model, data, plan, loss=loss, randomness=Randomness.from_seed(0, device=CPU)).epochs()


def test_errors_and_losses_are_measured_in_evaluation_mode_on_the_whole_sets(data: Data) -> None:
    model = network(dropout=0.5)
    training = epochs(model, data, PLAN, loss=cross_entropy)

    metrics = next(training).metrics

    model.eval()
    for examples, error, loss in (
        (data.train, metrics["training_error"], metrics["training_loss"]),
        (validation_of(data), metrics["validation_error"], metrics["validation_loss"]),
    ):
        logits_NC = model(examples.x_ND)
        wrong = int((logits_NC.argmax(dim=1) != examples.y_N).sum())
        assert error == wrong / len(examples)
        assert loss == pytest.approx(cross_entropy(logits_NC, examples.y_N).item())


def test_steps_count_from_one_to_the_last_epoch(data: Data) -> None:
    training = epochs(network(), data, PLAN, loss=cross_entropy)

    assert [epoch.step for epoch in training] == [1, 2, 3]


def test_between_two_batches_a_training_is_ended_by_whoever_it_heeds(data: Data) -> None:
    batches: list[int] = []
    steps: list[int] = []
    training = Training(network(), data, PLAN, loss=counted(steps), randomness=Randomness.from_seed(0, device=CPU))

    def heed() -> None:
        batches.append(len(steps))
        if len(batches) == 3:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        next(training.epochs(heed))

    assert batches == [1, 2, 3]


def test_an_epoch_sees_every_training_example_once_in_a_new_order(data: Data) -> None:
    seen: list[list[int]] = [[]]

    def watched(logits_NC: Tensor, y_N: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            seen[-1] += y_N.tolist()
        elif len(y_N) == len(data.train):
            seen.append([])
        return cross_entropy(logits_NC, y_N)

    for _ in epochs(network(), data, PLAN, loss=watched):
        pass

    first, second, third, _ = seen
    assert sorted(first) == sorted(second) == sorted(third) == sorted(data.train.y_N.tolist())
    assert first != second != third


def test_each_epoch_trains_at_the_learning_rate_of_its_schedule(data: Data) -> None:
    model = network()
    exhausted = Schedule("exponential", rate=1.0, epochs=2)  # nothing is left from the first epoch on
    before = [parameter.detach().clone() for parameter in model.parameters()]

    for _ in epochs(model, data, replace(PLAN, schedule=exhausted), loss=cross_entropy):
        pass

    assert all(map(torch.equal, model.parameters(), before))


def test_the_last_batch_may_be_smaller_and_a_batch_larger_than_the_data(data: Data) -> None:
    for batch_size, batches in ((1000, [1000, 79]), (5000, [1079])):
        sizes: list[int] = []

        def watched(logits_NC: Tensor, y_N: Tensor, sizes: list[int] = sizes) -> Tensor:
            if torch.is_grad_enabled():
                sizes.append(len(y_N))
            return cross_entropy(logits_NC, y_N)

        next(epochs(network(), data, replace(PLAN, batch_size=batch_size), loss=watched))

        assert sizes == batches


def test_a_loss_that_overflows_ends_the_training_as_diverged(data: Data) -> None:
    wild = replace(PLAN, rule=replace(RULE, name="sgd", learning_rate=1e30))

    with pytest.raises(Diverged) as caught:
        list(epochs(network(), data, wild, loss=cross_entropy))

    assert caught.value.step == 1


def test_a_loss_that_is_not_finite_in_one_batch_only_is_found(data: Data) -> None:
    batches = itertools.count(1)

    def faulty(logits_NC: Tensor, y_N: Tensor) -> Tensor:
        loss = cross_entropy(logits_NC, y_N)
        # The gradient of a constant is zero, so the weights stay finite.
        is_faulty = torch.is_grad_enabled() and next(batches) == 20  # of 17 in an epoch
        return loss + torch.tensor(float("inf")) if is_faulty else loss

    with pytest.raises(Diverged) as caught:
        list(epochs(network(), data, PLAN, loss=faulty))

    assert caught.value.step == 2


def test_training_moves_no_randomness_but_its_own(data: Data) -> None:
    before = torch.get_rng_state()

    list(epochs(network(dropout=0.5), data, PLAN, loss=cross_entropy))

    assert torch.equal(torch.get_rng_state(), before)


def test_training_examples_alone_are_augmented(data: Data) -> None:
    noisy = replace(PLAN, augmentation=replace(UNCHANGED, feature_noise=1.0), batch_size=5000)
    seen: list[Tensor] = []

    class Watched(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            if torch.is_grad_enabled():
                seen.append(x)
            return super().forward(x.flatten(1))

    model = Watched(64, 10)
    untrained = replace(noisy, schedule=Schedule("exponential", rate=1.0, epochs=1))

    (epoch,) = epochs(model, data, untrained, loss=cross_entropy)

    with torch.inference_mode():
        logits_NC = model(data.train.x_ND)
    (augmented,) = seen
    difference = augmented.flatten(1).sort(dim=0).values - data.train.x_ND.flatten(1).sort(dim=0).values
    assert difference.std() > 0.1
    assert epoch.metrics["training_loss"] == pytest.approx(cross_entropy(logits_NC, data.train.y_N).item())
