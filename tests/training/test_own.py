"""Tasks of a user's own: imported, built, seeded, and named where they fail."""

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.datasets import load_iris
from torch import nn

import trimtab
from tests.training import own_tasks
from tests.training.runs import CPU, validation_of
from trimtab.data import DataSpec
from trimtab.errors import Misconfigured
from trimtab.models.given import rows_of
from trimtab.spec import TaskSpec
from trimtab.states import Purpose
from workers.tasks import begin, own
from workers.tasks.export import export
from workers.training import checkpoints
from workers.training.data import Data, prepare
from workers.training.final import Final
from workers.training.steps import Steps

HERE = "tests.training.own_tasks"
IRIS = DataSpec(dataset="iris")
RIGHT = f"{HERE}:Dropping"


def training(name: str = RIGHT, *, seed: int = 0, purpose: Purpose = Purpose.SEARCH, **params: Any) -> Steps:
    task = TaskSpec(name=name, data=IRIS)
    given = {"width": 8, "epochs": 4, **params}
    return begin(task, given, seed=seed, purpose=purpose, files={}, device=CPU, allowed={name: own.load(name)})


def figures(steps: Steps) -> list[dict[str, float]]:
    return [epoch.metrics for epoch in steps.epochs()]


def failure(name: str) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # whatever the user's code raises
        figures(training(name))
    return caught.value


def test_a_task_of_the_users_own_is_trained_with_hyperparameters_that_only_it_knows() -> None:
    metrics = figures(training(width=9, epochs=40, learning_rate=0.02))

    assert metrics[-1]["parameters"] == (4 + 1) * 9 + (9 + 1) * 3
    assert metrics[-1]["training_error"] < 0.1


def test_parameters_that_are_not_trained_are_not_counted() -> None:
    metrics = figures(training(f"{HERE}:half_frozen", width=9, epochs=1))

    assert metrics[-1]["parameters"] == (9 + 1) * 3


def test_the_seed_is_all_the_randomness_of_a_users_network_as_well() -> None:
    torch.manual_seed(1)
    first = figures(training())
    torch.manual_seed(2)
    again, other = figures(training()), figures(training(seed=1))

    assert first == again
    assert first != other


def test_a_users_dropout_goes_on_from_a_checkpoint_bit_for_bit(tmp_path: Path) -> None:
    whole = training()
    epochs = whole.epochs()
    next(epochs)
    written = checkpoints.write(whole.state(), tmp_path / "checkpoint", belongs_to="it")
    expected = [epoch.metrics for epoch in epochs]

    torch.rand(7)
    resumed = training()
    resumed.restore(checkpoints.read(tmp_path / "checkpoint", sha256=written.sha256, belongs_to="it"))

    assert figures(resumed) == expected


def test_a_network_that_writes_over_its_inputs_leaves_the_data_to_other_trials_as_it_was() -> None:
    shared = prepare(IRIS, device=CPU)
    before = [examples.x_ND.clone() for examples in (shared.train, validation_of(shared))]

    metrics = figures(training(f"{HERE}:clamping", epochs=2))

    after = [examples.x_ND for examples in (shared.train, validation_of(shared))]
    assert len(metrics) == 2
    assert all(map(torch.equal, before, after))
    assert prepare(IRIS, device=CPU) is shared


def test_code_that_looks_at_validation_examples_is_given_the_training_set_as_such_where_none_are_left() -> None:
    final = prepare(IRIS, device=CPU, purpose=Purpose.FINAL)
    seen: list[Data] = []

    def build(params: Mapping[str, Any], data: Data) -> nn.Module:
        seen.append(data)
        return own_tasks.Dropping(params, data)

    own.network_of(build, {"width": 4}, final)

    assert final.validation is None
    assert [(data.validation is final.train, data.test) for data in seen] == [(True, None)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere_at_all:build", "nowhere_at_all:build cannot be imported: ModuleNotFoundError"),
        (f"{HERE}:absent", "AttributeError"),
        (f"{HERE}:NOT_CALLABLE", "cannot be called: it is of type int"),
        ("build", "is called module:attribute, not 'build'"),
    ],
)
def test_what_cannot_be_imported_or_called_is_refused(name: str, message: str) -> None:
    with pytest.raises(Misconfigured, match=message):
        own.load(name)


def test_what_is_not_allowed_is_not_imported() -> None:
    task = TaskSpec(name="nowhere_at_all:build", data=IRIS)

    with pytest.raises(ValueError, match="start the worker with --allow nowhere_at_all:build"):
        begin(task, {}, seed=0, purpose=Purpose.SEARCH, files={}, device=CPU)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_network", "build returned a Tensor, not a torch.nn.Module"),
        ("Paired", "the network returned a tuple, not a tensor"),
        ("too_narrow", r"of 2 examples the network's outputs are \(2, 1\), not \(2, 3\)"),
        ("frozen", "the network has no parameter that can be trained"),
    ],
)
def test_what_is_built_has_to_be_a_network_for_the_data(name: str, message: str) -> None:
    error = failure(f"{HERE}:{name}")

    assert str(error) == message.replace("\\", "")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("broken", 'raise LookupError("there is no such layer")'),
        ("Torn", "return x @ torch.zeros(1, 2, 3)[0]"),
    ],
)
def test_an_error_is_placed_at_the_last_line_of_the_users_file(name: str, line: str) -> None:
    error = failure(f"{HERE}:{name}")

    place = own.place(error, f"{HERE}:{name}")

    numbers = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.line == line]
    assert place == f"own_tasks.py, line {numbers[-1]}: {line}"


def test_an_error_from_elsewhere_has_no_place_in_the_users_file() -> None:
    assert own.place(ValueError("of ours"), RIGHT) is None
    assert own.place(ValueError("of ours"), "mlp") is None


def test_an_example_that_is_left_alone_joins_the_batch_before_it() -> None:
    # Iris has 90 training examples.
    figures(training(f"{HERE}:Normalised", epochs=1, batch_size=89))
    figures(training(f"{HERE}:Normalised", epochs=1, batch_size=44))

    assert own_tasks.SIZES[-2:] == [[90], [44, 44, 2]]


def test_what_a_network_keeps_of_its_measuring_can_be_trained_with() -> None:
    training_examples = len(prepare(IRIS, device=CPU).train)

    metrics = figures(training(f"{HERE}:Keeping", batch_size=training_examples))

    assert len(metrics) == 4


def test_layers_with_the_same_weights_are_written_and_read_under_both_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.training.export.onnx", lambda network, inputs: None)
    name = f"{HERE}:Tied"
    final = training(name, purpose=Purpose.FINAL)
    figures(final)
    assert isinstance(final, Final)

    export(final, TaskSpec(name=name, data=IRIS), study="study.final", trial=0, path=tmp_path / "model.zip")

    build: Any = own.load(name)
    read = trimtab.load_model(tmp_path / "model.zip", build=build)
    rows = load_iris().data
    preprocessing = final.data.preprocessing
    expected = final.network(torch.from_numpy(preprocessing.apply(rows_of(rows, preprocessing))))
    assert torch.equal(torch.from_numpy(read.outputs(rows)), expected)


def test_a_model_whose_network_answers_in_bfloat16_answers_in_float32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.training.export.onnx", lambda network, inputs: None)
    name = f"{HERE}:Halved"
    final = training(name, purpose=Purpose.FINAL)
    figures(final)
    assert isinstance(final, Final)
    export(final, TaskSpec(name=name, data=IRIS), study="study.final", trial=0, path=tmp_path / "model.zip")

    build: Any = own.load(name)
    outputs = trimtab.load_model(tmp_path / "model.zip", build=build).outputs(load_iris().data)

    assert (str(outputs.dtype), outputs.shape) == ("float32", (150, 3))


def test_a_model_that_cannot_be_written_never_reads_the_test_set(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[object] = []
    monkeypatch.setattr("workers.training.final.evaluate", lambda *given: judged.append(given))
    final = training(f"{HERE}:Unwritable", purpose=Purpose.FINAL)
    figures(final)

    with pytest.raises(TypeError, match="cannot be written: _extra_state is a str, and not a tensor"):
        _ = final.result

    assert judged == []


def test_a_users_code_never_gets_the_test_set() -> None:
    with pytest.raises(PermissionError):
        training(f"{HERE}:looks_at_the_test_set", purpose=Purpose.FINAL)
