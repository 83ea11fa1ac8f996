"""DeepCluster's AlexNet: published sizes, edges instead of colours, dropout and batch norm."""

import inspect

import numpy as np
import pytest

from lorbms_tf.networks import deepcluster
from lorbms_tf.networks.deepcluster import DeepClusterAlexNet

SMALL = {"image_size": 64, "conv_widths": (4, 6, 8, 8, 6), "dense_widths": (5, 7)}


def _images(batch, size=64):
    shape = (batch, size, size, 3)
    return np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")


@pytest.mark.parametrize(
    ("size", "stride", "side"), [(224, 4, 6), (64, 4, 1), (62, 4, 0), (96, 2, 4)]
)
def test_side_of_the_last_maps(size, stride, side):
    assert max(deepcluster.trunk_side(size, stride), 0) == side


def test_the_published_sizes_are_the_defaults_and_have_their_parameters():
    def conv(kernel, inputs, outputs):
        return kernel * kernel * inputs * outputs + outputs

    defaults = inspect.signature(DeepClusterAlexNet).parameters
    assert defaults["dense_widths"].default == (4096, 4096)
    network = DeepClusterAlexNet(dense_widths=(8, 7))  # of 58 million parameters 54 are dense
    expected = conv(11, 2, 96) + conv(5, 96, 256) + conv(3, 256, 384) + conv(3, 384, 384)
    expected += conv(3, 384, 256) + 2 * (96 + 256 + 384 + 384 + 256)  # scales and offsets
    expected += 9216 * 8 + 8 + 8 * 7 + 7
    assert sum(np.prod(w.shape) for w in network.trainable_weights) == expected


def test_edges_by_hand():
    images = np.zeros((1, 5, 6, 3), np.float32)
    images[:, :, 3:] = 1.0  # a step of one half in [0, 1], to the right
    step = 0.5 * np.mean(1 / np.array(deepcluster.STD))  # of the grey image
    vertical, horizontal = np.moveaxis(np.asarray(deepcluster.edges(images))[0], -1, 0)
    inner = (slice(1, -1), slice(1, -1))
    expected = np.zeros((3, 4))
    expected[:, 1:3] = -4 * step  # 1 + 2 + 1 times the step, left minus right
    np.testing.assert_allclose(vertical[inner], expected, atol=1e-5)
    np.testing.assert_allclose(horizontal[inner], 0, atol=1e-5)


def test_features_are_the_last_hidden_layer_before_its_relu():
    network = DeepClusterAlexNet(**SMALL, outputs=3)
    images = _images(4)
    features = np.asarray(network.features(images))
    assert features.shape == (4, 7) and (features < 0).any() and (features > 0).any()
    kernel, bias = network.head.get_weights()
    np.testing.assert_allclose(network(images), np.maximum(features, 0) @ kernel + bias, atol=1e-5)


def test_training_drops_units_and_moves_the_norms_and_features_do_not():
    network = DeepClusterAlexNet(**SMALL, outputs=3)
    images = _images(8)
    before = network.norms[0].moving_mean.numpy().copy()
    np.testing.assert_array_equal(network(images), network(images))
    np.testing.assert_array_equal(network.norms[0].moving_mean, before)
    assert not np.allclose(network(images, training=True), network(images, training=True))
    assert not np.array_equal(network.norms[0].moving_mean, before)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"image_size": 62}, "62 px; the smallest are 63"),
        ({"conv_widths": (4, 4)}, "5 numbers"),
        ({"dense_widths": ()}, "at least one"),
        ({"conv_widths": (4, 6, 0, 8, 6)}, "conv_widths"),
    ],
)
def test_sizes_that_make_no_network(changes, reason):
    with pytest.raises(ValueError, match=reason):
        DeepClusterAlexNet(**{**SMALL, **changes})


def test_images_of_another_size_and_missing_logits_are_errors():
    network = DeepClusterAlexNet(**SMALL)
    with pytest.raises(ValueError, match="64x64"):
        network.features(_images(1, 96))
    with pytest.raises(ValueError, match="outputs=0"):
        network(_images(1))
