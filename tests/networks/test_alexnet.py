"""AlexNet: geometry, features, gradient of the groups, images that are too small."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.networks import AlexNet, alexnet

SMALL = {"conv_widths": (4, 6, 8, 8, 6), "dense_widths": (5, 7)}


def _images(batch, size, channels=3):
    shape = (batch, size, size, channels)
    return np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")


@pytest.mark.parametrize(("size", "side"), [(64, 5), (32, 1), (28, 1), (27, 0), (224, 25)])
def test_side_of_the_last_maps(size, side):
    assert max(alexnet.trunk_side(size), 0) == side


@pytest.mark.parametrize("size", [28, 32, 64, 96])
def test_features_and_logits_have_the_shapes_of_the_geometry(size):
    network = AlexNet(image_size=size, channels=3, outputs=9, **SMALL)
    images = _images(2, size)
    assert network(images).shape == (2, 9)
    assert network.features(images).shape == (2, alexnet.trunk_side(size) ** 2 * 6)
    assert network.features(images, layer="fc7").shape == (2, 7)


@pytest.mark.parametrize(
    ("layout", "sides"), [("small", (45, 22, 10, 10, 10)), ("standard", (22, 10, 4, 4, 4))]
)
def test_maps_of_each_convolution(layout, sides):
    network = AlexNet(image_size=96, channels=3, outputs=0, layout=layout, **SMALL)
    images = _images(2, 96)
    for number, side in enumerate(sides, start=1):
        width = SMALL["conv_widths"][number - 1]
        assert network.maps(images, number).shape == (2, side, side, width)
    assert network.features(images, "fc7").shape == (2, 7)


def test_torchvisions_trunk_has_its_published_sides():
    assert alexnet.trunk_side(224, "torchvision") == 6
    network = AlexNet(
        image_size=224,
        channels=3,
        conv_widths=alexnet.TORCHVISION_WIDTHS,
        outputs=0,
        dense_widths=(),
        batch_norm=False,
        layout="torchvision",
    )
    maps = network.layer_maps(np.zeros((1, 224, 224, 3), np.float32), network.layer_names)
    shapes = [value.shape[1:] for value in maps.values()]
    assert [s[0] for s in shapes] == [55, 27, 13, 13, 13, 6]
    assert [s[2] for s in shapes] == [64, 192, 384, 256, 256, 256]
    assert network.count_params() == 2_469_696  # of its convolutions, as published
    assert alexnet.smallest_image("torchvision") == 63


def test_the_standard_trunk_is_krizhevskys():
    network = AlexNet(
        image_size=227, channels=3, outputs=0, dense_widths=(), batch_norm=False, layout="standard"
    )
    assert network.count_params() == 2_334_080  # conv1 to conv5 with biases
    assert alexnet.trunk_side(227, "standard") == 6
    with pytest.raises(ValueError, match="66 px; the smallest are 67 px"):
        AlexNet(image_size=66, layout="standard", **SMALL)


def test_a_trunk_alone_reads_large_images_without_dense_weights():
    network = AlexNet(image_size=64, channels=3, outputs=0, **{**SMALL, "dense_widths": ()})
    assert network.hidden == [] and network.head is None
    assert network.features(_images(1, 224)).shape == (1, 25 * 25 * 6)
    with pytest.raises(ValueError, match="outputs=0"):
        network(_images(1, 64))
    with pytest.raises(ValueError, match="no fc7"):
        network.features(_images(1, 64), layer="fc7")


def test_features_are_the_same_at_every_call_and_one_by_one():
    network = AlexNet(image_size=32, channels=3, **SMALL)
    images = _images(3, 32)
    features = network.features(images)
    np.testing.assert_array_equal(features, network.features(images))
    np.testing.assert_allclose(features[:1], network.features(images[:1]), atol=1e-5)


def test_every_weight_has_a_gradient_in_a_tf_function():
    network = AlexNet(image_size=32, **SMALL)
    images = tf.constant(_images(4, 32, 6))

    @tf.function
    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(network(images, training=True) ** 2)
        return tape.gradient(loss, [v.value for v in network.trainable_variables])

    assert all(np.all(np.isfinite(g)) for g in gradients())


def test_without_batch_norm_nothing_is_not_trainable():
    network = AlexNet(image_size=32, batch_norm=False, **SMALL)
    assert network.non_trainable_variables == []
    assert network(_images(1, 32, 6)).shape == (1, 4)


def test_images_that_are_too_small_are_an_error_naming_the_smallest_size():
    with pytest.raises(ValueError, match="27 px; the smallest are 28 px"):
        AlexNet(image_size=27, **SMALL)


def test_wrong_arguments_are_errors():
    with pytest.raises(ValueError, match="5 even numbers"):
        AlexNet(image_size=32, conv_widths=(4, 6, 8, 7, 6))
    with pytest.raises(ValueError, match="5 even numbers"):
        AlexNet(image_size=32, conv_widths=(4, 6))
    with pytest.raises(ValueError, match="valid are small, standard"):
        AlexNet(layout="large", **SMALL)
    network = AlexNet(image_size=32, channels=3, **SMALL)
    with pytest.raises(ValueError, match="valid are conv5, fc7"):
        network.features(_images(1, 32), layer="conv4")
    with pytest.raises(ValueError, match="32x32 px, not 64x64"):
        network(_images(1, 64))


def caffenet(**changes):
    sizes = {"conv_widths": (4, 6, 8, 8, 6), "dense_widths": (5, 7), "outputs": 3}
    return AlexNet(
        image_size=67, channels=3, batch_norm=False, layout="caffenet", **{**sizes, **changes}
    )


def test_caffenet_has_its_published_sides_and_size():
    assert alexnet.trunk_side(227, "caffenet") == 6 and alexnet.smallest_image("caffenet") == 67
    network = AlexNet(
        image_size=227, channels=3, outputs=0, dense_widths=(), batch_norm=False, layout="caffenet"
    )
    names = ("conv1", "conv2", "conv5", "pool5")
    maps = network.layer_maps(np.zeros((1, 227, 227, 3), np.float32), names)
    shapes = [tuple(value.shape[1:]) for value in maps.values()]
    assert shapes == [(55, 55, 96), (27, 27, 256), (13, 13, 256), (6, 6, 256)]
    assert network.count_params() == 2_334_080  # of AlexNet's convolutions, as published
    assert network.layer_names[-1] == "pool5"


def test_caffenets_dense_layers_are_layers_and_end_in_the_logits():
    network, images = caffenet(), _images(2, 67)
    assert network.layer_names[5:] == ["pool5", "fc6", "fc7", "fc8"]
    maps = network.layer_maps(images, ("fc6", "fc8"))
    assert maps["fc6"].shape == (2, 5)
    np.testing.assert_allclose(maps["fc8"], network(images), rtol=1e-5)
    with pytest.raises(ValueError, match="read images of 67x67 px, not 99x99"):
        network.layer_maps(_images(1, 99), ("fc6",))
    assert network.layer_maps(_images(1, 99), ("pool5",))["pool5"].shape == (1, 2, 2, 6)
