"""The cheaper forms equal the plain ones: outputs and gradients."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.networks import Decoder, Encoder, rewrites


def _random(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


def _outputs_and_gradients(function, inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(*inputs)
        weight = _random(*outputs.shape, seed=9)
        loss = tf.reduce_sum(outputs * weight)
    return [outputs, *tape.gradient(loss, inputs)]


def _assert_close(ours, plain):
    for one, other in zip(ours, plain, strict=True):
        scale = float(tf.reduce_max(tf.abs(other)))
        np.testing.assert_allclose(one, other, atol=1e-5 * max(scale, 1.0))


def _plain_upsampled_conv(maps, kernel):
    doubled = tf.repeat(tf.repeat(maps, 2, axis=1), 2, axis=2)
    return tf.nn.conv2d(doubled, kernel, 1, "SAME")


@pytest.mark.parametrize("sides", [(1, 1), (2, 2), (3, 5)])
def test_upsampled_conv_equals_upsampling_then_convolution(sides):
    inputs = [_random(2, *sides, 4), _random(3, 3, 4, 5, seed=1)]
    ours = _outputs_and_gradients(rewrites.upsampled_conv, inputs)
    assert ours[0].shape == (2, 2 * sides[0], 2 * sides[1], 5)
    _assert_close(ours, _outputs_and_gradients(_plain_upsampled_conv, inputs))


def test_upsampled_conv_of_one_pixel_is_known_by_hand():
    # One pixel of 1 repeated to 2x2: each result pixel adds up the kernel entries that hit it.
    kernel = tf.reshape(tf.range(9.0), (3, 3, 1, 1))
    made = rewrites.upsampled_conv(tf.ones((1, 1, 1, 1)), kernel)[0, :, :, 0]
    np.testing.assert_allclose(made, [[4 + 5 + 7 + 8, 3 + 4 + 6 + 7], [1 + 2 + 4 + 5, 8]])


@pytest.mark.parametrize("layers", [1, 3])
def test_dense_block_equals_the_growing_stack(layers):
    growth, width = 2, 5
    kernels = [_random(3, 3, width + growth * i, growth, seed=i + 1) for i in range(layers)]
    biases = [_random(growth, seed=i + 20) for i in range(layers)]

    def plain(maps, *weights):
        stack, outputs = maps, []
        for kernel, bias in zip(weights[:layers], weights[layers:], strict=True):
            outputs.append(tf.nn.conv2d(stack, kernel, 1, "SAME") + bias)
            stack = tf.concat([stack, tf.nn.relu(outputs[-1])], -1)
        return tf.concat([*outputs, stack[..., width:]], -1)

    def ours(maps, *weights):
        new, active = rewrites.dense_block(maps, weights[:layers], weights[layers:], tf.nn.relu)
        return tf.concat([*new, *active], -1)

    inputs = [_random(2, 4, 3, width), *kernels, *biases]
    _assert_close(_outputs_and_gradients(ours, inputs), _outputs_and_gradients(plain, inputs))


@pytest.mark.parametrize(
    "shape, dtype, up, split",
    [
        ((None, 4, 4, 3), "float32", False, False),
        ((2, 8, 8, 3), "float32", True, False),
        ((None, 32, 16, 3), "float32", True, True),
        ((2, 32, 32, 3), "bfloat16", False, False),
        ((2, None, None, 3), "float32", False, False),
    ],
)
def test_where_the_cheaper_forms_are_taken(shape, dtype, up, split):
    seen = []

    @tf.function(input_signature=[tf.TensorSpec(shape, dtype)])
    def look(maps):
        seen.append((rewrites.folds_upsampling(maps), rewrites.splits_dense_block(maps)))
        return maps

    look.get_concrete_function()
    assert seen == [(up, split)]


@pytest.mark.parametrize("spectral_norm", [True, False])
def test_networks_give_the_same_with_and_without(monkeypatch, spectral_norm):
    sizes = {"image_size": 32, "chunk_size": 3, "growth": 2, "block_layers": (2, 1, 2, 2)}
    decoder = Decoder(up_widths=(4, 4, 4, 4), spectral_norm=spectral_norm, **sizes)
    encoder = Encoder(stem_width=4, **sizes)
    codes, images = _random(2, 2, 2, 3), _random(2, 32, 32, 3)

    def values():
        with tf.GradientTape() as tape:
            outputs = [decoder(codes), encoder(images)]
            loss = sum(tf.reduce_sum(tf.square(output - 0.3)) for output in outputs)
        variables = [*decoder.trainable_variables, *encoder.trainable_variables]
        return [*outputs, *tape.gradient(loss, [v.value for v in variables])]

    rewritten = values()
    monkeypatch.setattr(rewrites, "_is_wide", lambda maps, least: False)
    _assert_close(rewritten, values())
