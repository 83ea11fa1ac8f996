"""SqueezeNet: the published counts and shapes, and Caffe's pooling against a literal one."""

import numpy as np
import pytest

from lorbms_tf.networks.squeezenet import SqueezeNet, least_side, overhanging_pool


@pytest.mark.parametrize("version, count", [("1.0", 1_248_424), ("1.1", 1_235_496)])
def test_the_parameters_are_those_published(version, count):
    assert SqueezeNet(version).count_params() == count


def test_the_maps_at_227_pixels_have_the_published_sides():
    network = SqueezeNet()
    image = np.zeros((1, 227, 227, 3), np.float32)
    maps = network.layer_maps(image, ("conv1", "fire2", "fire5", "fire9", "conv10"))
    sides = {name: value.shape[1:] for name, value in maps.items()}
    assert sides == {
        "conv1": (111, 111, 96),
        "fire2": (55, 55, 128),
        "fire5": (27, 27, 256),
        "fire9": (13, 13, 512),
        "conv10": (13, 13, 1000),
    }
    logits = np.asarray(network(image))
    np.testing.assert_allclose(logits[0], np.mean(maps["conv10"], axis=(1, 2))[0], atol=1e-6)


@pytest.mark.parametrize("side", [5, 6, 7, 8])
def test_the_last_window_of_a_pool_may_hang_over_the_border(side):
    maps = np.random.default_rng(side).uniform(size=(1, side, side, 2)).astype(np.float32)
    count = -(-(side - 3) // 2) + 1  # Caffe rounds up
    wanted = [
        [maps[0, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3].max(axis=(0, 1)) for x in range(count)]
        for y in range(count)
    ]
    np.testing.assert_array_equal(np.asarray(overhanging_pool(maps))[0], wanted)


@pytest.mark.parametrize(
    ("version", "kernel_size", "layer", "pools"),
    [("1.0", 7, "conv1", 0), ("1.0", 7, "fire4", 1), ("1.0", 7, "fire9", 3)]
    + [("1.1", 3, "fire3", 1), ("1.1", 3, "fire5", 2), ("1.1", 3, "conv10", 3)],
)
def test_the_least_side_is_the_first_at_which_a_layer_has_a_place(
    version, kernel_size, layer, pools
):
    def places(side):
        side = (side - kernel_size) // 2 + 1
        for _ in range(pools):
            side = -(-(side - 3) // 2) + 1  # Caffe rounds up
        return side

    side = least_side(version, [layer])
    assert places(side) == 1 and places(side - 1) < 1
    maps = SqueezeNet(version).layer_maps(np.zeros((1, side, side, 3), np.float32), [layer])
    assert maps[layer].shape[1:3] == (1, 1)


def test_an_unknown_version_is_named():
    with pytest.raises(ValueError, match="1.0, 1.1"):
        SqueezeNet("2.0")
