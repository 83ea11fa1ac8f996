import hashlib
import re

import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.features import alexnet as alexnet_features
from lorbms_tf.features import taps
from lorbms_tf.features.registry import quadrant_network
from lorbms_tf.networks.alexnet import AlexNet
from tests.parity import inputs as parity_inputs


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.fixture(scope="module")
def alexnet():
    return quadrant_network("alexnet", seed=1, side=32)


def test_alexnet_features(alexnet):
    features = alexnet(noise(3, 20, 20, 3))
    assert features.shape == (3, alexnet.dimension) == (3, 1024)
    assert features.dtype == np.float32
    assert np.isfinite(features).all() and features.std() > 0
    assert alexnet.name == "alexnet" and alexnet.side == 32
    assert re.fullmatch("[0-9a-f]{64}", alexnet.weights_hash)


def test_features_do_not_depend_on_the_batch(alexnet):
    quadrants = noise(70, 16, 16, 3)  # more than one batch
    features = alexnet(quadrants)
    np.testing.assert_allclose(alexnet(quadrants[67:68]), features[67:68], atol=1e-5)
    np.testing.assert_allclose(alexnet(quadrants[30:]), features[30:], atol=1e-5)
    assert alexnet(quadrants[:0]).shape == (0, 1024)


def test_features_follow_the_seed(alexnet):
    quadrants = noise(2, 16, 16, 3)
    same = quadrant_network("alexnet", seed=1, side=32)
    other = quadrant_network("alexnet", seed=2, side=32)
    np.testing.assert_array_equal(same(quadrants), alexnet(quadrants))
    assert same.weights_hash == alexnet.weights_hash
    assert not np.allclose(other(quadrants), alexnet(quadrants))
    assert other.weights_hash != alexnet.weights_hash


def test_alike_quadrants_have_near_features(alexnet):
    red, blue = np.full((1, 16, 16, 3), (200, 30, 30)), np.full((1, 16, 16, 3), (30, 30, 200))
    features = alexnet(np.concatenate([red, red - 15, blue]).astype(np.uint8))
    assert np.sum((features[0] - features[1]) ** 2) < np.sum((features[0] - features[2]) ** 2) / 4


@pytest.mark.parametrize(
    "quadrants", [noise(2, 8, 8, 4), noise(8, 8, 3), noise(1, 8, 8, 3).astype(np.float32)]
)
def test_quadrants_of_another_kind_are_an_error(alexnet, quadrants):
    with pytest.raises(ValueError, match="uint8"):
        alexnet(quadrants)


def torchvision_state(dense=(8, 6, 5)):
    """A state dict of torchvision's AlexNet with other widths of its dense layers."""
    state, rng, inputs = parity_inputs.state_dict("alex"), np.random.default_rng(1), 9216
    for place, outputs in zip((1, 4, 6), dense, strict=False):
        state[f"classifier.{place}.weight"] = rng.normal(size=(outputs, inputs)).astype("f4") * 0.05
        state[f"classifier.{place}.bias"] = rng.normal(size=outputs).astype("f4")
        inputs = outputs
    return state


def test_torchvisions_dense_layers_read_maps_channel_by_channel(tmp_path, monkeypatch):
    monkeypatch.setattr(alexnet_features, "_TORCHVISION_DENSE", (8, 6))
    monkeypatch.setattr(alexnet_features, "_CLASSES", 5)
    state = torchvision_state()
    np.savez(tmp_path / "alexnet.npz", **state)
    names = ["pool5", "fc6", "fc7", "fc8"]
    made = taps.make("alexnet", names, str(tmp_path / "alexnet.npz"))
    maps = made(np.random.default_rng(0).uniform(-1, 1, (2, 224, 224, 3)).astype("f4"))
    assert maps["pool5"].shape == (2, 6, 6, 256)
    hidden = np.transpose(maps["pool5"], (0, 3, 1, 2)).reshape(2, -1)
    for place, name in zip((1, 4, 6), names[1:], strict=True):
        hidden = hidden @ state[f"classifier.{place}.weight"].T + state[f"classifier.{place}.bias"]
        hidden = np.maximum(hidden, 0) if name != "fc8" else hidden
        np.testing.assert_allclose(maps[name], hidden, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="read images of 224x224 px, not 227x227"):
        made(np.zeros((1, 227, 227, 3), np.float32))


def test_a_state_dict_without_the_dense_layers_serves_for_the_convolutions(tmp_path):
    np.savez(tmp_path / "convs.npz", **torchvision_state(dense=()))
    path = str(tmp_path / "convs.npz")
    assert taps.make("alexnet", ["conv5"], path).network.layer_names == [
        *(f"conv{number}" for number in range(1, 6)),
        "pool5",
    ]
    with pytest.raises(UserError, match=r"convs\.npz .*fc6/kernel is missing"):
        taps.make("alexnet", ["fc6"], path)


def test_alexnet_weights_from_a_file(tmp_path, alexnet):
    path = tmp_path / "trained.weights.h5"
    AlexNet(image_size=28, channels=3, dense_widths=(8,), outputs=5, seed=1).save_weights(path)
    network = quadrant_network("alexnet", weights=str(path), seed=7, side=32)
    quadrants = noise(2, 16, 16, 3)
    np.testing.assert_array_equal(network(quadrants), alexnet(quadrants))  # both of seed 1
    assert network.weights_hash == hashlib.sha256(path.read_bytes()).hexdigest()
