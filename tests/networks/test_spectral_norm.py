"""Spectral normalisation: what its kernels, vectors and gradients are."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.networks.spectral_norm import SpectralConv2D, advance_spectral_norms


def _random(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def _spectral(filters=6, kernel_size=3, channels=5, **kwargs):
    layer = SpectralConv2D(filters, kernel_size, seed=3, **kwargs)
    layer.build((None, None, None, channels))
    return layer


def _largest_singular_value(kernel):
    matrix = np.asarray(kernel).reshape(-1, kernel.shape[-1])
    return np.linalg.svd(matrix, compute_uv=False)[0]


def test_spectral_call_leaves_every_weight_untouched():
    layer = _spectral()
    before = [w.numpy() for w in layer.weights]
    for training in (True, False):
        layer(_random((2, 4, 4, 5)), training=training)
    for old, new in zip(before, layer.weights, strict=True):
        np.testing.assert_array_equal(old, new.numpy())


@pytest.mark.parametrize(("filters", "kernel_size"), [(6, 3), (12, 1), (1, 3)])
def test_spectral_kernel_reaches_largest_singular_value_one(filters, kernel_size):
    layer = _spectral(filters, kernel_size)
    for _ in range(200):
        layer.advance()
    kernel = layer.kernel.numpy()
    assert float(layer.sigma()) == pytest.approx(_largest_singular_value(kernel), rel=1e-3)
    assert _largest_singular_value(layer.normalised_kernel().numpy()) == pytest.approx(1, abs=1e-3)


def test_spectral_sigma_is_meaningful_from_the_start():
    layer = _spectral(16, 3, channels=48)
    true = _largest_singular_value(layer.kernel.numpy())
    assert 0.7 * true < float(layer.sigma()) <= true * 1.0001


def test_spectral_vectors_have_length_one_and_known_directions():
    layer = _spectral(2, 1, channels=2)
    # W = [[3, 0], [0, 1]] has the largest singular value 3 along the first axis.
    layer.kernel.assign(np.diag([3.0, 1.0]).reshape(1, 1, 2, 2))
    for _ in range(20):
        layer.advance()
    np.testing.assert_allclose(np.abs(layer.u.numpy()), [1, 0], atol=1e-6)
    np.testing.assert_allclose(np.abs(layer.v.numpy()), [1, 0], atol=1e-6)
    assert float(layer.sigma()) == pytest.approx(3)
    images = np.ones((1, 1, 1, 2), "float32")
    np.testing.assert_allclose(layer(images).numpy().ravel(), [1, 1 / 3], rtol=1e-6)


def test_spectral_gradient_is_that_of_w_over_sigma_with_fixed_vectors():
    layer = _spectral(4, 3, channels=3)
    images, weight = _random((2, 4, 4, 3)), _random((2, 4, 4, 4), 1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(images) * weight)
    gradient = tape.gradient(loss, layer.kernel.value).numpy()

    kernel, u, v = (w.numpy().astype("float64") for w in (layer.kernel, layer.u, layer.v))

    def reference(raw):
        sigma = u @ raw.reshape(-1, 4).T @ v
        return float(tf.reduce_sum(tf.nn.conv2d(images, raw / sigma, 1, "SAME") * weight))

    images, weight = images.astype("float64"), weight.astype("float64")
    step = 1e-6
    for index in itertools.product((0, 2), (1,), range(3), range(4)):
        up, down = kernel.copy(), kernel.copy()
        up[index] += step
        down[index] -= step
        difference = (reference(up) - reference(down)) / (2 * step)
        assert gradient[index] == pytest.approx(difference, rel=2e-3, abs=1e-2)


def test_spectral_gradient_is_at_right_angles_to_the_kernel():
    # W / sigma does not change when W grows, so the gradient has no part along W.
    layer = _spectral()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(_random((1, 4, 4, 5))) * _random((1, 4, 4, 6), 1))
    gradient, kernel = tape.gradient(loss, layer.kernel.value).numpy(), layer.kernel.numpy()
    cosine = np.sum(gradient * kernel) / np.linalg.norm(gradient) / np.linalg.norm(kernel)
    assert abs(cosine) < 1e-4


def test_spectral_vectors_are_not_trainable_and_survive_saving(tmp_path):
    model = keras.Sequential([keras.Input((4, 4, 5)), SpectralConv2D(6, 3, seed=3)])
    other = keras.Sequential([keras.Input((4, 4, 5)), SpectralConv2D(6, 3, seed=4)])
    assert {w.name for w in model.non_trainable_weights} == {"u", "v"}
    for _ in range(3):
        model.layers[0].advance()
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    for saved, loaded in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(saved.numpy(), loaded.numpy())


def test_spectral_zero_kernel_gives_zeros_and_recovers():
    layer = _spectral(use_bias=False)
    raw = layer.kernel.numpy()
    layer.kernel.assign(np.zeros_like(raw))
    layer.advance()
    np.testing.assert_array_equal(layer(_random((1, 4, 4, 5))).numpy(), 0)
    layer.kernel.assign(raw)
    layer.advance()
    assert float(layer.sigma()) > 0


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_spectral_computes_sigma_in_float32_under_mixed_precision(policy):
    half, full = _spectral(dtype=policy), _spectral()
    # Values whose squares vanish in float16: sigma would be 0 there.
    for layer in (half, full):
        layer.kernel.assign(full.kernel.numpy() * 1e-6)
        layer.advance()
    images = _random((2, 4, 4, 5))
    outputs = half(images)
    assert half.kernel.dtype == half.u.dtype == "float32"
    assert outputs.dtype == half.compute_dtype
    np.testing.assert_allclose(tf.cast(outputs, "float32"), full(images), atol=3e-2)


def test_advance_reaches_nested_layers_once():
    class Outer(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = keras.Sequential([keras.Input((4, 4, 2)), SpectralConv2D(3, 3)])

    outer, alone = Outer(), SpectralConv2D(3, 3)
    alone.build((None, None, None, 2))
    advance_spectral_norms(outer)
    alone.advance()
    np.testing.assert_array_equal(outer.inner.layers[0].u.numpy(), alone.u.numpy())


def test_advance_works_inside_a_tf_function():
    layer, eager = _spectral(), _spectral()
    tf.function(layer.advance)()
    eager.advance()
    np.testing.assert_allclose(layer.u.numpy(), eager.u.numpy(), atol=1e-6)
