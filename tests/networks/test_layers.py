"""Instance norm and grouped convolution, against NumPy, Keras and differences."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.networks import layers


def _random(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


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
