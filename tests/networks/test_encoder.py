"""The encoder: table 3.6, table 3.2 read literally, image sizes."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.networks import Encoder, receptive_field

SMALL = {"image_size": 16, "chunk_size": 6, "stem_width": 4, "block_layers": (2, 1, 3), "growth": 3}


def _images(batch, size, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (batch, size, size, 3)).astype("float32")


def _parameters(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_default_encoder_has_the_parameters_of_table_3_6():
    encoder = Encoder()
    assert _parameters(encoder) == 2_800_512
    assert encoder.count_params() == 2_800_512
    assert encoder(_images(1, 64)).shape == (1, 2, 2, 192)
    assert encoder(_images(1, 96)).shape == (1, 3, 3, 192)  # the probe of section 4.3
    widths = [transition.filters for transition in encoder.transitions]
    assert widths == [112, 192, 304, 464, 656]  # table 3.1


def test_one_norm_a_map_equals_table_3_2_read_literally():
    encoder = Encoder(**SMALL)
    images = _images(2, 16)

    def norm_relu(maps):
        mean, variance = tf.nn.moments(maps, (1, 2), keepdims=True)
        return tf.nn.relu((maps - mean) / tf.sqrt(variance + 1e-5))

    maps = encoder.stem(encoder.coordinates(images))
    for block, transition in zip(encoder.blocks, encoder.transitions, strict=True):
        for conv in block.convs:
            maps = tf.concat([maps, conv(norm_relu(maps))], -1)
        maps = tf.nn.max_pool2d(transition(norm_relu(maps)), 2, 2, "VALID")
    np.testing.assert_allclose(encoder(images), encoder.head(maps), atol=1e-4)


def test_initial_weights_are_normal_with_bias_and_seeded_layer_by_layer():
    encoder = Encoder(**SMALL, seed=1)
    again, other = Encoder(**SMALL, seed=1), Encoder(**SMALL, seed=2)
    for weight, same in zip(encoder.weights, again.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), same.numpy())
    assert not np.array_equal(encoder.stem.kernel.numpy(), other.stem.kernel.numpy())
    np.testing.assert_allclose(encoder.stem.bias.numpy(), 0.01)
    assert np.std(encoder.transitions[-1].kernel.numpy()) == pytest.approx(0.02, rel=0.2)
    first_values = [w.numpy().ravel()[0] for w in encoder.weights if w.name == "kernel"]
    assert len(set(first_values)) == len(first_values)


def test_images_do_not_influence_each_other():
    encoder = Encoder(**SMALL)
    images = _images(3, 16)
    np.testing.assert_allclose(encoder(images)[1:2], encoder(images[1:2]), atol=1e-5)


def test_a_uniform_image_gives_finite_codes_and_gradients():
    encoder = Encoder(**SMALL)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(encoder(np.zeros((1, 16, 16, 3), "float32"))))
    for gradient in tape.gradient(loss, encoder.trainable_weights):
        assert np.all(np.isfinite(gradient))


def test_an_empty_block_only_halves_its_maps_and_narrows_what_a_chunk_sees():
    empty = Encoder(**{**SMALL, "block_layers": (1, 0, 0)})
    image = tf.Variable(_images(1, 16))
    with tf.GradientTape() as tape:
        # The norms see the whole image, so only the strongest influence is asked for.
        loss = tf.reduce_sum(tf.square(empty(image)[:, 0, 0]))
    influence = np.abs(tape.gradient(loss, image)[0]).sum(-1)  # [16, 16]
    assert influence[:8, :8].mean() > 3 * influence[10:, 10:].mean()


def test_a_small_receptive_field_leaves_3x3_kernels_only_near_the_image():
    encoder = Encoder(receptive_field=46)
    assert receptive_field.side(encoder.windows) == 46
    sizes = [[conv.kernel_size[0] for conv in block.convs] for block in encoder.blocks]
    assert sizes == [[3] * 4, [3, 1, 1, 1, 1], [1] * 7, [1] * 10, [1] * 12]
    assert encoder(_images(1, 64)).shape == (1, 2, 2, 192)  # and every map has its place


def test_a_chunk_depends_on_the_pixels_of_its_receptive_field_and_no_others():
    settings = {"image_size": 16, "chunk_size": 2, "stem_width": 2, "block_layers": (2, 1, 1)}
    encoder = Encoder(**settings, growth=2, receptive_field=16)
    assert [conv.kernel_size for block in encoder.blocks for conv in block.convs] == [
        *[(3, 3)] * 2,
        *[(1, 1)] * 2,
    ]
    for block in encoder.blocks:
        block.norm = lambda maps: maps + 1.0  # which sees all; so are no maps rectified
    images = tf.constant(_images(200, 64))
    with tf.GradientTape() as tape:
        tape.watch(images)
        cell = encoder(images)[:, 4, 4]
    seen = np.abs(tape.gradient(cell, images)).sum((0, -1)) > 0
    for axis in (0, 1):
        touched = np.flatnonzero(seen.any(axis))
        side = receptive_field.side(encoder.windows)
        assert touched[-1] - touched[0] + 1 == side == 14


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"receptive_field": 9}, "receptive_field must be 0 or 10 and more"),
        ({"image_size": 32}, "3 dense blocks, but image_size 32 needs 4"),
        ({"image_size": 24}, "power of two"),
        ({"growth": 0}, "growth"),
        ({"block_layers": (2, -1, 1)}, "block_layers"),
    ],
)
def test_settings_that_do_not_fit_are_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        Encoder(**{**SMALL, **settings})


def test_an_image_that_cannot_be_halved_is_an_error():
    with pytest.raises(ValueError, match="multiples of 8 px"):
        Encoder(**SMALL)(_images(1, 20))
