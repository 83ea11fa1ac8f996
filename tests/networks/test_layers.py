"""Spectral norm, instance norm and grouped convolution, against NumPy, Keras and differences."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.networks import layers


def _random(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def _spectral(filters=6, kernel_size=3, channels=5, **kwargs):
    layer = layers.SpectralConv2D(filters, kernel_size, seed=3, **kwargs)
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
    model = keras.Sequential([keras.Input((4, 4, 5)), layers.SpectralConv2D(6, 3, seed=3)])
    other = keras.Sequential([keras.Input((4, 4, 5)), layers.SpectralConv2D(6, 3, seed=4)])
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
            self.inner = keras.Sequential([keras.Input((4, 4, 2)), layers.SpectralConv2D(3, 3)])

    outer, alone = Outer(), layers.SpectralConv2D(3, 3)
    alone.build((None, None, None, 2))
    layers.advance_spectral_norms(outer)
    alone.advance()
    np.testing.assert_array_equal(outer.inner.layers[0].u.numpy(), alone.u.numpy())


def test_advance_works_inside_a_tf_function():
    layer, eager = _spectral(), _spectral()
    tf.function(layer.advance)()
    eager.advance()
    np.testing.assert_allclose(layer.u.numpy(), eager.u.numpy(), atol=1e-6)


def test_instance_norm_equals_group_norm_with_a_group_a_channel():
    maps = _random((3, 5, 4, 6)) * 3 + 7
    reference = keras.layers.GroupNormalization(groups=-1, center=False, scale=False, epsilon=1e-5)
    ours = layers.InstanceNormalization()(maps)
    np.testing.assert_allclose(ours, reference(maps), atol=1e-5)


def test_instance_norm_keeps_small_signals():
    maps = _random((1, 16, 16, 2)) * 0.02
    assert np.std(layers.InstanceNormalization()(maps)) == pytest.approx(0.988, abs=5e-3)


@pytest.mark.parametrize("maps", [np.full((2, 4, 4, 3), 0.7), np.full((2, 1, 1, 3), -9.3)])
def test_instance_norm_of_constant_maps_is_zero_with_finite_gradient(maps):
    maps = tf.constant(maps, "float32")
    with tf.GradientTape() as tape:
        tape.watch(maps)
        outputs = layers.InstanceNormalization()(maps)
        loss = tf.reduce_sum(outputs * outputs + outputs)
    np.testing.assert_allclose(outputs, 0, atol=1e-4)
    assert np.all(np.isfinite(tape.gradient(loss, maps)))


def test_instance_norm_computes_in_float32_under_mixed_precision():
    maps = (_random((1, 8, 8, 2)) * 0.02).astype("float16")
    outputs = layers.InstanceNormalization(dtype="mixed_float16")(maps)
    assert outputs.dtype == "float16"
    expected = layers.InstanceNormalization()(maps.astype("float32"))
    np.testing.assert_allclose(outputs, expected, atol=2e-3)


def test_coordinates_run_from_minus_one_to_one():
    images = np.zeros((2, 2, 3, 1), "float32")
    outputs = layers.AppendCoordinates()(images).numpy()
    assert outputs.shape == (2, 2, 3, 3)
    np.testing.assert_allclose(outputs[1, :, :, 1], [[-1, 0, 1], [-1, 0, 1]])
    np.testing.assert_allclose(outputs[1, :, :, 2], [[-1, -1, -1], [1, 1, 1]])


def test_grouped_convolution_equals_two_separate_ones_and_has_a_gradient():
    layer = layers.GroupedConv2D(8, 3, 2, seed=1)
    images = tf.constant(_random((2, 5, 5, 6)))
    layer.build(images.shape)
    assert layer.kernel.shape == (3, 3, 3, 8)

    @tf.function
    def gradient(images):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(layer(images)))
        return tape.gradient(loss, layer.kernel.value)

    kernel = layer.kernel.numpy()
    halves = [
        tf.nn.conv2d(images[..., 3 * g : 3 * g + 3], kernel[..., 4 * g : 4 * g + 4], 1, "SAME")
        for g in (0, 1)
    ]
    np.testing.assert_allclose(layer(images), tf.concat(halves, -1), atol=1e-5)
    assert np.linalg.norm(gradient(images)) > 0


def test_grouped_convolution_rejects_channels_that_do_not_divide():
    with pytest.raises(ValueError, match="7 filters"):
        layers.GroupedConv2D(7, 3, 2)
    with pytest.raises(ValueError, match="5 channels"):
        layers.GroupedConv2D(8, 3, 2).build((None, 4, 4, 5))


def test_layer_seeds_differ_and_repeat():
    first = list(itertools.islice(layers.layer_seeds("encoder", 5), 50))
    again = list(itertools.islice(layers.layer_seeds("encoder", 5), 50))
    others = list(itertools.islice(layers.layer_seeds("decoder", 5), 50))
    others += list(itertools.islice(layers.layer_seeds("encoder", 6), 50))
    assert first == again
    assert len(set(first + others)) == 150
    with pytest.raises(ValueError, match="-1"):
        next(layers.layer_seeds("encoder", -1))
