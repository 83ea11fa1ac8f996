import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.latent_paths.energy import PathMetric, pixels
from lorbms_tf.latent_paths.equalise import WAYS, equalised_neighbours

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


def test_values_go_from_one_ends_to_the_others():
    pictures = path(*RNG.normal(0.3, 0.4, (5, 8, 8, 3)))
    first, second = (np.asarray(part) for part in equalised_neighbours(pictures))
    ends = pictures[0, [0, -1]].mean(axis=(1, 2)), pictures[0, [0, -1]].std(axis=(1, 2))
    for i, place in enumerate([0.125, 0.375, 0.625, 0.875]):
        for part in (first[0, i], second[0, i]):
            for value, (start, end) in zip(
                (part.mean(axis=(0, 1)), part.std(axis=(0, 1))), ends, strict=True
            ):
                np.testing.assert_allclose(value, start + place * (end - start), rtol=1e-4)


def test_luma_keeps_the_colours():
    pictures = path(PICTURE, PICTURE[..., ::-1])
    first, _ = equalised_neighbours(pictures, "luma")
    first = np.asarray(first)[0, 0]
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
        equalised_neighbours(path(PICTURE, PICTURE), "both")
