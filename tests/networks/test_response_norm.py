import numpy as np

from lorbms_tf.networks.response_norm import response_normalised


def test_response_normalisation_is_krizhevskys():
    maps = np.random.default_rng(0).normal(0, 90, (2, 3, 3, 7)).astype("float32")
    wanted = np.empty_like(maps)
    for channel in range(7):
        around = maps[..., max(0, channel - 2) : channel + 3].astype("float64")
        scale = (1 + 1e-4 / 5 * np.sum(around**2, axis=-1)) ** 0.75
        wanted[..., channel] = maps[..., channel] / scale
    np.testing.assert_allclose(response_normalised(maps), wanted, rtol=1e-5)
    assert np.abs(wanted - maps).max() > 1
