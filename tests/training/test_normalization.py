import numpy as np
from sklearn.preprocessing import StandardScaler

from workers.training.datasets import load
from workers.training.normalization import Normalization


def test_features_are_scaled_as_scikit_learn_scales_them() -> None:
    x_ND = load("digits").x_ND
    train_ND, other_ND = x_ND[:1000], x_ND[1000:]

    normalization = Normalization.fit(train_ND)

    expected_ND = StandardScaler().fit(train_ND).transform(other_ND)
    np.testing.assert_allclose(normalization.apply(other_ND), expected_ND, rtol=1e-5, atol=1e-6)


def test_the_training_set_gets_mean_zero_and_variance_one() -> None:
    x_ND = load("breast_cancer").x_ND

    normalized_ND = Normalization.fit(x_ND).apply(x_ND).astype(np.float64)

    np.testing.assert_allclose(normalized_ND.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(normalized_ND.var(axis=0), 1, rtol=1e-5)


def test_a_constant_feature_keeps_its_scale() -> None:
    x_ND = np.full((1000, 1), 0.1)  # whose computed deviation is 1e-17, not 0

    normalization = Normalization.fit(x_ND)

    assert normalization.scale_D.tolist() == [1.0]
    np.testing.assert_allclose(normalization.apply(x_ND + 3), 3, rtol=1e-6)
