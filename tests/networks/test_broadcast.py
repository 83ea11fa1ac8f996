"""The broadcast decoder: what its convolutions read, and the short way to the first of them."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.networks.broadcast import BroadcastDecoder


def _codes(batch=2, chunk=3):
    return np.random.default_rng(0).normal(size=(batch, 2, 2, chunk)).astype("float32")


def test_every_pixel_reads_the_whole_code_and_its_own_place():
    codes = _codes()
    maps = np.asarray(BroadcastDecoder(image_size=8, chunk_size=3).input_maps(codes))
    assert maps.shape == (2, 8, 8, 14)
    np.testing.assert_array_equal(maps[..., :12] - codes.reshape(2, 1, 1, 12), 0.0)
    corners = {(0, 0): (-1, -1), (0, 7): (1, -1), (7, 0): (-1, 1), (7, 7): (1, 1)}
    for (row, column), place in corners.items():
        np.testing.assert_allclose(maps[:, row, column, 12:], [place] * 2)


def test_parameters_by_hand():
    # 9 * 770 * 64 + 64, three times 9 * 64 * 64 + 64, 64 * 3 + 3
    assert BroadcastDecoder().count_params() == 443_584 + 3 * 36_928 + 195


def test_the_images_are_those_of_convolutions_on_the_input_maps():
    decoder, codes = BroadcastDecoder(image_size=8, chunk_size=3, widths=(4, 5), seed=1), _codes()
    decoder.convs[0].bias.assign(np.arange(4) / 4)
    maps = decoder.input_maps(codes)
    for conv in decoder.convs:
        maps = tf.nn.relu(conv(maps))
    np.testing.assert_allclose(decoder(codes), tf.tanh(decoder.head(maps)), atol=1e-5)


@pytest.mark.parametrize("settings", [{"widths": ()}, {"widths": (4, 0)}, {"chunk_size": 0}])
def test_sizes_that_make_no_network_are_errors(settings):
    with pytest.raises(ValueError, match="widths|chunk_size"):
        BroadcastDecoder(**settings)
