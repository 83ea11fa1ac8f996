"""The generators of seed 000: published counts, shapes for any features, refusals."""

import numpy as np
import pytest

from lorbms_tf.networks.upconv import UpConv, first_side

SMALL = {"widths": (8, 8, 4), "dense": 64, "head": 8}


@pytest.mark.parametrize(
    ("features", "count"), [((6, 6, 256), 12_700_672), ((4096,), 56_096_256), ((1000,), 43_415_040)]
)
def test_the_published_ones_have_as_many_parameters(features, count):
    network = UpConv(features=features)
    assert network.count_params() == count
    assert network.start == 4 and len(network.ups) == 6
    assert [up.filters for up in network.ups] == [256, 256, 128, 64, 32, 3]
    assert [conv.filters for conv in network.convs if conv] == [512, 256, 128]


def test_convolutions_behind_the_first_doubling_have_no_bias():
    network = UpConv(64, (6, 6, 5), **SMALL)
    names = {"up": network.ups, "conv": [conv for conv in network.convs if conv]}
    assert not any(layer.use_bias for layers in names.values() for layer in layers)
    assert network.decayed == [conv.kernel for conv in network.firsts]
    assert UpConv(64, (16,), **SMALL).decayed == []


@pytest.mark.parametrize("size", [32, 64, 128, 57])
@pytest.mark.parametrize("features", [(16,), (3, 3, 5), (6, 6, 5), (14, 14, 5), (2, 3, 5)])
def test_any_features_become_images(size, features):
    network = UpConv(size, features, **SMALL)
    values = np.random.default_rng(0).normal(size=(2, *features)).astype("float32")
    images = np.asarray(network(values))
    assert images.shape == (2, size, size, 3)
    assert np.abs(images[0] - images[1]).max() > 1e-3
    assert 0.05 < images.std() < 20


def test_first_maps_keep_most_of_the_place_that_features_have():
    assert first_side(227, 6, 6) == (4, 6)  # as published
    assert first_side(64, 0, 4) == (4, 4)
    assert first_side(64, 7, 4) == (8, 3)
    assert first_side(64, 16, 4) == (16, 2)
    assert first_side(64, 64, 4) == (32, 1)


def test_wrong_sizes_are_told():
    for settings, message in [
        ({"features": (4, 4)}, "features have the shape"),
        ({"features": (4,), "dense": 8}, "multiple of 16"),
        ({"features": (4,), "widths": (0,)}, "widths must be 1 or more"),
    ]:
        with pytest.raises(ValueError, match=message):
            UpConv(32, **{**SMALL, **settings})
