import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.probing import knn

TRAIN = np.array([[5.0, 0.0], [0.1, 0.01], [0.0, 1.0], [-1.0, 0.0]], np.float32)


def test_the_nearest_by_angle_vote_with_their_weights():
    labels = np.array([2, 0, 1, 1])
    test = np.array([[3.0, 0.0], [0.0, 0.2]], np.float32)
    nearest = knn.scores(TRAIN, labels, test, k=1, temperature=0.07, classes=3)
    np.testing.assert_array_equal(nearest, [[0, 0, 1], [0, 1, 0]])
    both = knn.scores(TRAIN, labels, test[:1], k=2, temperature=0.5, classes=3)[0]
    cosine = 0.1 / np.hypot(0.1, 0.01)
    assert both[0] / both[2] == pytest.approx(np.exp((cosine - 1) / 0.5), rel=1e-5)
    assert both.sum() == pytest.approx(1)


def test_brute_force_agrees_also_at_temperatures_that_would_overflow():
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(30, 4)).astype("f"), rng.normal(size=(7, 4)).astype("f")
    labels = rng.integers(0, 3, 30)
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (train, test)]
    cosines = unit[1] @ unit[0].T
    for temperature in (1.0, 1e-4):
        made = knn.scores(train, labels, test, 5, temperature, 3)
        for row, found in zip(cosines, made, strict=True):
            near = np.argsort(-row)[:5]
            weights = np.exp((row[near] - row.max()) / temperature)
            expected = np.bincount(labels[near], weights, 3) / weights.sum()
            np.testing.assert_allclose(found, expected, atol=1e-3 if temperature < 1 else 1e-5)


def test_several_classes_and_unknown_ones():
    labels = np.array([[1, 1], [0, -1], [0, 1], [1, 0]], np.int8)
    made = knn.scores(TRAIN, labels, TRAIN[:1], k=2, temperature=1e6, classes=2)
    np.testing.assert_allclose(made, [[0.5, 0.5]], atol=1e-6)


def test_too_many_neighbours():
    with pytest.raises(UserError, match="--k=5 is more .*: 4"):
        knn.scores(TRAIN, np.zeros(4, int), TRAIN, 5, 1.0, 2)


@pytest.mark.parametrize("scale", [1e20, 1e38, 1e-30])
def test_the_scale_of_features_means_nothing(scale):
    labels, test = np.array([2, 0, 1, 1]), np.array([[3.0, 0.0], [0.0, 0.2]], np.float32)
    expected = knn.scores(TRAIN, labels, test, 2, 0.5, 3)
    scaled = [(features * np.float32(scale / 5)).astype(np.float32) for features in (TRAIN, test)]
    np.testing.assert_allclose(knn.scores(scaled[0], labels, scaled[1], 2, 0.5, 3), expected, 1e-5)


def test_features_that_are_not_finite():
    broken = TRAIN.copy()
    broken[1, 0] = np.nan
    with pytest.raises(UserError, match="1 of 4 features of images learned from are not finite"):
        knn.scores(broken, np.zeros(4, int), TRAIN, 1, 1.0, 2)
    with pytest.raises(UserError, match="1 of 4 features of images tested are not finite"):
        knn.scores(TRAIN, np.zeros(4, int), broken, 1, 1.0, 2)
