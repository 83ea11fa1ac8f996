"""The normal distributions of a VAE: closed forms by hand, and against numbers that are drawn."""

import numpy as np
import pytest

from lorbms_tf.latent import normal


def test_divergence_to_the_standard_normal_by_hand():
    statistics = np.array([[0, 0, 0, 0], [1, 0, 0, np.log(4)]], np.float32)
    expected = [0.0, 0.5 * (1 + 4 - 1 - np.log(4))]
    np.testing.assert_allclose(normal.divergences(statistics), expected, rtol=1e-5)
    noise = np.array([[1, 2], [1, 2]], np.float32)
    np.testing.assert_allclose(normal.draws(statistics, noise), [[1, 2], [2, 4]], rtol=1e-5)
    np.testing.assert_allclose(normal.mean(statistics), [[0, 0], [1, 0]])


def test_the_divergence_is_the_mean_difference_of_log_densities():
    centre, deviation = 0.7, 1.6
    statistics = np.array([[centre, 2 * np.log(deviation)]], np.float32)
    drawn = centre + deviation * np.random.default_rng(0).standard_normal(400_000)
    own = -0.5 * ((drawn - centre) / deviation) ** 2 - np.log(deviation)
    mean = np.mean(own + 0.5 * drawn**2)
    assert float(normal.divergences(statistics)[0]) == pytest.approx(mean, abs=0.02)
