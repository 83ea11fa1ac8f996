"""The kernel of random networks: known values, against random networks, and the S-CNN's limit."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.distances import kernels, scnn, windows
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


def test_the_error_of_random_scnns_falls_with_their_width():
    first, second = photo(5, 16), photo(6, 16)
    sizes = {"patch": 3, "window": 16, "stride": 8}
    limit = float(kernels.distance(first, second, RandomNetwork(depth=2, **sizes))[0])

    def error(width: int, draws: int) -> float:
        """The root of the mean squared error, as a share of the limit."""
        network = scnn.SCNN(width=width, layers=1, **sizes)
        found = [float(scnn.distance(first, second, seed, network)[0]) for seed in range(draws)]
        return np.sqrt(np.mean(np.square(np.array(found) / limit - 1)))

    narrow, middle, wide = error(256, 16), error(1024, 8), error(4096, 3)
    assert wide < middle < narrow and wide < 0.1


def test_both_sides_of_the_theorem_are_equal():
    """Pooled maps differ by the MMD, of the kernel that is the inner product of the maps."""
    random = np.random.default_rng(0)
    weights = random.normal(size=(27, 40))
    maps = [np.maximum(patches(photo(seed, 16)[0]) @ weights, 0)[None] for seed in (7, 8)]
    pooled = [np.asarray(windows.pooled(one.astype(np.float32), 8, 4)) for one in maps]
    left = np.square(pooled[0] - pooled[1]).sum(axis=-1).mean()
    sets = [windows.sets(one.astype(np.float32), 8, 4) for one in maps]
    right = windows.mmd_of_sets(*sets, lambda a, b: a @ tf.transpose(b))
    np.testing.assert_allclose(np.mean(right), left, rtol=1e-4)


@pytest.mark.parametrize(
    "height, width, window, stride", [(20, 27, 8, 4), (9, 8, 4, 4), (9, 9, 5, 2)]
)
def test_pooled_windows_are_means(height, width, window, stride):
    maps = np.random.default_rng(1).normal(size=(2, height, width, 3)).astype(np.float32)
    found = np.asarray(windows.pooled(maps, window, stride))
    expected = [
        [maps[:, y : y + window, x : x + window].mean(axis=(1, 2)) for x in columns]
        for columns in [range(0, width - window + 1, stride)]
        for y in range(0, height - window + 1, stride)
    ]
    np.testing.assert_allclose(found, np.array(expected).transpose(2, 0, 1, 3), atol=1e-6)


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
