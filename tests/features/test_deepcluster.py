import hashlib

import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.features import deepcluster
from lorbms_tf.features.registry import quadrant_network
from lorbms_tf.networks.alexnet import AlexNet
from lorbms_tf.networks.deepcluster import DeepClusterAlexNet

SMALL = {"image_size": 64, "conv_widths": (4, 6, 8, 8, 6), "dense_widths": (5, 7)}


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_a_weights_file_tells_the_sizes_of_its_network(tmp_path):
    network = DeepClusterAlexNet(**SMALL, outputs=3, stem_stride=2, seed=1)
    path = tmp_path / "small.weights.h5"
    deepcluster.write(network, path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    made = quadrant_network("deepcluster", str(path), seed=9)
    assert (made.side, made.dimension) == (64, 7)
    assert made.weights_hash == hashlib.sha256(path.read_bytes()).hexdigest()
    quadrants = noise(2, 64, 64, 3)
    expected = network.features(quadrants / np.float32(127.5) - 1)
    np.testing.assert_allclose(made(quadrants), expected, atol=1e-6)
    assert deepcluster.read(path).head is None  # logits are of no use to anyone else
    with pytest.raises(UserError, match="64 px: leave out --feature_size=96"):
        quadrant_network("deepcluster", str(path), side=96)


def test_random_weights_follow_the_seed(monkeypatch):
    monkeypatch.setattr(
        deepcluster, "DeepClusterAlexNet", lambda **given: DeepClusterAlexNet(**{**SMALL, **given})
    )
    made = [quadrant_network("deepcluster", "none", seed=s, side=64) for s in (1, 1, 2)]
    first, same, other = made
    assert first.weights_hash == same.weights_hash != other.weights_hash
    with pytest.raises(UserError, match="at least 63 px, not 32"):
        quadrant_network("deepcluster", "none", side=32)


def test_other_weights_are_an_error(tmp_path):
    path = tmp_path / "alexnet.weights.h5"
    AlexNet(image_size=28, channels=3, dense_widths=(8,), outputs=5).save_weights(path)
    with pytest.raises(UserError, match=r"alexnet\.weights\.h5.*convert_deepcluster"):
        quadrant_network("deepcluster", str(path))
    path.write_text("no weights at all")
    with pytest.raises(UserError, match=r"alexnet\.weights\.h5.*convert_deepcluster"):
        quadrant_network("deepcluster", str(path))
    with pytest.raises(UserError, match=r"end in \.weights\.h5"):
        deepcluster.write(DeepClusterAlexNet(**SMALL), tmp_path / "weights.h5")
    with pytest.raises(UserError, match="cannot write"):
        deepcluster.write(DeepClusterAlexNet(**SMALL), path / "inside_a_file.weights.h5")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
