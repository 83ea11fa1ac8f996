import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from lorbms_tf.latent.slerp import AntipodalCodes
from lorbms_tf.latent_paths import geodesic, lengths
from lorbms_tf.latent_paths.energy import PathMetric, pixels
from lorbms_tf.latent_paths.geodesic import NotFinite, Search
from lorbms_tf.latent_paths.slope import energies_and_gradient
from tests import tiny


def length(images, others):
    """The squared distance of points, as `pixels` without the mean."""
    return ops.sum(ops.square(images - others), axis=(1, 2, 3))


METRIC = PathMetric(length)


@pytest.fixture
def float64():
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


def chart(codes):
    """Latitude and longitude -> points of the unit sphere, as pictures [M, 1, 3, 1]."""
    theta, phi = codes[:, 0], codes[:, 1]
    parts = [ops.sin(theta) * ops.cos(phi), ops.sin(theta) * ops.sin(phi), ops.cos(theta)]
    return ops.reshape(ops.stack(parts, axis=-1), (-1, 1, 3, 1))


def flat(codes):
    """A linear generator."""
    matrix = np.random.default_rng(0).normal(size=(codes.shape[-1], 12))
    return ops.reshape(ops.matmul(codes, ops.convert_to_tensor(matrix, codes.dtype)), (-1, 2, 2, 3))


def path_lengths(decode, codes, metric=METRIC):
    return lengths.steps(metric, lengths.decoded(decode, codes)).sum(axis=1)


START, END = np.array([[0.6, 0.0]]), np.array([[0.7, 2.4]])
SEARCH = Search(segments=64, steps=1800, rate=0.1, tolerance=0.0)


def test_on_a_sphere_the_path_is_the_great_circle(float64):
    found = geodesic.shortest(chart, METRIC, START, END, SEARCH)
    cosine = math.cos(0.6) * math.cos(0.7) + math.sin(0.6) * math.sin(0.7) * math.cos(2.4)
    angle = math.acos(cosine)
    assert angle == pytest.approx(1.199287, abs=1e-6)
    expected = 2 * 64 * math.sin(angle / 2 / 64)  # of 64 equal chords
    assert path_lengths(chart, found.codes)[0] == pytest.approx(expected, abs=1e-6)
    steps = lengths.steps(METRIC, lengths.decoded(chart, found.codes))
    np.testing.assert_allclose(steps, expected / 64, rtol=1e-3)
    straight = np.linspace(START, END, 65, axis=1)
    assert path_lengths(chart, straight)[0] == pytest.approx(1.455, abs=1e-3)
    assert found.energies[64][0] == pytest.approx(expected**2, rel=1e-6)
    np.testing.assert_array_equal(found.codes[:, [0, -1]], np.stack([START, END], 1))


def test_a_linear_generator_has_straight_paths(float64):
    rng = np.random.default_rng(1)
    starts, ends = rng.normal(size=(2, 3, 4))
    found = geodesic.shortest(flat, METRIC, starts, ends, Search(segments=8, steps=50))
    np.testing.assert_allclose(found.codes, np.linspace(starts, ends, 9, axis=1), atol=1e-3)


def test_subdivision_never_raises_the_energy():
    rng = np.random.default_rng(2)
    codes = rng.uniform(0.3, 1.2, (3, 5, 2)).astype(np.float32)
    # On a chart a segment's middle may lie off the chord; in a linear picture it never does.
    before = np.asarray(METRIC.energies(lengths.decoded(flat, codes)))
    after = METRIC.energies(lengths.decoded(flat, geodesic.subdivided(codes, sphere=False)))
    np.testing.assert_allclose(after, before, rtol=1e-5)
    energies = geodesic.shortest(
        chart, METRIC, START, END, Search(segments=16, steps=100, rate=0.1)
    ).energies
    assert list(energies) == [2, 4, 8, 16]


def test_ends_that_are_the_same_stay_one_point():
    found = geodesic.shortest(chart, METRIC, START, START, Search(segments=4, steps=20))
    np.testing.assert_allclose(found.codes, np.repeat(START[:, None], 5, 1), atol=1e-6)
    assert found.energies[4] == pytest.approx(0.0, abs=1e-9)


def test_paths_on_the_sphere_of_codes_stay_on_it():
    rng = np.random.default_rng(3)
    starts, ends = rng.normal(size=(2, 4, 5))
    starts /= np.linalg.norm(starts, axis=1, keepdims=True)
    ends /= np.linalg.norm(ends, axis=1, keepdims=True)
    found = geodesic.shortest(flat, METRIC, starts, ends, Search(segments=8, sphere=True, steps=20))
    np.testing.assert_allclose(np.linalg.norm(found.codes, axis=2), 1, atol=1e-5)
    with pytest.raises(AntipodalCodes, match="exactly opposite"):
        geodesic.shortest(flat, METRIC, starts, -starts, Search(segments=2, sphere=True))


def test_pairs_do_not_disturb_each_other(float64):
    search = Search(segments=8, steps=60, rate=0.1)
    starts, ends = np.concatenate([START, [[0.2, 0.1]]]), np.concatenate([END, [[1.0, 0.5]]])
    both = geodesic.shortest(chart, METRIC, starts, ends, search).codes
    alone = geodesic.shortest(chart, METRIC, START, END, search).codes
    np.testing.assert_allclose(both[:1], alone, rtol=1e-9)


def test_what_is_not_a_number_is_named():
    def broken(images, others):
        return ops.sum(images - others, axis=(1, 2, 3)) * np.nan

    with pytest.raises(NotFinite, match="not a number on path 0"):
        geodesic.shortest(chart, PathMetric(broken), START, END, Search(segments=2))


def test_the_gradient_is_that_of_the_energy_and_each_picture_is_looked_at_once():
    looked_at = []

    def features(pictures):
        if tf.executing_eagerly():  # not while it is traced
            looked_at.append(len(pictures))
        return {"a": ops.sin(2 * pictures), "b": ops.square(pictures[:, :, :1])}

    def squared(first, second):
        return length(first["a"], second["a"]) + 3 * length(first["b"], second["b"])

    metric = PathMetric(squared, "channels", features)
    codes = tf.constant(np.random.default_rng(4).uniform(0.3, 1.2, (2, 5, 3)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(codes)
        pictures = tf.reshape(flat(tf.reshape(codes, (-1, 3))), (2, 5, 2, 2, 3))
        expected = metric.energies(pictures)
    gradient = tape.gradient(expected, codes)
    with tiny.eagerly():
        values = energies_and_gradient(flat, metric, *codes.numpy()[:, [0, -1]].swapaxes(0, 1))
        looked_at.clear()
        energies, slope = values(codes.numpy())
    assert looked_at == [3, 3]  # the inner points of two paths; the ends are known
    np.testing.assert_allclose(energies, expected, rtol=1e-5)
    np.testing.assert_allclose(slope[:, 1:-1], gradient[:, 1:-1], rtol=1e-3, atol=1e-4)
    assert not slope[:, [0, -1]].any()  # the ends never move


@pytest.mark.parametrize("at", [(4, 3), (2, 0)])
def test_ctrl_c_keeps_the_best_so_far(at):
    def stop(segments, step):
        if (segments, step) == at:
            raise KeyboardInterrupt

    search = Search(segments=8, rate=0.1)
    found = geodesic.shortest(chart, METRIC, START, END, search, told=stop)
    assert not found.whole and found.codes.shape == (1, at[0] + 1, 2)
    assert list(found.energies) == ([2] if at[0] == 4 else [])
    np.testing.assert_array_equal(found.codes[:, [0, -1]], np.float32(np.stack([START, END], 1)))


def test_what_is_not_free_stays():
    starts = np.array([[0.3, 1.0, -2.0]], np.float32)
    ends = np.array([[0.3, -1.0, 2.0]], np.float32)
    free = np.array([False, True, True])
    found = geodesic.shortest(flat, METRIC, starts, ends, Search(segments=8, steps=30), free)
    np.testing.assert_array_equal(found.codes[..., 0], np.full((1, 9), 0.3, np.float32))


@pytest.mark.parametrize("segments", [0, 1, 3, 12])
def test_segments_are_a_power_of_two(segments):
    with pytest.raises(ValueError, match="power of two"):
        geodesic.shortest(chart, METRIC, START, END, Search(segments=segments))


def test_equal_steps_and_walks():
    codes = np.array([[[0.0, 0], [1, 0], [1, 3]]], np.float32)
    made = lengths.resampled(codes, np.array([[1.0, 3.0]]), 5, sphere=False)
    np.testing.assert_allclose(made[0], [[0, 0], [1, 0], [1, 1], [1, 2], [1, 3]], atol=1e-6)
    assert lengths.largest_over_mean(np.array([[1.0, 3.0], [0, 0]])).tolist() == [1.5, 1.0]
    assert lengths.variation(np.array([[2.0, 2.0], [0, 0]])).tolist() == [0.0, 0.0]
    still = lengths.resampled(codes, np.zeros((1, 2)), 3, sphere=False)
    np.testing.assert_allclose(still, codes)
    starts, ends = lengths.walk(np.arange(6.0).reshape(3, 2), closed=True)
    np.testing.assert_array_equal(ends, [[2, 3], [4, 5], [0, 1]])
    assert len(lengths.walk(np.arange(6.0).reshape(3, 2))[0]) == 2


def test_an_even_path_of_a_bent_generator():
    codes = np.linspace([0.1, 0.0], [1.4, 0.0], 9, axis=0)[None] ** 2
    made = lengths.even(chart, METRIC, codes.astype(np.float32), 9, sphere=False, rounds=3)
    steps = lengths.steps(METRIC, lengths.decoded(chart, made))
    assert (
        lengths.variation(steps)[0]
        < 0.01
        < lengths.variation(lengths.steps(METRIC, lengths.decoded(chart, codes.astype(np.float32))))
    )


def test_pixels_are_the_mean_square():
    images = np.ones((2, 2, 2, 3), np.float32)
    np.testing.assert_allclose(pixels(images, -images), [4, 4])
