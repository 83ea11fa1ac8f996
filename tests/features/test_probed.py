import functools

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.features import deepcluster, probed
from lorbms_tf.networks import weights_files
from lorbms_tf.networks.alexnet import AlexNet
from lorbms_tf.networks.deepcluster import DeepClusterAlexNet
from lorbms_tf.networks.encoder import Encoder
from lorbms_tf.training import run_directory
from tests import tiny

IMAGES = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
SMALL_ENCODER = {
    "image_size": 32, "chunk_size": 5, "stem_width": 4, "block_layers": (1, 1, 1, 1), "growth": 2,
}  # fmt: skip
SMALL_DEEPCLUSTER = {"image_size": 40, "conv_widths": (2, 4, 6, 6, 4), "dense_widths": (3, 7)}
SMALL_ALEXNET = {"channels": 3, "conv_widths": (2, 4, 6, 6, 4), "dense_widths": (3, 7)}


def make(name, random=False, seed=0, **given):
    return probed.build(name, probed.Source(**{"image_size": 32, **given}), seed, random)


def test_networks_of_a_run(run_dir, monkeypatch):
    monkeypatch.setattr(run_directory, "load_model", functools.cache(run_directory.load_model))
    model, _ = run_directory.load_model(run_dir, "latest")
    codes = make("encoder", run_dir=run_dir)
    np.testing.assert_allclose(
        codes.forward(IMAGES), np.reshape(model.encode(IMAGES), (2, -1)), atol=1e-6
    )
    assert codes.weights == f"{run_dir}, step {tiny.STEP}"
    maps = make("discriminator", run_dir=run_dir)
    expected = np.reshape(model.discriminator.features(IMAGES), (2, -1))
    np.testing.assert_allclose(maps.forward(IMAGES), expected, atol=1e-6)


@pytest.fixture
def encoder_file(tmp_path):
    path = str(tmp_path / "e.weights.h5")
    weights_files.write(Encoder(**SMALL_ENCODER, seed=5), path, "encoder")
    return path


def test_the_baseline_has_the_same_sizes_and_its_own_seed(encoder_file):
    trained = make("encoder", weights=encoder_file)
    first, same, other = (make("encoder", True, seed, weights=encoder_file) for seed in (3, 3, 4))
    assert first.dimension == trained.dimension and first.weights == "random"
    assert first.weights_hash == same.weights_hash
    assert len({first.weights_hash, other.weights_hash, trained.weights_hash}) == 3


def test_weights_files(encoder_file):
    path, network = encoder_file, Encoder(**SMALL_ENCODER, seed=5)
    found = make("encoder", weights=path)
    np.testing.assert_allclose(
        found.forward(IMAGES), np.reshape(network(IMAGES), (2, -1)), atol=1e-6
    )
    assert found.weights == path
    before = make("encoder_before_bottleneck", weights=path).forward(IMAGES)
    cells = network.head(tf.reshape(before, (2, 2, 2, -1)))
    np.testing.assert_allclose(np.reshape(cells, (2, -1)), found.forward(IMAGES), atol=1e-5)
    for name, message in (("discriminator", "network discriminator"), ("alexnet:conv1", "alexnet")):
        with pytest.raises(UserError, match=f"e.weights.h5 does not hold .*{message}"):
            make(name, weights=path)
    with pytest.raises(UserError, match="there is no file absent"):
        make("encoder", weights="absent")


def test_layers_of_a_deepcluster(tmp_path):
    path = str(tmp_path / "d.weights.h5")
    network = DeepClusterAlexNet(**SMALL_DEEPCLUSTER, stem_stride=2, seed=5)
    deepcluster.write(network, path)
    images = np.random.default_rng(1).uniform(-1, 1, (2, 40, 40, 3)).astype(np.float32)
    last = make("deepcluster:fc7", weights=path, image_size=40)
    np.testing.assert_allclose(last.forward(images), network.features(images), atol=1e-6)
    maps = make("deepcluster:conv3", weights=path, image_size=40)
    expected = np.reshape(network.maps(images, 3), (2, -1))
    np.testing.assert_allclose(maps.forward(images), expected, atol=1e-6)
    larger = make("deepcluster:conv3", weights=path, image_size=64)
    assert larger.dimension > maps.dimension
    with pytest.raises(UserError, match="--image_size=64: .*40x40 px"):
        make("deepcluster:fc7", weights=path, image_size=64)
    with pytest.raises(UserError, match="deepcluster:conv1: .*cannot read images of 8 px"):
        make("deepcluster:conv1", image_size=8)


def test_convolutions_of_an_alexnet_that_was_trained_at_another_size(tmp_path):
    path = str(tmp_path / "a.weights.h5")
    network = AlexNet(image_size=28, outputs=3, seed=5, **SMALL_ALEXNET)
    weights_files.write(network, path, "alexnet")
    found = make("alexnet:conv4", weights=path)
    expected = np.reshape(network.maps(IMAGES, 4), (2, -1))
    np.testing.assert_allclose(found.forward(IMAGES), expected, atol=1e-6)
    assert make("alexnet:fc7", weights=path, image_size=28).dimension == 7
    with pytest.raises(UserError, match="--image_size=32: .*28x28 px"):
        make("alexnet:fc7", weights=path)


def test_a_saved_model_and_its_baseline(tmp_path):
    module = tf.Module()
    spec = tf.TensorSpec((None, 32, 32, 3), tf.float32, "images")
    module.run = tf.function(lambda images: {"y": images[:, ::16, 0]}, input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path), signatures=module.run)
    found = make(f"saved_model:{tmp_path}")
    np.testing.assert_allclose(
        found.forward(IMAGES), np.reshape(IMAGES[:, ::16, 0], (2, 6)), atol=1e-6
    )
    assert found.network is None and found.dimension == 6
    assert make(f"saved_model:{tmp_path}", random=True).name == "encoder"
    with pytest.raises(UserError, match="reads images of 32 px"):
        make(f"saved_model:{tmp_path}", image_size=64)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "encoder", "image_size": 80}, "--image_size=80: .*multiples of 32 px"),
        ({"name": "alexnet:conv5", "image_size": 32}, "smallest are 67 px"),
        ({"name": "encoder", "run_dir": "absent"}, "absent is no run directory"),
    ],
)
def test_what_cannot_be_made(given, message):
    with pytest.raises(UserError, match=message):
        make(**given)
