import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trimtab.models.columns import Rows
from trimtab.models.preprocessing import Preprocessing

Y_N = np.array([0, 1, 0, 1])


def text(*values: str | None) -> NDArray[Any]:
    return np.array(values, dtype=object)


PETS = Rows(
    {
        "weight": np.array([3.0, 5.0, np.nan, 4.0]),
        "colour": text("red", "black", None, "red"),
        "age": np.array([1.0, 2.0, 3.0, 2.0]),
    }
)


def plain(rows: Rows = PETS) -> Preprocessing:
    return Preprocessing.fit(rows, Y_N, classes=("cat", "dog"), is_standard=False)


def test_numbers_categories_and_what_is_missing_become_features() -> None:
    fitted = plain()

    x_ND = fitted.apply(PETS)

    # weight, weight is missing, black, red, age
    assert x_ND.tolist() == [[3, 0, 0, 1, 1], [5, 0, 1, 0, 2], [4, 1, 0, 0, 3], [4, 0, 0, 1, 2]]
    assert (str(x_ND.dtype), fitted.inputs) == ("float32", (5,))


def test_what_the_training_set_does_not_have_is_no_feature() -> None:
    fitted = plain()
    strange = Rows({"weight": np.array([np.nan]), "colour": text("green"), "age": np.array([np.nan])})

    x_ND = fitted.apply(strange)

    # A missing weight is the mean of the training set and said to be missing; a missing age is the mean alone.
    assert x_ND.tolist() == [[4, 1, 0, 0, 2]]


@pytest.mark.parametrize("nothing", [np.full(4, np.nan), text(None, None, None, None)])
def test_a_column_that_no_training_row_has_a_value_in_is_no_feature(nothing: NDArray[Any]) -> None:
    fitted = plain(Rows({"since": nothing, "age": np.array([1.0, 2.0, 3.0, 2.0])}))

    # It may have values later: what weights met only their absence would make of them is chance.
    assert fitted.apply(Rows({"since": np.array([np.nan, 1020.0]), "age": np.array([1.0, 2.0])})).tolist() == [[1], [2]]


def test_a_training_set_without_any_value_teaches_nothing() -> None:
    with pytest.raises(ValueError, match="no column has a value in the training set"):
        plain(Rows({"weight": np.full(4, np.nan), "colour": text(None, None, None, None)}))


def test_every_feature_of_a_table_gets_mean_0_and_variance_1_by_the_training_set() -> None:
    chance = np.random.default_rng(0)
    rows = Rows({"a": chance.normal(5, 3, 500), "b": text(*chance.choice(["x", "y", "z"], 500).tolist())})
    others = Rows({"a": np.array([11.0]), "b": text("y")})

    fitted = Preprocessing.fit(rows, np.zeros(500, dtype=np.int64), classes=("a",))

    raw_ND = (
        replace(fitted, scales=Preprocessing.fit(rows, Y_N, classes=(), is_standard=False).scales)
        .apply(rows)
        .astype(np.float64)
    )
    assert [scale.mean for scale in fitted.scales] == pytest.approx(raw_ND.mean(axis=0), rel=1e-6)
    assert [scale.deviation for scale in fitted.scales] == pytest.approx(raw_ND.std(axis=0), rel=1e-6)
    expected = [(x - scale.mean) / scale.deviation for x, scale in zip((11, 0, 1, 0), fitted.scales, strict=True)]
    assert fitted.apply(others)[0].tolist() == pytest.approx(expected, rel=1e-6)


def test_a_constant_feature_keeps_its_scale() -> None:
    # The mean of many of these is not exactly 0.1, so the computed deviation is not exactly 0.
    rows = Rows({"same": np.full(1000, 0.1), "alike": text(*["red"] * 1000)})

    fitted = Preprocessing.fit(rows, np.zeros(1000, dtype=np.int64), classes=("a",))

    assert [scale.deviation for scale in fitted.scales] == [1, 1]
    np.testing.assert_allclose(fitted.apply(rows), 0, atol=1e-12)


def test_a_feature_whose_variance_is_too_small_for_a_number_keeps_its_scale() -> None:
    rows = Rows({"tiny": np.array([0.0, 1e-170, 2e-170, 3e-170])})

    fitted = Preprocessing.fit(rows, Y_N, classes=("cat", "dog"))

    assert fitted.scales[0].deviation == 1
    assert np.isfinite(fitted.apply(rows)).all()


def test_a_feature_of_an_image_is_its_channel() -> None:
    images_NCHW = np.random.default_rng(0).integers(0, 256, size=(2500, 3, 2, 3), dtype=np.uint8)
    images_NCHW[:, 1] = 7
    rows = Rows(images_NCHW=images_NCHW)

    fitted = Preprocessing.fit(rows, np.zeros(2500, dtype=np.int64), classes=("a",))

    assert fitted.inputs == (3, 2, 3)
    assert [scale.mean for scale in fitted.scales] == pytest.approx(images_NCHW.mean(axis=(0, 2, 3)))
    deviations = images_NCHW.std(axis=(0, 2, 3))
    assert [scale.deviation for scale in fitted.scales] == pytest.approx([deviations[0], 1, deviations[2]])
    x_NCHW = fitted.apply(rows)
    np.testing.assert_allclose(x_NCHW.mean(axis=(0, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(x_NCHW.std(axis=(0, 2, 3)), (1, 0, 1), atol=1e-6)


def test_many_rows_are_turned_as_one_alone_is(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = plain().apply(PETS)

    monkeypatch.setattr("trimtab.models.preprocessing._CHUNK_BYTES", 90)

    np.testing.assert_array_equal(plain().apply(PETS), whole)


def test_a_target_that_is_a_number_is_answered_in_its_own_unit() -> None:
    y_N = np.array([10.0, 20.0, 60.0, 30.0])
    fitted = Preprocessing.fit(PETS, y_N)

    standardised_N = fitted.standardised(y_N)

    np.testing.assert_allclose(standardised_N, (y_N - y_N.mean()) / y_N.std(), rtol=1e-6)
    np.testing.assert_allclose(fitted.numbers(standardised_N), y_N, rtol=1e-6)


@pytest.mark.parametrize("rows", [PETS, Rows(images_NCHW=np.arange(16, dtype=np.uint8).reshape(4, 1, 2, 2))])
def test_it_comes_back_from_json_and_gives_the_same_inputs(rows: Rows) -> None:
    fitted = Preprocessing.fit(rows, Y_N, classes=("cat", "dog"))

    again = Preprocessing.of(json.loads(json.dumps(fitted.plain())))

    assert again == fitted
    np.testing.assert_array_equal(again.apply(rows), fitted.apply(rows))
