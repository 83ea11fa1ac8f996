import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.networks import weights_files
from lorbms_tf.networks.encoder import Encoder
from lorbms_tf.probing import features, linear
from lorbms_tf.probing.settings import FeatureConfig, ProbeConfig
from tests import tiny

SMALL_ENCODER = {
    "image_size": 32, "chunk_size": 5, "stem_width": 4, "block_layers": (1, 1, 1, 1), "growth": 2,
}  # fmt: skip


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


@pytest.fixture
def encoder_file(tmp_path):
    path = str(tmp_path / "e.weights.h5")
    weights_files.write(Encoder(**SMALL_ENCODER, seed=5), path, "encoder")
    return path


def make(name, random=False, seed=0, **given):
    config = FeatureConfig(**{"features": name, "image_size": 32, **given})
    return features.make(config, seed, random)


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
