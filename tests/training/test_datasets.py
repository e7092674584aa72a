import numpy as np
import pytest

from workers.training.datasets import Dataset, load


@pytest.mark.parametrize(
    ("name", "examples", "features", "classes"),
    [("digits", 1797, 64, 10), ("breast_cancer", 569, 30, 2), ("wine", 178, 13, 3), ("iris", 150, 4, 3)],
)
def test_each_data_set_is_whole(name: str, examples: int, features: int, classes: int) -> None:
    dataset = load(name)

    assert dataset.x_ND.shape == (examples, features)
    assert dataset.classes == classes
    assert set(dataset.y_N) == set(range(classes))


def test_an_unknown_data_set_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"'mnist'; there are digits, "):
        load("mnist")


def test_the_content_hash_is_that_of_the_values() -> None:
    dataset = load("iris")
    twin = Dataset(dataset.x_ND.copy(order="F"), dataset.y_N.astype(np.int32).astype(np.int64))
    changed = Dataset(dataset.x_ND.copy(), dataset.y_N)

    changed.x_ND[149, 3] = np.nextafter(changed.x_ND[149, 3], 10)

    assert twin.content_hash == dataset.content_hash
    assert changed.content_hash != dataset.content_hash
