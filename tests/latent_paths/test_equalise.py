import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.latent_paths.energy import PathMetric, pixels
from lorbms_tf.latent_paths.equalise import WAYS, equalised

RNG = np.random.default_rng(0)
PICTURE = RNG.uniform(-0.5, 0.5, (6, 5, 3)).astype(np.float32)


def path(*pictures):
    return np.stack(pictures)[None].astype(np.float32)


@pytest.mark.parametrize("way", ["channels", "luma"])
def test_light_alone_has_no_length(way):
    pictures = path(*(PICTURE * (1 + 0.2 * i) + 0.1 * i for i in range(5)))
    metric = PathMetric(pixels, way)
    np.testing.assert_allclose(metric.steps(pictures), np.zeros((1, 4)), atol=1e-10)
    assert np.asarray(PathMetric(pixels).steps(pictures)).min() > 1e-3


def ends_of(pictures):
    return pictures[:, [0, -1]]


def test_all_pictures_get_the_mean_of_both_ends():
    pictures = path(*RNG.normal(0.3, 0.4, (5, 8, 8, 3)))
    even = np.asarray(equalised(pictures, ends_of(pictures)))
    mean = ends_of(pictures).mean(axis=(2, 3)).mean(axis=1)
    deviation = ends_of(pictures).std(axis=(2, 3)).mean(axis=1)
    np.testing.assert_allclose(even.mean(axis=(2, 3))[0], np.repeat(mean, 5, 0), rtol=1e-4)
    np.testing.assert_allclose(even.std(axis=(2, 3))[0], np.repeat(deviation, 5, 0), rtol=1e-4)


def test_luma_keeps_the_colours():
    pictures = path(PICTURE, PICTURE[..., ::-1])
    first = np.asarray(equalised(pictures, ends_of(pictures), "luma"))[0, 0]
    slope = (first[0, 0, 0] - first[0, 0, 1]) / (PICTURE[0, 0, 0] - PICTURE[0, 0, 1])
    np.testing.assert_allclose(first - first.mean(), slope * (PICTURE - PICTURE.mean()), atol=1e-5)


@pytest.mark.parametrize("way", WAYS)
def test_gradients_are_finite_also_of_one_colour(way):
    pictures = tf.constant(path(np.zeros((4, 4, 3)), PICTURE[:4, :4], np.ones((4, 4, 3))))
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        energy = PathMetric(pixels, way).energies(pictures)
    gradient = tape.gradient(energy, pictures)
    assert np.isfinite(energy).all() and np.isfinite(gradient).all() and np.any(gradient)


def test_the_gradient_goes_through_mean_and_deviation():
    """A picture made lighter as a whole changes nothing, so neither does its gradient's sum."""
    pictures = tf.constant(path(PICTURE, RNG.uniform(-1, 1, PICTURE.shape), PICTURE[::-1]))
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        energy = PathMetric(pixels, "channels").energies(pictures)
    inner = tape.gradient(energy, pictures)[0, 1].numpy()
    np.testing.assert_allclose(inner.sum(axis=(0, 1)), 0, atol=1e-6)


def test_another_way_is_refused():
    with pytest.raises(ValueError, match="none, channels, luma"):
        equalised(path(PICTURE, PICTURE), path(PICTURE, PICTURE), "both")
