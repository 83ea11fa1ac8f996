"""The kernel of random networks: known values, against random networks, and the S-CNN's limit."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.distances import kernels, scnn
from lorbms_tf.distances.kernels import RandomNetwork
from tests.distances.pictures import patches, photo


@pytest.mark.parametrize("depth, value", [(0, 0.0), (1, 0.3183), (2, 0.4937), (3, 0.6048)])
def test_orthogonal_vectors_have_the_known_kernels(depth, value):
    np.testing.assert_allclose(kernels.arc_cosine(np.float32(0), depth), value, atol=5e-5)


def test_equal_vectors_have_the_kernel_one_and_opposite_ones_less():
    cosines = np.array([1.0, -1.0], np.float32)
    equal, opposite = np.asarray(kernels.arc_cosine(cosines, 4))
    assert abs(equal - 1) < 1e-5
    assert abs(np.asarray(kernels.arc_cosine(cosines, 1))[1]) < 1e-5
    assert 0 < opposite < 0.7


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_wide_random_networks_have_the_kernel(depth):
    random = np.random.default_rng(depth)
    vectors = random.normal(size=(6, 27))
    maps = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for _ in range(depth):
        weights = random.normal(scale=(2 / maps.shape[1]) ** 0.5, size=(maps.shape[1], 4096))
        maps = np.maximum(maps @ weights, 0)
    units = maps / np.linalg.norm(maps, axis=1, keepdims=True)
    ours = kernels.nngp(vectors.astype(np.float32), vectors.astype(np.float32), depth)
    # At a width of 4096 the largest error of a cosine was 0.014 in several draws.
    np.testing.assert_allclose(ours, units @ units.T, atol=0.05)


def test_the_length_of_a_vector_does_not_count_and_zero_is_nothing():
    first = np.array([[3.0, 0.0], [0.0, 0.0]], np.float32)
    second = np.array([[0.1, 0.0], [0.0, 7.0]], np.float32)
    found = np.asarray(kernels.nngp(first, second, 1))
    np.testing.assert_allclose(found, [[1, 0.3183], [0, 0]], atol=1e-4)


def test_the_distance_is_that_of_all_pairs_of_patches():
    network = RandomNetwork(depth=2, window=8, stride=8)
    first, second = photo(0, 8), photo(1, 8)
    of = [patches(p[0]).reshape(64, -1) for p in (first, second)]
    units = [p / np.linalg.norm(p, axis=1, keepdims=True) for p in of]

    def kernel(a, b):
        cosines = np.clip(a @ b.T, -1, 1)
        for _ in range(2):
            angle = np.arccos(cosines)
            cosines = (np.sin(angle) + (np.pi - angle) * cosines) / np.pi
        return cosines.mean()

    expected = kernel(units[0], units[0]) + kernel(units[1], units[1]) - 2 * kernel(*units)
    np.testing.assert_allclose(kernels.distance(first, second, network), [expected], atol=2e-5)
    np.testing.assert_allclose(kernels.distance(first, first, network), [0], atol=1e-6)


def test_the_random_scnn_comes_near_the_kernel():
    first, second = photo(2, 16), photo(3, 16)
    sizes = {"patch": 3, "window": 16, "stride": 8}
    limit = float(kernels.distance(first, second, RandomNetwork(depth=3, **sizes))[0])
    draws = [
        float(scnn.distance(first, second, seed, scnn.SCNN(width=1024, layers=2, **sizes))[0])
        for seed in range(6)
    ]
    assert abs(np.mean(draws) / limit - 1) < 0.2
    assert float(scnn.distance(first, first, 0, scnn.SCNN(width=8, layers=1, **sizes))[0]) == 0


@pytest.mark.parametrize("flat", [False, True])
def test_gradients_are_finite_also_at_equal_and_at_black_pictures(flat):
    target = np.zeros((1, 16, 16, 3), np.float32) if flat else photo(4, 16)
    images = tf.Variable(target)
    network = RandomNetwork(window=16)
    with tf.GradientTape(persistent=True) as tape:
        limit = tf.reduce_sum(kernels.distance(images, target, network))
        drawn = tf.reduce_sum(
            scnn.distance(images, target, 0, scnn.SCNN(width=16, layers=2, window=16))
        )
    for loss in (limit, drawn):
        assert np.isfinite(tape.gradient(loss, images).numpy()).all()


def test_wrong_settings_are_named():
    with pytest.raises(ValueError, match="0 or more"):
        kernels.arc_cosine(np.float32(0), -1)
    with pytest.raises(ValueError, match="Windows of 32 px"):
        kernels.distance(photo(0, 16), photo(1, 16))
    with pytest.raises(ValueError, match="do not compare"):
        scnn.distance(photo(0, 16), photo(1, 32), 0)
