"""Strided encoder and decoder: parameters by hand, what a chunk sees, errors."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.networks import receptive_field
from lorbms_tf.networks.strided_chunks import StridedChunkDecoder, StridedChunkEncoder

SMALL = {"image_size": 32, "chunk_size": 6, "widths": (3, 4, 5)}


def _images(batch=1, size=32, seed=0):
    shape = (batch, size, size, 3)
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def _codes(batch=1, seed=0):
    return np.random.default_rng(seed).normal(size=(batch, 2, 2, 6)).astype("float32")


def _count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_parameters_by_hand():
    convs = 16 * 3 * 3 + 3 + 16 * 3 * 4 + 4 + 16 * 4 * 5 + 5
    assert _count(StridedChunkEncoder(**SMALL)) == convs + 4 * 5 * 6 + 6
    ups = 4 * 6 * 5 + 5 + 16 * 5 * 4 + 4 + 16 * 4 * 3 + 3
    assert _count(StridedChunkDecoder(**SMALL)) == ups + 16 * 3 * 3 + 3


def test_the_layers_are_convolutions_with_relus_between_them():
    encoder, maps = StridedChunkEncoder(**SMALL), _images(2)
    for conv in encoder.convs:
        maps = tf.nn.relu(tf.nn.conv2d(maps, conv.kernel.value, 2, "SAME") + conv.bias.value)
    np.testing.assert_allclose(encoder.features(_images(2)), maps, atol=1e-5)
    code = tf.nn.conv2d(maps, encoder.head.kernel.value, 2, "VALID") + encoder.head.bias.value
    np.testing.assert_allclose(encoder(_images(2)), code, atol=1e-5)


def test_a_far_part_of_another_quadrant_does_not_change_a_chunk():
    encoder, images = StridedChunkEncoder(**SMALL), _images()
    changed = images.copy()
    changed[:, :, 24:] = 0.0  # the right half begins at 16; 4x4 maps see 3 + 2 + 1 pixels more
    before, after = encoder(images).numpy(), encoder(changed).numpy()
    np.testing.assert_array_equal(before[:, :, 0], after[:, :, 0])
    assert not np.allclose(before[:, :, 1], after[:, :, 1])


def test_with_all_blocks_separate_a_chunk_changes_its_own_quadrant_alone():
    codes = _codes()
    changed = codes.copy()
    changed[:, 1, 0] += 1.0
    decoder = StridedChunkDecoder(**SMALL, separate_blocks=4)
    difference = np.abs(decoder(codes).numpy() - decoder(changed).numpy())[0].max(-1)
    assert difference[16:, :16].max() > 1e-3
    difference[16:, :16] = 0.0
    assert difference.max() == 0.0


def test_separate_blocks_change_borders_alone():
    whole, separate = (StridedChunkDecoder(**SMALL, separate_blocks=n)(_codes()) for n in (0, 2))
    difference = np.abs(whole.numpy() - separate.numpy())[0].max(-1)
    assert difference[16].max() > 1e-4
    assert difference[:8, :8].max() < 1e-6  # far from the middle


def test_without_norms_images_keep_the_contrast_of_their_codes():
    codes = np.random.default_rng(0).normal(size=(4, 2, 2, 256)).astype("float32")
    assert 0.1 < StridedChunkDecoder()(codes).numpy().std() < 0.9  # neither flat nor saturated


def test_receptive_fields():
    assert receptive_field.side(StridedChunkEncoder(**SMALL).windows) == 1 + 3 + 3 * 2 + 3 * 4 + 8
    # In cells of the code: a pixel sees its own chunk, and beside a border the next one.
    alone = StridedChunkDecoder(**SMALL, separate_blocks=4)
    assert receptive_field.side(alone.windows) == 1
    assert receptive_field.side(StridedChunkDecoder(**SMALL).windows) == 1 + 1 / 2 + 1 / 4 + 1 / 8


def test_larger_images_have_more_chunks():
    assert StridedChunkEncoder(**SMALL)(_images(size=48)).shape == (1, 3, 3, 6)
    with pytest.raises(ValueError, match="multiples of 16 px"):
        StridedChunkEncoder(**SMALL)(_images(size=40))


@pytest.mark.parametrize(
    "network, changes, message",
    [
        (StridedChunkEncoder, {"widths": (3, 4)}, "needs 3 widths"),
        (StridedChunkEncoder, {"widths": (3, 4, 0)}, "widths"),
        (StridedChunkDecoder, {"chunk_size": 0}, "chunk_size"),
        (StridedChunkDecoder, {"separate_blocks": 5}, "0 to 4, not 5"),
    ],
)
def test_settings_that_do_not_fit_are_errors(network, changes, message):
    with pytest.raises(ValueError, match=message):
        network(**{**SMALL, **changes})
