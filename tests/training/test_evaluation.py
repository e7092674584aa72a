import pytest
import torch
from sklearn.metrics import log_loss, root_mean_squared_error, zero_one_loss
from torch import nn

from trimtab.data import Problem
from workers.training.data import Examples
from workers.training.evaluation import chunk_of, evaluate
from workers.training.losses import loss_of

GENERATOR = torch.Generator().manual_seed(0)
X_ND = torch.randn(101, 6, generator=GENERATOR)
CLASSES_N = torch.randint(4, (101,), generator=GENERATOR)
NUMBERS_N = torch.randn(101, generator=GENERATOR)


def network(outputs: int) -> nn.Module:
    layer = nn.Linear(6, outputs)
    with torch.no_grad():
        layer.weight.normal_(generator=torch.Generator().manual_seed(1))
        layer.bias.zero_()
    return layer.eval()


@pytest.mark.parametrize("chunk", [None, 7, 101, 1])
def test_classes_are_judged_by_the_share_of_wrong_answers(chunk: int | None) -> None:
    model, problem = network(4), Problem.CLASSIFICATION

    found = evaluate(model, Examples(X_ND, CLASSES_N), loss_of("auto", problem), problem, chunk=chunk)

    logits_NC = model(X_ND).detach().double()
    assert found.error.item() == pytest.approx(zero_one_loss(CLASSES_N, logits_NC.argmax(dim=1)), rel=1e-12)
    assert found.loss.item() == pytest.approx(log_loss(CLASSES_N, logits_NC.softmax(dim=1)), rel=1e-6)
    assert found.error.item() == int((logits_NC.argmax(dim=1) != CLASSES_N).sum()) / 101


@pytest.mark.parametrize("chunk", [None, 7, 101, 1])
def test_numbers_are_judged_by_the_root_of_the_mean_squared_error(chunk: int | None) -> None:
    model, problem = network(1), Problem.REGRESSION

    found = evaluate(model, Examples(X_ND, NUMBERS_N), loss_of("auto", problem), problem, chunk=chunk)

    expected = root_mean_squared_error(NUMBERS_N, model(X_ND).detach()[:, 0])
    assert found.error.item() == pytest.approx(expected, rel=1e-6)
    assert found.loss.item() == pytest.approx(expected**2, rel=1e-6)


def test_large_examples_go_through_in_small_chunks_and_none_in_chunks_of_nothing() -> None:
    chunks = [chunk_of(torch.Size(shape)) for shape in ((64,), (3, 64, 64), (3, 4096, 4096))]

    assert chunks == [8192, 341, 1]
