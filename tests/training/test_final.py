"""The training of a final model: on all but the test set, which nothing else is ever given."""

from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from scipy import stats

from tests.training.finals import trained
from tests.training.runs import CPU, run, validation_of
from trimtab.data import DataSpec, Problem, SplitSpec
from trimtab.message import Params
from trimtab.states import Purpose
from workers.training.data import Data, prepare
from workers.training.evaluation import Evaluation, evaluate
from workers.training.final import Final
from workers.training.intervals import interval, wilson


def test_a_final_model_is_trained_on_training_and_validation_examples() -> None:
    searched, final = (
        prepare(DataSpec(dataset="iris"), device=CPU, purpose=p) for p in (Purpose.SEARCH, Purpose.FINAL)
    )

    assert final.test is not None
    assert len(final.train) == len(searched.train) + len(validation_of(searched)) == 120
    assert len(final.test) == 30


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.FINAL])
def test_no_other_training_is_given_the_test_set(purpose: Purpose) -> None:
    assert prepare(DataSpec(dataset="iris"), device=CPU, purpose=purpose).test is None


def test_folds_leave_the_final_model_the_same_test_set() -> None:
    spec = DataSpec(dataset="iris", split=SplitSpec(folds=3))

    final = prepare(spec, device=CPU, purpose=Purpose.FINAL)
    rest = [prepare(spec, device=CPU, fold=fold) for fold in range(3)]

    assert final.test is not None
    assert {len(fold.train) + len(validation_of(fold)) for fold in rest} == {len(final.train)}
    assert len(final.train) + len(final.test) == 150


def test_the_test_error_is_that_of_the_trained_network_on_the_test_set() -> None:
    final = trained(epochs=20)

    result = final.result

    test = final.data.test
    assert test is not None
    with torch.no_grad():
        wrong_N = final.network.eval()(test.x_ND).argmax(1) != test.y_N
    expected = stats.binomtest(int(wrong_N.sum()), len(wrong_N)).proportion_ci(method="wilson")
    assert result.metrics["test_error"] == wrong_N.double().mean()
    assert result.metrics["test_error_low"] == pytest.approx(expected.low)
    assert result.metrics["test_error_high"] == pytest.approx(expected.high)
    assert result.metrics["test_examples"] == 30
    assert result.step == 20


def test_a_final_model_reports_nothing_of_a_validation_set_that_it_is_trained_on() -> None:
    final = run({"epochs": 2}, DataSpec(dataset="iris"), purpose=Purpose.FINAL)

    epochs = list(final.epochs())

    for metrics in (*(epoch.metrics for epoch in epochs), final.result.metrics):
        assert "training_error" in metrics
        assert [name for name in metrics if name.startswith("validation")] == []
    assert all("test_error" not in epoch.metrics for epoch in epochs)


def test_a_final_model_has_the_figures_that_it_has_where_the_training_set_validates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def judged(*args: Any, **options: Any) -> Data:
        data = prepare(*args, **options)
        return replace(data, validation=data.train)

    params: Params = {"epochs": 3, "dropout": 0.5}
    plain = list(run(params, DataSpec(dataset="iris"), purpose=Purpose.FINAL).epochs())
    monkeypatch.setattr("workers.tasks.prepare", judged)

    twice = list(run(params, DataSpec(dataset="iris"), purpose=Purpose.FINAL).epochs())

    assert [{**epoch.metrics, **copied(epoch.metrics)} for epoch in plain] == [epoch.metrics for epoch in twice]


def copied(metrics: dict[str, float]) -> dict[str, float]:
    """Return the figures of the training set as if they were those of a validation set."""
    return {f"validation_{name}": metrics[f"training_{name}"] for name in ("error", "loss")}


def test_in_each_epoch_of_a_final_model_the_training_set_is_evaluated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluated = Mock(wraps=evaluate)
    monkeypatch.setattr("workers.training.judge.evaluate", evaluated)

    list(run({"epochs": 3}, DataSpec(dataset="iris"), purpose=Purpose.FINAL).epochs())

    assert [len(call.args[1]) for call in evaluated.call_args_list] == [120, 120, 120, 120]  # The first loss is one.


def test_a_final_model_that_goes_on_from_a_checkpoint_is_the_same_bit_for_bit() -> None:
    whole = trained(epochs=3)
    first, second = (run({"epochs": 3}, DataSpec(dataset="iris"), purpose=Purpose.FINAL) for _ in range(2))
    next(first.epochs())

    second.restore(first.state())
    list(second.epochs())

    assert isinstance(second, Final)
    assert second.result == whole.result


@pytest.mark.parametrize(("wrong", "examples"), [(0, 30), (1, 30), (15, 30), (30, 30), (137, 10_000)])
def test_the_interval_of_a_share_is_wilsons(wrong: int, examples: int) -> None:
    expected = stats.binomtest(wrong, examples).proportion_ci(method="wilson")

    assert wilson(wrong / examples, examples) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_interval_of_a_share_ends_exactly_where_none_or_all_are_wrong() -> None:
    for examples in range(1, 1000):
        assert wilson(0.0, examples)[0] == 0.0
        assert wilson(1.0, examples)[1] == 1.0


def test_the_interval_of_a_regression_error_is_that_of_the_bootstrap() -> None:
    squares_N = np.random.default_rng(0).normal(size=200) ** 2
    expected = stats.bootstrap(
        (squares_N,), lambda x, axis: np.sqrt(x.mean(axis=axis)), method="percentile", n_resamples=5000, rng=0
    ).confidence_interval

    low, high = interval(Evaluation(Problem.REGRESSION, torch.from_numpy(squares_N), torch.zeros(())))

    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.01)
    assert low < np.sqrt(squares_N.mean()) < high


def test_a_regression_has_an_interval_around_its_test_error() -> None:
    metrics = trained("diabetes").result.metrics

    assert metrics["test_error_low"] < metrics["test_error"] < metrics["test_error_high"]
