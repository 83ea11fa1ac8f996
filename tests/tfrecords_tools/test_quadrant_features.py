import hashlib
import re

import keras
import numpy as np
import pytest

from lorbms_tf.data.images import BadImage, decode_jpeg, encode_jpeg
from lorbms_tf.errors import UserError
from lorbms_tf.features.registry import quadrant_network
from lorbms_tf.networks.alexnet import AlexNet
from tfrecords_tools.quadrant_features import compute


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


class MeanColour:
    """Stands in for a network: the features of a quadrant are its mean colour."""

    dimension = 3

    def __call__(self, quadrants):
        return quadrants.mean(axis=(1, 2), dtype=np.float32)


@pytest.fixture(scope="module")
def alexnet():
    return quadrant_network("alexnet", seed=1, side=32)


@pytest.fixture(scope="module")
def mobilenet_files(tmp_path_factory):
    """Weights of a MobileNetV2 with its top, as files with and without the top, and the model."""
    keras.utils.set_random_seed(0)
    full = keras.applications.MobileNetV2((32, 32, 3), weights=None, classes=1000)
    headless = keras.applications.MobileNetV2((32, 32, 3), weights=None, include_top=False)
    headless.set_weights(full.get_weights()[:-2])
    folder = tmp_path_factory.mktemp("mobilenet")
    full.save_weights(folder / "full.weights.h5")
    headless.save_weights(folder / "headless.weights.h5")
    return folder / "full.weights.h5", folder / "headless.weights.h5", full


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


def test_alexnet_weights_from_a_file(tmp_path, alexnet):
    path = tmp_path / "trained.weights.h5"
    AlexNet(image_size=28, channels=3, dense_widths=(8,), outputs=5, seed=1).save_weights(path)
    network = quadrant_network("alexnet", weights=str(path), seed=7, side=32)
    quadrants = noise(2, 16, 16, 3)
    np.testing.assert_array_equal(network(quadrants), alexnet(quadrants))  # both of seed 1
    assert network.weights_hash == hashlib.sha256(path.read_bytes()).hexdigest()


def test_quadrants_keep_their_order():
    colours = np.array([[250, 0, 0], [0, 250, 0], [0, 0, 250], [250, 250, 0]], np.uint8)
    top = np.concatenate([np.full((4, 4, 3), c, np.uint8) for c in colours[:2]], axis=1)
    bottom = np.concatenate([np.full((4, 4, 3), c, np.uint8) for c in colours[2:]], axis=1)
    image = np.concatenate([top, bottom])
    features = compute([image, 255 - image], MeanColour())
    assert features.shape == (2, 4, 3) and features.dtype == np.float32
    np.testing.assert_array_equal(features, [colours, 255.0 - colours])


def test_jpeg_items_give_the_features_of_their_pixels():
    images = list(noise(3, 16, 16, 3))
    encoded = [encode_jpeg(image) for image in images]
    decoded = [decode_jpeg(item) for item in encoded]
    np.testing.assert_array_equal(compute(encoded, MeanColour()), compute(decoded, MeanColour()))


@pytest.mark.parametrize("batch_size", [1, 2, 5, 64])
def test_the_number_of_items_at_a_time_changes_nothing(alexnet, batch_size):
    images = noise(5, 32, 32, 3)
    expected = np.stack(
        [alexnet(np.stack([i[:16, :16], i[:16, 16:], i[16:, :16], i[16:, 16:]])) for i in images]
    )
    features = compute(iter(images), alexnet, batch_size, progress=None, total=5)
    np.testing.assert_allclose(features, expected, atol=1e-5)


def test_no_items():
    assert compute([], MeanColour()).shape == (0, 4, 3)


def test_progress_sees_every_item():
    seen = []

    def progress(items, total, label):
        for item in items:
            seen.append((total, label))
            yield item

    compute(list(noise(3, 8, 8, 3)), MeanColour(), progress=progress)
    assert seen == [(3, "quadrant features")] * 3


@pytest.mark.parametrize(
    ("items", "total", "reason"),
    [
        ([noise(8, 8, 3)], 2, "1 items, not 2"),
        ([noise(8, 8, 3)] * 3, 2, "more than 2"),
        ([noise(8, 6, 3)], None, "even"),
        ([noise(7, 7, 3)], None, "even"),
        ([noise(8, 8, 3), noise(6, 6, 3)], None, "the same"),
    ],
)
def test_bad_items_are_an_error(items, total, reason):
    with pytest.raises(ValueError, match=reason):
        compute(items, MeanColour(), total=total)


def test_a_broken_jpeg_is_named_by_its_number():
    with pytest.raises(BadImage, match="item 1"):
        compute([encode_jpeg(noise(8, 8, 3)), b"broken"], MeanColour())


def test_an_unknown_network_is_answered_with_the_valid_ones():
    with pytest.raises(UserError, match="=resnet .*alexnet, deepcluster, mobilenet_v2"):
        quadrant_network("resnet")


def test_a_missing_weights_file_is_named():
    with pytest.raises(UserError, match=r"--weights.*nowhere\.h5"):
        quadrant_network("alexnet", weights="nowhere.h5")


@pytest.mark.parametrize("name", ["alexnet", "mobilenet_v2"])
def test_weights_of_something_else_are_an_error(tmp_path, name):
    path = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    with pytest.raises(UserError, match=rf"other\.weights\.h5.*{name}"):
        quadrant_network(name, weights=str(path), side=32)
    path.write_text("no weights at all")
    with pytest.raises(UserError, match=rf"other\.weights\.h5.*{name}"):
        quadrant_network(name, weights=str(path), side=32)


@pytest.mark.parametrize("name", ["alexnet", "mobilenet_v2"])
def test_an_input_too_small_is_an_error(name):
    with pytest.raises(UserError, match="at least"):
        quadrant_network(name, side=16)


def test_mobilenet_v2_with_and_without_top(mobilenet_files):
    full_path, headless_path, full = mobilenet_files
    quadrants = noise(2, 32, 32, 3)
    penultimate = keras.Model(full.input, full.layers[-1].input)  # what the last layer reads
    expected = penultimate(quadrants / np.float32(127.5) - 1, training=False).numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    for path in (full_path, headless_path):
        network = quadrant_network("mobilenet_v2", weights=str(path), side=32)
        features = network(quadrants)
        assert features.shape == (2, network.dimension) == (2, 1280)
        np.testing.assert_allclose(features, expected, atol=1e-5)
        assert network.weights_hash == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_failed_download_says_what_to_do(monkeypatch):
    def fail(*args, **kwargs):
        raise Exception("URL fetch failure on https://example.org: None -- no network")

    monkeypatch.setattr(keras.applications, "MobileNetV2", fail)
    with pytest.raises(UserError, match="--weights=FILE.*no network"):
        quadrant_network("mobilenet_v2")
