import math
from pathlib import Path
from zipfile import ZIP_DEFLATED

import numpy as np
import pytest
from sklearn import datasets as sklearns

from tests.training.files import META, put
from trimtab.data import BUILT_IN, DataSpec, Problem
from workers.training import built_in
from workers.training.datasets import load
from workers.training.errors import DatasetUnusable


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_built_in_data_set_is_what_is_said_of_it(name: str) -> None:
    facts = BUILT_IN[name]

    dataset = load(name, spec=DataSpec(dataset=name), files={})

    images_NCHW = dataset.rows.images_NCHW
    assert (len(dataset.rows), dataset.problem) == (facts.examples, facts.problem)
    assert tuple(dataset.rows.columns) == facts.columns
    assert (None if images_NCHW is None else images_NCHW.shape[1:]) == facts.image
    assert (dataset.classes or ()) == facts.labels
    if facts.problem is Problem.CLASSIFICATION:
        assert tuple(np.bincount(dataset.y_N)) == facts.class_sizes


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "wine", "iris", "diabetes"])
def test_what_scikit_learn_carries_is_as_its_own_loader_has_it(name: str) -> None:
    x_ND, y_N = getattr(sklearns, f"load_{name}")(return_X_y=True)

    _, targets_N, content = built_in.load(name)

    assert np.array_equal(targets_N, y_N)
    assert content == built_in.content_hash(x_ND, y_N)


def test_the_content_hash_is_that_of_the_values() -> None:
    x_ND, y_N = np.arange(6.0).reshape(3, 2), np.array([0, 1, 0])
    moved_ND = x_ND.copy()

    moved_ND[2, 1] = np.nextafter(moved_ND[2, 1], 10)

    assert built_in.content_hash(np.asfortranarray(x_ND), y_N.astype(np.int32)) == built_in.content_hash(x_ND, y_N)
    assert built_in.content_hash(moved_ND, y_N) != built_in.content_hash(x_ND, y_N)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("digits", "0450f7dd450091a4cd0efebc987b0ae1e2d2abd2df849f82ed8d1c2d35a978f8"),
        ("moons", "1bf8bb5ce5c0d3d3abfd49f222176b8d00f6e8a7a7ec203c501a2df8fd9cb756"),
        ("spirals", "7b571db32449309750ed373f145c6dbbac48af88c091fc5bc022a3ffc4970a0f"),
    ],
)
def test_built_in_data_never_changes(name: str, content: str) -> None:
    dataset = load(name, spec=DataSpec(dataset=name), files={})

    # Recorded values: another one means that every stored figure was measured on other examples.
    assert dataset.content_hash == content


def test_the_arms_of_the_spirals_never_meet() -> None:
    dataset = load("spirals", spec=DataSpec(dataset="spirals"), files={})

    x_ND = np.column_stack(list(dataset.rows.columns.values()))
    distance_NN = np.linalg.norm(x_ND[:, None] - x_ND, axis=2) + np.diag(np.full(len(x_ND), np.inf))
    is_alike_N = dataset.y_N[distance_NN.argmin(axis=1)] == dataset.y_N
    assert is_alike_N.mean() > 0.99


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path, sha256 = put(tmp_path / "pets.npz")

    dataset = load("pets", spec=DataSpec(dataset="pets", contents={"pets": sha256}), files={"pets": path})

    columns = {name: column.tolist() for name, column in dataset.rows.columns.items()}
    assert columns["colour"] == ["black", None, "red", "black"]
    assert columns["weight"][:3] == [3.5, 4.0, 5.25]
    assert math.isnan(columns["weight"][3])
    assert columns["seen"] == [1.0, 2.0, 3.0, 4.0]
    assert (dataset.classes, dataset.y_N.tolist(), dataset.content_hash) == (("cat", "dog"), [0, 1, 0, 1], sha256)


def test_a_file_of_images_is_read_as_it_was_written(tmp_path: Path) -> None:
    images_NCHW = np.arange(4 * 3 * 2 * 2, dtype=np.uint8).reshape(4, 3, 2, 2)
    path, sha256 = put(
        tmp_path / "a.npz",
        META | {"columns": [], "image": [3, 2, 2]},
        images_NCHW=images_NCHW,
        numbers_ND=None,
        codes_NK=None,
    )

    dataset = load("a", spec=DataSpec(dataset="a", contents={"a": sha256}), files={"a": path})

    np.testing.assert_array_equal(dataset.rows.images_NCHW, images_NCHW)


def test_a_file_of_other_content_is_refused(tmp_path: Path) -> None:
    path, _ = put(tmp_path / "pets.npz")

    with pytest.raises(DatasetUnusable, match=r"has the SHA-256 [0-9a-f]{12}\.\.\., not 000000000000\.\.\."):
        load("pets", spec=DataSpec(dataset="pets", contents={"pets": "0" * 64}), files={"pets": path})


def lying(member: bytes) -> bytes:
    """The header of the numbers says ten times as many rows."""
    return member.replace(b"'shape': (4, 2)", b"'shape': (40,2)")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"numbers_ND": np.array([[object()]] * 4)}, "numbers_ND.npy is of object"),
        ({"numbers_ND": np.zeros((4, 2), dtype=np.float32)}, "numbers_ND.npy is of float32 and 2 dimensions"),
        ({"y_N": np.zeros((4, 1), dtype=np.int64)}, "y_N.npy is of int64 and 2 dimensions"),
        ({"y_N": np.zeros(4)}, "targets are of float64"),
        ({"y_N": np.zeros(5, dtype=np.int64)}, "it has no row for each of its 5 targets"),
        ({"more": np.zeros(4)}, "more.npy is of float64"),
        ({"meta": META | {"format": 2}}, "it is of format 2; this worker reads 1"),
        ({"y_N": None}, "y_N"),
        ({"compression": ZIP_DEFLATED}, "meta.npy is not stored plainly"),
        ({"edit": lying}, "numbers_ND.npy has not the size that its header says"),
    ],
)
def test_a_file_that_is_no_data_set_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path, sha256 = put(tmp_path / "odd.npz", **change)  # type: ignore[arg-type]  # each has the type of its argument

    with pytest.raises(DatasetUnusable, match=said):
        load("odd", spec=DataSpec(dataset="odd", contents={"odd": sha256}), files={"odd": path})


def test_a_torn_file_is_refused(tmp_path: Path) -> None:
    path, sha256 = put(tmp_path / "torn.npz")
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(DatasetUnusable, match="has the SHA-256"):
        load("torn", spec=DataSpec(dataset="torn", contents={"torn": sha256}), files={"torn": path})


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DatasetUnusable, match=r"cannot be read: .*No such file"):
        load("gone", spec=DataSpec(dataset="gone", contents={"gone": "0" * 64}), files={"gone": tmp_path / "gone.npz"})
