"""Data of a user's own, from the file to the trials that were trained on it."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.e2e.running import PATIENCE_SECONDS, Workers, wait_for
from tests.e2e.studies import create, reached
from trimtab.client import Client
from trimtab.data import DataSpec, Problem
from trimtab.states import Outcome, StudyState, TrialState
from workers.training import datasets


def houses(path: Path, *, shift: float = 0.0) -> Path:
    """Write a table: what a house costs goes by its size and place; some of both are missing."""
    chance = np.random.default_rng(int(shift))
    lines = ["size,place,owner,price"]
    for row in range(120):
        size, place = chance.normal(100 + shift, 20), ("town", "country")[row % 2]
        price = size * (1 + row % 2) + chance.normal()
        known = ("" if row % 10 == 0 else f"{size:.3f}", "" if row % 15 == 0 else place)
        lines.append(f"{known[0]},{known[1]},owner{row % 30},{price:.3f}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_trials_are_trained_on_a_data_set_that_was_put(
    server: str, client: Client, workers: Workers, tmp_path: Path
) -> None:
    put = client.put_dataset("houses", houses(tmp_path / "houses.csv"), target="price")
    client.put_dataset("elsewhere", houses(tmp_path / "elsewhere.csv", shift=60), target="price")
    data = {"dataset": "houses", "validation_dataset": "elsewhere", "split": {"group": "owner"}}
    create(client, fixed={}, task={"name": "mlp", "data": data, "fixed": {"epochs": 5, "batch_size": 16}}, trials=2)

    worker = workers.start(server, "--slots", "2")
    wait_for(lambda: client.study("study").state.is_ended)

    assert client.study("study").state is StudyState.COMPLETE, worker.said()
    trial = client.trial("study", 0)
    assert trial.metrics["training_examples"] == 96
    assert (trial.metrics["shift_auc_low"] or 0) > 0.6
    assert 0 < (trial.metrics["train_dev_error"] or 0) < 2
    assert (tmp_path / "datasets" / f"{put.sha256}.npz").exists()
    assert worker.said().count("data set houses fetched") == 1


def test_a_trial_whose_data_a_machine_cannot_keep_is_trained_by_another_worker(
    server: str, client: Client, workers: Workers, tmp_path: Path
) -> None:
    client.put_dataset("houses", houses(tmp_path / "houses.csv"), target="price")
    create(client, fixed={}, task={"name": "mlp", "data": {"dataset": "houses"}, "fixed": {"epochs": 5}})
    (tmp_path / "datasets").touch()  # No folder can be made there.

    workers.start(server, constants={"workers.session.MACHINE_PAUSE_SECONDS": 10 * PATIENCE_SECONDS})
    wait_for(lambda: [*client.trials("study")] and client.trial("study", 0).history[0].outcome)
    (tmp_path / "datasets").unlink()
    workers.start(server)
    released, trained = reached(client, TrialState.COMPLETE).history

    assert (released.outcome, trained.outcome) == (Outcome.RELEASED, Outcome.COMPLETE)
    assert released.worker != trained.worker
    assert released.message is not None
    assert released.message.startswith("the data set houses cannot be kept on this machine: [Errno")


def pictures(path: Path) -> Path:
    """Write a folder of images, 4 x 3, one class darker than the other."""
    with tarfile.open(path, "w") as archive:
        for number in range(12):
            drawn = io.BytesIO()
            Image.new("RGB", (4, 3), (number, 10, 200 * (number % 2))).save(drawn, "png")
            member = tarfile.TarInfo(f"{('day', 'night')[number % 2]}/{number}.png")
            member.size = len(drawn.getvalue())
            archive.addfile(member, io.BytesIO(drawn.getvalue()))
    return path


def arrays(path: Path) -> Path:
    np.savez(path, X=np.arange(48.0).reshape(24, 2), y=np.arange(24) % 3)
    return path


@pytest.mark.parametrize(
    ("write", "name", "problem", "inputs"),
    [
        (houses, "a.csv", Problem.REGRESSION, {"size": "f", "place": "O", "owner": "O"}),
        (pictures, "a.tar", Problem.CLASSIFICATION, (12, 3, 3, 4)),
        (arrays, "a.npz", Problem.CLASSIFICATION, {"x1": "f", "x2": "f"}),
    ],
)
def test_a_worker_reads_what_the_service_made_of_a_file(
    client: Client, tmp_path: Path, write: object, name: str, problem: Problem, inputs: object
) -> None:
    assert callable(write)
    put = client.put_dataset("ours", write(tmp_path / name), target="price" if name == "a.csv" else None)
    client.fetch_dataset("ours", str(put.sha256), tmp_path / "ours.npz")

    spec = DataSpec(dataset="ours", contents={"ours": str(put.sha256)})
    dataset = datasets.load("ours", spec=spec, files={"ours": tmp_path / "ours.npz"})

    images_NCHW = dataset.rows.images_NCHW
    kinds = {column: values_N.dtype.kind for column, values_N in dataset.rows.columns.items()}
    assert (dataset.problem, len(dataset)) == (problem, put.examples)
    assert (kinds if images_NCHW is None else images_NCHW.shape) == inputs
    assert dataset.classes == (tuple(counted.label for counted in put.classes) or None)
