"""VGG against keras.applications, and its counts of parameters."""

import keras
import numpy as np
import pytest

from lorbms_tf.networks.vgg import VGG, layer_names

IMAGES = np.random.default_rng(0).normal(size=(2, 32, 48, 3)).astype(np.float32)


def test_the_layers_are_those_published():
    assert len(layer_names(16)) == 13 and len(layer_names(19)) == 16
    assert layer_names(16, "conv2_2") == ["conv1_1", "conv1_2", "conv2_1", "conv2_2"]
    assert layer_names(16)[-1] == "conv5_3" and layer_names(19)[-1] == "conv5_4"


@pytest.mark.parametrize("depth, count", [(16, 14_714_688), (19, 20_024_384)])
def test_the_parameters_are_those_published(depth, count):
    assert VGG(depth).count_params() == count


def test_the_maps_are_those_of_keras_applications():
    published = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 48, 3))
    network = VGG(16, "conv3_3")
    names = ("conv1_2", "conv3_3")
    for layer, conv in zip(network.layer_names, network.convs, strict=True):
        block, number = layer.removeprefix("conv").split("_")
        kernel, bias = published.get_layer(f"block{block}_conv{number}").get_weights()
        conv.set_weights([kernel, bias + 0.1])
        published.get_layer(f"block{block}_conv{number}").set_weights([kernel, bias + 0.1])
    outputs = [published.get_layer(f"block{name[4]}_conv{name[6]}").output for name in names]
    expected = keras.Model(published.input, outputs)(IMAGES)
    for name, maps in zip(names, expected, strict=True):
        ours = network.layer_maps(IMAGES, names)[name]
        np.testing.assert_allclose(ours, maps, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(network(IMAGES), network.layer_maps(IMAGES, names)["conv3_3"])


def test_reflected_padding_keeps_a_constant_image_constant():
    image = np.full((1, 8, 8, 3), 0.7, np.float32)
    sizes = {"last": "conv2_1", "widths": (4, 5, 6, 7, 8)}
    reflected, zeros = (
        np.asarray(VGG(19, padding=padding, **sizes)(image)) for padding in ("reflect", "zeros")
    )
    np.testing.assert_allclose(reflected, np.broadcast_to(reflected[:, :1, :1], reflected.shape))
    assert np.ptp(zeros[0, :, :, :], axis=(0, 1)).max() > 0.01


@pytest.mark.parametrize(
    "settings, reason",
    [
        ({"depth": 11}, "16 or 19"),
        ({"last": "conv6_1"}, "valid are conv1_1"),
        ({"padding": "wrap"}, "zeros, reflect"),
        ({"widths": (1, 2)}, "five|5 blocks"),
        ({"widths": (1, 2, 3, 4, 0)}, "widths"),
    ],
)
def test_wrong_settings_are_named(settings, reason):
    with pytest.raises(ValueError, match=reason):
        VGG(**settings)
