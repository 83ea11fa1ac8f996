import functools
import hashlib

import keras
import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.features.registry import quadrant_network, score_network


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


IMAGE = np.random.default_rng(1).uniform(-1, 1, (1, 224, 224, 3)).astype(np.float32)


def preprocess_input(images):
    """Of the family of `stand_in`."""
    return images * 2.0


def stand_in(include_top, weights, input_shape=None, pooling=None, classes=None):
    """A network of keras.applications in small: a convolution without neighbours."""
    if weights == "imagenet":
        raise Exception("URL fetch failure on https://example.org: None -- no network")
    if input_shape and input_shape[0] < 40:
        raise ValueError("Input size must be at least 40x40")
    inputs = keras.Input(input_shape or (40, 40, 3))
    maps = keras.layers.Conv2D(3, 1, name="conv")(inputs)
    outputs = keras.layers.GlobalAveragePooling2D()(maps)
    if include_top:
        outputs = keras.layers.Dense(classes)(outputs)
    return keras.Model(inputs, outputs)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(keras.applications, "VGG16", stand_in)


def test_features_are_those_of_the_preprocessed_pixels(monkeypatch):
    made = []
    original = keras.applications.VGG16

    @functools.wraps(original)  # of the same family
    def remembered(**given):
        made.append(original(**given))
        return made[-1]

    monkeypatch.setattr(keras.applications, "VGG16", remembered)
    network = quadrant_network("keras:VGG16", weights="none", seed=3, side=32)
    quadrants = noise(2, 32, 32, 3)
    pixels = keras.applications.vgg16.preprocess_input(quadrants.astype(np.float32))
    expected = made[0](pixels).numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    features = network(quadrants)
    assert features.shape == (2, network.dimension) == (2, 512)
    assert (network.name, network.side) == ("keras:VGG16", 32)
    np.testing.assert_allclose(features, expected, atol=1e-5)


def test_random_weights_follow_the_seed(small):
    first, same, other = (
        quadrant_network("keras:VGG16", weights="none", seed=seed, side=40) for seed in (1, 1, 2)
    )
    assert first.weights_hash == same.weights_hash != other.weights_hash


def test_the_size_is_the_published_one_or_the_asked_one(small):
    assert quadrant_network("keras:VGG16", weights="none").side == 224
    assert quadrant_network("keras:VGG16", weights="none", side=48).side == 48


def test_weights_with_and_without_the_classifier(small, tmp_path):
    full = stand_in(True, None, (40, 40, 3), classes=1000)
    kernel = np.arange(9.0).reshape(1, 1, 3, 3)
    full.layers[1].set_weights([kernel, np.zeros(3)])
    headless = keras.Model(full.input, full.layers[-2].output)
    quadrants = np.full((1, 40, 40, 3), (10, 0, 0), np.uint8)  # doubled by its family's rule
    expected = np.array([0.0, 1.0, 2.0]) / np.sqrt(5)
    # The last is an older format, which is read by the number of layers.
    for name, model in (("a.weights.h5", full), ("b.weights.h5", headless), ("c.h5", full)):
        path = tmp_path / name
        (model.save if name == "c.h5" else model.save_weights)(path)
        network = quadrant_network("keras:VGG16", weights=str(path), side=40)
        np.testing.assert_allclose(network(quadrants)[0], expected, atol=1e-5)


def test_weights_of_something_else_are_an_error(small, tmp_path):
    path = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    with pytest.raises(UserError, match=r"other\.weights\.h5.*keras:VGG16"):
        quadrant_network("keras:VGG16", weights=str(path), side=40)


@pytest.mark.parametrize(
    ("weights", "size", "reason"),
    [
        ("none", 32, "cannot read quadrants of 32 px.*at least 40"),
        ("none", 16, "at least 32 px, not 16"),
        ("", 40, "ImageNet weights of keras:VGG16.*--weights=FILE.*no network"),
        ("imagenet", 40, "ImageNet weights of keras:VGG16.*--weights=FILE.*no network"),
    ],
)
def test_what_cannot_be_made_is_told(small, weights, size, reason):
    with pytest.raises(UserError, match=reason):
        quadrant_network("keras:VGG16", weights=weights, side=size)


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


@pytest.mark.parametrize("name", ["alexnet", "mobilenet_v2"])
def test_files_of_another_network_are_an_error(tmp_path, name):
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


def test_keras_network_gives_features_and_logits(tmp_path):
    model = keras.applications.MobileNetV2(weights=None, classifier_activation=None)
    path = tmp_path / "some.weights.h5"
    model.save_weights(path)
    made = score_network("mobilenet_v2", str(path), "antialias")
    features, logits = made.outputs(IMAGE)
    assert features.shape == (1, 1280)
    np.testing.assert_allclose(logits, model(IMAGE, training=False), atol=1e-4)
