import functools

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.networks import weights_files
from lorbms_tf.networks.alexnet import AlexNet
from lorbms_tf.networks.encoder import Encoder
from lorbms_tf.probing import features, linear
from lorbms_tf.probing.settings import FeatureConfig, ProbeConfig
from lorbms_tf.training import run_directory
from tests import tiny

IMAGES = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
SMALL_ENCODER = {
    "image_size": 32, "chunk_size": 5, "stem_width": 4, "block_layers": (1, 1, 1, 1), "growth": 2,
}  # fmt: skip
SMALL_ALEXNET = {"channels": 3, "conv_widths": (2, 4, 6, 6, 4), "dense_widths": (3, 7)}


@pytest.mark.parametrize(
    ("name", "dimension", "parameters"),
    [
        ("encoder", 3 * 3 * 192, 17_290),
        ("discriminator", 6 * 6 * 336, 120_970),
        ("alexnet:conv5", 4 * 4 * 256, 40_970),
    ],
)
def test_sizes_of_the_thesis_at_96_pixels(name, dimension, parameters):
    found = features.make(FeatureConfig(features=name), seed=0)
    assert found.dimension == dimension
    assert linear.LinearProbe(found, 10, ProbeConfig(), seed=0).parameters == parameters
    assert found.weights == "random"


def make(name, random=False, seed=0, **given):
    config = FeatureConfig(**{"features": name, "image_size": 32, **given})
    return features.make(config, seed, random)


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
        ({"features": "encoder", "image_size": 80}, "--image_size=80: .*multiples of 32 px"),
        ({"features": "alexnet:conv5", "image_size": 32}, "smallest are 67 px"),
        ({"features": "encoder", "run_dir": "absent"}, "absent is no run directory"),
    ],
)
def test_what_cannot_be_made(given, message):
    with pytest.raises(UserError, match=message):
        features.make(FeatureConfig(**given), seed=0)


def test_features_of_many_images_in_blocks(encoder_file):
    class Noise:
        names = ()

        def __len__(self):
            return 5

        def take(self, places):
            return np.stack([tiny.noise(place) for place in places])

    found = make("encoder", weights=encoder_file)
    whole = features.compute(found, Noise(), batch_size=2, label="")
    one = tiny.noise(4)[None] / np.float32(127.5) - 1
    np.testing.assert_allclose(whole[4:], found.forward(one), atol=1e-5)


def test_features_that_are_not_finite_name_their_images(encoder_file):
    class Dark:
        def __len__(self):
            return 3

        def take(self, places):
            return np.zeros((len(places), 32, 32, 3), np.uint8)

    found = make("encoder", weights=encoder_file)
    found.network.set_weights([np.full_like(w, np.nan) for w in found.network.get_weights()])
    with pytest.raises(UserError, match="--features=encoder .*images 0 to 1 are not all finite"):
        features.compute(found, Dark(), batch_size=2, label="")


def test_a_constant_feature_is_only_shifted_however_many_images_there_are(encoder_file):
    found = make("encoder", weights=encoder_file)
    constant = np.full((5000, found.dimension), np.float32(0.1))
    shifted, brought = features.standardized(found, constant)
    np.testing.assert_allclose(brought, 0.0, atol=1e-5)
    images = tiny.noise(1)[None] / np.float32(127.5) - 1
    plain = np.asarray(make("encoder", weights=encoder_file).forward(images))
    np.testing.assert_allclose(shifted.forward(images), plain - np.float32(0.1), atol=1e-5)


def test_standardized_features_have_mean_zero_and_deviation_one(encoder_file):
    found = make("encoder", weights=encoder_file)
    images = np.stack([tiny.noise(place) for place in range(6)]) / np.float32(127.5) - 1
    plain = np.asarray(found.forward(images)).copy()
    plain[:, 0] = 7.0  # constant: only shifted
    standard, of_plain = features.standardized(found, plain)
    brought = np.asarray(standard.forward(images))
    np.testing.assert_allclose(of_plain[:, 1:], brought[:, 1:], atol=1e-4)
    np.testing.assert_allclose(brought[:, 1:].mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(brought[:, 1:].std(axis=0), 1.0, atol=1e-3)
    first = np.asarray(make("encoder", weights=encoder_file).forward(images))[:, 0]
    np.testing.assert_allclose(brought[:, 0], first - 7.0, atol=1e-5)
