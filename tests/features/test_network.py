"""The one way from images to features: readings, blocks, refusals, by networks known by hand."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.features.network import AS_THEY_ARE, FeatureNetwork, Outputs, Reading
from lorbms_tf.networks.discriminator import Discriminator

RAMP = np.tile(np.float32([0, 0.25, 0.5, 0.75]), (1, 4, 1))[..., None].repeat(3, -1)  # [1, 4, 4, 3]


def pixels_network(side=2, reading=AS_THEY_ARE, shapes=None):
    """Its features are its pixels, maps [B, side, side, 3]; its logit is the first of them."""

    def forward(images, training):
        if shapes is not None:
            shapes.append(images.shape.as_list())
        return Outputs(images, images[:, 0, 0, :1])

    return FeatureNetwork("pixels", forward, side, 3 * side**2, "0", "by hand", reading=reading)


@pytest.mark.parametrize(
    ("resize", "first_row"),
    [
        ("legacy", [0.0, 0.5]),  # corners at 0 and 2 of the old pixels
        ("bilinear", [0.125, 0.625]),  # between 0 and 1, between 2 and 3
        ("antialias", [5 / 28, 16 / 28]),  # weights 3, 3, 1 from the edge inwards
    ],
)
def test_the_resize_is_the_readings(resize, first_row):
    network = pixels_network(reading=Reading(resize, dtype="float32"))
    features = network(RAMP).reshape(2, 2, 3)
    np.testing.assert_allclose(features[0, :, 0], first_row, atol=1e-6)


def test_integers_become_floats_and_maps_become_features():
    images = np.zeros((1, 2, 2, 3), np.uint8)
    images[0, 1, 1] = 255
    features, logits = pixels_network().outputs(images)
    np.testing.assert_allclose(features, [[-1.0] * 9 + [1.0] * 3])
    assert features.dtype == np.float32 and logits.tolist() == [[-1.0]]


@pytest.mark.parametrize("count", [0, 1, 4, 5])
@pytest.mark.parametrize("padded", [False, True])
def test_blocks_change_nothing(count, padded):
    images = np.random.default_rng(0).integers(0, 256, (count, 2, 2, 3), np.uint8)
    network = pixels_network(reading=Reading("bilinear", 4, padded))
    expected = images.reshape(count, 12) / 127.5 - 1
    np.testing.assert_allclose(network(images), expected, atol=1e-6)
    logits = network.outputs(images).logits
    assert logits is None if count == 0 else logits.shape == (count, 1)


def test_a_padded_reading_shows_the_network_one_shape_only():
    shapes = []
    network = pixels_network(reading=Reading("bilinear", 4, padded=True), shapes=shapes)
    for count, side in ((5, 2), (3, 6), (1, 2)):
        network.outputs(np.zeros((count, side, side, 3), np.uint8), batch_size=2)
    assert shapes == [[4, 2, 2, 3]]


def test_images_that_are_read_where_they_are_needed_and_prepared_block_by_block():
    class Numbers:
        places = []

        def __len__(self):
            return 3

        def take(self, places):
            self.places.append(places.tolist())
            return np.full((len(places), 2, 2, 3), 7, np.uint8)

    def prepare(images, number):
        return tf.cast(images, tf.float32) + 100.0 * tf.cast(number, tf.float32)

    features = pixels_network().outputs(Numbers(), 2, prepare).features
    assert Numbers.places == [[0, 1], [2]]
    assert features[:, 0].tolist() == [7.0, 7.0, 107.0]


@pytest.mark.parametrize(
    ("dtype", "shape", "given"),
    [
        ("uint8", (1, 2, 2, 3), np.float32),
        ("float32", (1, 2, 2, 3), np.uint8),
        ("uint8", (2, 2, 3), np.uint8),
        ("float32", (1, 2, 2, 4), np.float64),
    ],
)
def test_other_images_than_the_reading_says_are_an_error(dtype, shape, given):
    network = pixels_network(reading=Reading(dtype=dtype))
    with pytest.raises(ValueError, match=f"images must be {dtype}"):
        network(np.zeros(shape, given))


def test_features_that_are_not_finite_are_refused_where_asked():
    images = np.zeros((3, 2, 2, 3), np.float32)
    images[2] = np.nan
    network = pixels_network(reading=Reading(dtype="float32"))
    assert np.isnan(network.outputs(images, 2).features[2]).all()
    with pytest.raises(UserError, match=r"--features=pixels \(by hand\): .*images 2 to 2 are not"):
        network.outputs(images, 2, finite=True)


def test_remembered_weights_come_back():
    model = Discriminator(image_size=8, widths=(2, 3), seed=0)
    network = FeatureNetwork(
        "d", lambda images, training: Outputs(model.features(images)), 8, 12, "0", network=model
    )
    first = model.get_weights()
    network.reset()  # nothing is remembered yet
    network.remember()
    model.set_weights([weight + 1 for weight in first])
    network.reset()
    for weight, own in zip(first, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, own)
