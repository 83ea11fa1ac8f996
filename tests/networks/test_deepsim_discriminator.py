"""The discriminator of seed 000, table 1: sizes, dropout by draws, features beside the image."""

import numpy as np
import pytest

from lorbms_tf.networks.deepsim_discriminator import DeepsimDiscriminator, first_stride

SMALL = {"widths": (2, 3, 4, 4, 5), "dense": 6}


def photos(size, count=2):
    return np.random.default_rng(0).uniform(-1, 1, (count, size, size, 3)).astype("float32")


def test_it_has_the_sizes_of_table_1():
    network = DeepsimDiscriminator()
    assert network.count_params() == 1_147_714
    maps = network.maps(photos(227, 1))
    # "InSize" of the table, but for the image's own; the pooling sees 11.
    assert [one.shape[1] for one in maps] == [56, 52, 25, 23, 11]
    assert [one.shape[-1] for one in maps] == [32, 64, 128, 256, 256]


@pytest.mark.parametrize(
    ("size", "stride"), [(227, 4), (64, 4), (63, 4), (48, 2), (32, 1), (21, 1)]
)
def test_small_images_are_read_with_smaller_strides(size, stride):
    assert first_stride(size) == stride
    assert DeepsimDiscriminator(size, **SMALL)(photos(size)).shape == (2, 2)


def test_the_stride_of_the_first_convolution_is_a_choice():
    assert [first_stride(64, most) for most in (1, 2, 3, 4)] == [1, 2, 3, 4]
    assert first_stride(32, 4) == first_stride(32, 1) == 1
    sides = [one.shape[1] for one in DeepsimDiscriminator(64, stride=2, **SMALL).maps(photos(64))]
    assert sides == [29, 25, 12, 10, 4]


def test_too_small_images_are_refused():
    with pytest.raises(ValueError, match="20 px; from 21 px on"):
        DeepsimDiscriminator(20, **SMALL)


def test_draws_drop_half_and_nothing_is_dropped_without():
    network, images = DeepsimDiscriminator(32, **SMALL), photos(32)
    assert network.draw_count == 11
    plain = np.asarray(network(images))
    np.testing.assert_array_equal(plain, network(images))
    none = np.asarray(network(images, draws=np.zeros((2, 11), np.float32)))
    np.testing.assert_allclose(none, np.tile(network.head.bias.numpy(), (2, 1)))
    some = np.random.default_rng(1).uniform(size=(2, 11)).astype("float32")
    assert np.abs(np.asarray(network(images, draws=some)) - plain).max() > 1e-6


def test_features_count_where_they_are_read():
    network = DeepsimDiscriminator(32, features=8, **SMALL)
    features = np.random.default_rng(2).normal(size=(2, 2, 2, 2)).astype("float32")
    made = [np.asarray(network(photos(32), factor * features)) for factor in (1.0, -3.0)]
    assert np.abs(made[0] - made[1]).max() > 1e-6
