"""Self-attention: nothing at first, one count by hand, places are a set, and known weights."""

import numpy as np
import pytest

from lorbms_tf.networks.attention import SelfAttention


def _maps(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def _layer(width, gamma):
    layer = SelfAttention(seed=3)
    layer.build((None, None, None, width))
    layer.gamma.assign(gamma)
    return layer


def test_a_new_layer_is_the_identity():
    layer = SelfAttention()
    maps = _maps(2, 4, 3, 8)
    np.testing.assert_array_equal(layer(maps), maps)
    assert float(layer.gamma) == 0.0


@pytest.mark.parametrize("width, count", [(16, 341), (4, 31)])
def test_parameters_by_hand(width, count):
    # 16: two times 16 * 2 + 2, once 16 * 16 + 16, and gamma. 4: two times 4 + 1, 16 + 4, gamma.
    layer = _layer(width, 0.0)
    assert sum(int(np.prod(v.shape)) for v in layer.trainable_variables) == count


def test_places_change_with_their_order_alone():
    layer, maps = _layer(8, 0.7), _maps(1, 3, 4, 8)
    order = np.random.default_rng(1).permutation(12)

    def reordered(values):
        return np.asarray(values).reshape(1, 12, 8)[:, order].reshape(1, 3, 4, 8)

    np.testing.assert_allclose(layer(reordered(maps)), reordered(layer(maps)), atol=1e-5)


def test_without_queries_every_place_draws_the_mean_value():
    layer, maps = _layer(8, 2.0), _maps(2, 2, 2, 8)
    layer.query.kernel.assign(np.zeros((1, 1, 8, 1)))
    np.testing.assert_allclose(layer.weights_of_places(maps), np.full((2, 4, 4), 0.25), atol=1e-6)
    mean = np.asarray(layer.value(maps)).mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(layer(maps), maps + 2.0 * mean, atol=1e-5)
