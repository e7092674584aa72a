"""Models as files: what is loaded answers as the trained network did, to the last bit, and nothing else is loaded."""

import json
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.datasets import load_diabetes, load_digits, load_iris
from torch import Tensor, nn

import trimtab
from tests.training.finals import loaded, trained, written
from tests.training.runs import CPU
from trimtab.data import DataSpec
from trimtab.message import Params
from trimtab.models import archive, given
from trimtab.models.errors import ModelUnreadable, RowsUnfit
from trimtab.models.model import Model
from trimtab.spec import TaskSpec
from trimtab.states import Purpose
from workers.tasks import begin
from workers.tasks.export import export
from workers.training import export as files
from workers.training.final import Final

TASKS: list[tuple[str, str, dict[str, Any]]] = [
    ("mlp", "iris", {}),
    ("mlp", "diabetes", {"hidden_layers": 2, "normalization": "layer", "activation": "gelu"}),
    ("mlp", "digits", {"normalization": "batch", "dropout": 0.5, "input_dropout": 0.2}),
    ("cnn", "digits", {"normalization": "batch", "residual": True, "channels": 8, "hidden_layers": 1, "dropout": 0.2}),
]


@pytest.fixture
def no_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what takes seconds and is tested for itself."""
    monkeypatch.setattr(files, "onnx", lambda *_: None)


@pytest.fixture
def iris(no_onnx: None, tmp_path: Path) -> Model:
    return loaded(trained(epochs=50), tmp_path)


def outputs(final: Final, examples: Tensor) -> Any:
    with torch.no_grad():
        return final.network.eval()(examples).numpy()


def rows_of(dataset: str) -> Any:
    return {"iris": load_iris, "diabetes": load_diabetes, "digits": load_digits}[dataset]().data


@pytest.mark.usefixtures("no_onnx")
@pytest.mark.parametrize(("task", "dataset", "params"), TASKS)
def test_a_loaded_model_answers_as_the_trained_network_to_the_last_bit(
    task: str, dataset: str, params: dict[str, Any], tmp_path: Path
) -> None:
    final = trained(dataset, task=task, **params)
    rows = rows_of(dataset)

    model = loaded(final, tmp_path)

    inputs = torch.from_numpy(model._preprocessing.apply(given.rows_of(rows, model._preprocessing)))
    assert np.array_equal(model.outputs(rows), outputs(final, inputs))
    # The same inputs as in training, whose order the split has changed.
    assert final.data.test is not None
    seen = torch.cat([final.data.train.x_ND, final.data.test.x_ND])
    assert sorted(inputs.flatten(1).tolist()) == sorted(seen.flatten(1).tolist())


def test_labels_are_those_of_the_data_and_probabilities_add_up(iris: Model) -> None:
    data = load_iris()

    labels, shares = iris.predict(data.data), iris.probabilities(data.data)

    assert iris.classes == ("setosa", "versicolor", "virginica")
    assert (labels == data.target_names[data.target]).mean() > 0.8
    assert shares.shape == (150, 3)
    assert shares.sum(axis=1) == pytest.approx(1)
    assert [iris.classes[place] for place in shares.argmax(axis=1)] == list(labels)


@pytest.mark.usefixtures("no_onnx")
def test_numbers_come_in_the_units_of_the_target(tmp_path: Path) -> None:
    data = load_diabetes()

    model = loaded(trained("diabetes", epochs=50, learning_rate=0.01), tmp_path)

    assert np.corrcoef(model.predict(data.data), data.target)[0, 1] > 0.6
    assert abs(model.predict(data.data).mean() - data.target.mean()) < 20
    with pytest.raises(RowsUnfit, match="no probabilities"):
        model.probabilities(data.data)


def test_rows_may_be_arrays_lists_or_mappings(iris: Model) -> None:
    rows = load_iris().data[:3]
    named = [dict(zip(iris.columns, row, strict=True)) for row in rows.tolist()]
    backwards = [dict(reversed(row.items())) for row in named]

    answers = [iris.outputs(given) for given in (rows, rows.tolist(), named, backwards)]

    assert all(np.array_equal(answer, answers[0]) for answer in answers)


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([[1.0, 2.0, 3.0]], "row 0 is not a list of 4 values: x1, x2, x3, x4"),
        ([1.0, 2.0, 3.0, 4.0], "row 0 is not a list"),
        (np.zeros(4), r"shape \(4,\)"),
        (np.array(4.0), r"shape \(\)"),
        (5, "not of the type int"),
        (None, "not of the type NoneType"),
        (pd.DataFrame({"x1": [1]}), r'not of the type DataFrame: give its to_dict\("records"\)'),
        (pl.DataFrame({"x1": [1]}), r"not of the type DataFrame: give its to_dicts\(\)"),
        ([[1, 2, 3, 10**400]], "row 0, column x4: 1000*0 is no number"),
        ([{"x1": 1, "x2": 1, "x3": 1}], "row 0 lacks x4"),
        (
            [dict.fromkeys(("x1", "x2", "x3", "x4", "y"), 1)],
            "row 0 has y, .* know: it takes x1, .*; leave out .* the target",
        ),
        ([[1, 2, 3, "much"]], "row 0, column x4: 'much' is no number"),
        ([[1, 2, 3, 4], [1, 2, 3, float("inf")]], "row 1, column x4: inf is not finite"),
    ],
)
def test_rows_that_are_not_those_of_the_model_are_refused_with_row_and_column(
    iris: Model, rows: Any, fault: str
) -> None:
    with pytest.raises(RowsUnfit, match=fault):
        iris.predict(rows)


def test_no_rows_have_no_answers(iris: Model) -> None:
    assert len(iris.predict(np.empty((0, 4)))) == 0


@pytest.mark.usefixtures("no_onnx")
def test_images_may_be_flat_or_have_their_sides(tmp_path: Path) -> None:
    model, digits = loaded(trained("digits"), tmp_path), load_digits()

    answers = [
        model.outputs(images)
        for images in (digits.data[:5], digits.images[:5], digits.images[:5, None], digits.images[:5].tolist())
    ]

    assert all(np.array_equal(answer, answers[0]) for answer in answers)


@pytest.mark.usefixtures("no_onnx")
@pytest.mark.parametrize(
    ("images", "fault"),
    [
        (np.zeros((2, 8, 9)), r"N x 1 x 8 x 8: these have the shape \(2, 8, 9\)"),
        (np.full((2, 8, 8), 0.5), "whole numbers from 0 to 255"),
        (np.full((2, 8, 8), 256), "whole numbers from 0 to 255"),
        ([[1, 2], [3]], "not images of one size"),
    ],
)
def test_images_of_another_kind_are_refused(images: Any, fault: str, tmp_path: Path) -> None:
    model = loaded(trained("digits"), tmp_path)

    with pytest.raises(RowsUnfit, match=fault):
        model.predict(images)


@pytest.mark.parametrize(("task", "dataset", "params"), TASKS[2:])
def test_onnx_answers_as_the_network_for_any_number_of_examples(
    task: str, dataset: str, params: dict[str, Any], tmp_path: Path
) -> None:
    final = trained(dataset, task=task, **params)
    inputs = final.data.train.x_ND[:7]

    path = written(final, tmp_path / "model.zip")

    session = onnxruntime.InferenceSession(zipfile.ZipFile(path).read("model.onnx"))
    (answered,) = session.run(["outputs"], {"inputs": inputs.numpy()})
    assert answered == pytest.approx(outputs(final, inputs), abs=1e-5)


def test_the_file_says_what_the_model_is_and_nothing_of_the_machine(tmp_path: Path) -> None:
    final = trained()

    path = written(final, tmp_path / "model.zip")

    with zipfile.ZipFile(path) as archive:
        card = json.loads(archive.read("model.json"))
        assert archive.namelist() == ["model.json", "weights.safetensors", "model.onnx"]
    assert str(Path(files.__file__).parents[2]).encode() not in path.read_bytes()
    assert card["format"] == 1
    assert card["task"] == "mlp"
    assert card["hyperparameters"]["epochs"] == 2
    assert card["origin"] | {"split": ""} == {
        "study": "study.final",
        "trial": 0,
        "datasets": {"iris": None},
        "split": "",
    }
    assert card["test"]["error"] == final.result.metrics["test_error"]


@pytest.mark.usefixtures("no_onnx")
def test_the_same_model_is_the_same_file(tmp_path: Path) -> None:
    one, other = (written(trained(), tmp_path / name) for name in ("one.zip", "other.zip"))

    assert one.read_bytes() == other.read_bytes()


class Linear(nn.Module):
    """A network of the user's own, with a layer that ONNX and `load_model` know nothing of."""

    def __init__(self, inputs: int, outputs: int, units: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, units), nn.ReLU(), nn.Linear(units, outputs))

    def forward(self, x_ND: Tensor) -> Tensor:
        answered: Tensor = self.layers(x_ND)
        return answered


def build(params: Mapping[str, Any], data: Any) -> nn.Module:
    return Linear(data.inputs[0], data.outputs, params["units"])


@pytest.mark.usefixtures("no_onnx")
def test_a_network_of_the_users_own_is_loaded_by_the_code_that_built_it(tmp_path: Path) -> None:
    task = TaskSpec(name="mine:build", data=DataSpec(dataset="iris"))
    params: Params = {"units": 5, "epochs": 2}
    final = begin(task, params, seed=0, purpose=Purpose.FINAL, files={}, device=CPU, allowed={"mine:build": build})
    assert isinstance(final, Final)
    list(final.epochs())
    export(final, task, study="study.final", trial=0, path=tmp_path / "model.zip")

    model = trimtab.load_model(tmp_path / "model.zip", build=build)

    with pytest.raises(ModelUnreadable, match=r"give load_model the build of mine:build"):
        trimtab.load_model(tmp_path / "model.zip")
    with pytest.raises(ModelUnreadable, match="not those of its network"):
        trimtab.load_model(tmp_path / "model.zip", build=lambda params, data: build({**params, "units": 6}, data))
    answers = outputs(final, final.data.train.x_ND)
    assert model.outputs(load_iris().data).shape == (150, 3)
    assert {tuple(row) for row in answers} <= {tuple(row) for row in model.outputs(load_iris().data)}


def changed(path: Path, **members: bytes | None) -> Path:
    """Write the file of a model again with other members."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content |= {"model.json" if name == "card" else "weights.safetensors": new or b"" for name, new in members.items()}
    other = path.with_name("changed.zip")
    with zipfile.ZipFile(other, "w") as archive:
        for name, each in content.items():
            archive.writestr(name, each)
    return other


@pytest.mark.usefixtures("no_onnx")
def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = written(trained(), tmp_path / "model.zip")
    torn = tmp_path / "torn.zip"
    torn.write_bytes(path.read_bytes()[:-100])
    card = json.loads(zipfile.ZipFile(path).read("model.json"))
    newer = json.dumps(card | {"format": 2}).encode()
    other = json.dumps(card | {"network": card["network"] | {"hidden_units": [3]}}).encode()

    faults = {
        torn: "no file of a model",
        changed(path, card=b"{"): "does not say what model it is",
    }
    for file, fault in faults.items():
        with pytest.raises(ModelUnreadable, match=fault):
            trimtab.load_model(file)
    with pytest.raises(ModelUnreadable, match="another format"):
        trimtab.load_model(changed(path, card=newer))
    with pytest.raises(ModelUnreadable, match="not those of its network"):
        trimtab.load_model(changed(path, card=other))
    with pytest.raises(ModelUnreadable, match="not those of its network"):
        trimtab.load_model(changed(path, weights=b"pickle"))


@pytest.mark.usefixtures("no_onnx")
def test_a_file_with_another_byte_in_its_directory_is_refused_or_the_same_model(tmp_path: Path) -> None:
    path = written(trained(), tmp_path / "model.zip")
    whole, known = path.read_bytes(), archive.read(path)
    damaged = tmp_path / "damaged.zip"

    for place in range(whole.index(b"PK\x01\x02"), len(whole)):
        for byte in {255, whole[place] ^ 1, whole[place] ^ 8}:
            damaged.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
            with suppress(ModelUnreadable):
                assert archive.read(damaged) == known


@pytest.mark.usefixtures("no_onnx")
def test_a_card_that_contradicts_itself_or_the_weights_is_refused(tmp_path: Path) -> None:
    path = written(trained(), tmp_path / "model.zip")
    card = json.loads(zipfile.ZipFile(path).read("model.json"))
    rows, network = card["preprocessing"], card["network"]

    changes: list[tuple[dict[str, Any], str]] = [
        ({"preprocessing": {}}, "does not say how rows become inputs"),
        ({"preprocessing": rows | {"columns": [{"name": 3}]}}, "does not say how rows become inputs"),
        ({"preprocessing": rows | {"target": {"mean": "much"}}}, "does not say how rows become inputs"),
        ({"preprocessing": rows | {"scales": []}}, "4 features have 0 scales"),
        ({"preprocessing": rows | {"classes": ["setosa", "versicolor"]}}, "2 outputs, and the network .* 3"),
        ({"inputs": [5]}, "does not say how rows become inputs"),
        ({"problem": "regression"}, "does not say what it answers"),
        ({"network": network | {"inputs": [5]}}, "not those of its network"),
        ({"network": network | {"hidden_units": [2_000_000, 2_000_000]}}, "not those of its network: hidden"),
        ({"network": network | {"hidden_units": [2**31 - 1] * 2}}, "not those of its network"),
    ]
    for change, fault in changes:
        with pytest.raises(ModelUnreadable, match=fault):
            trimtab.load_model(changed(path, card=json.dumps(card | change).encode()))


def test_a_network_that_onnx_has_no_word_for_is_written_without(caplog: pytest.LogCaptureFixture) -> None:
    class Odd(nn.Module):
        def forward(self, x_ND: Tensor) -> Tensor:
            return x_ND if x_ND.sum() > 0 else -x_ND

    assert files.onnx(Odd(), (4,)) is None
    assert "not written as ONNX" in caplog.text
