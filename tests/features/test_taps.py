"""Taps: every family by small files in its own format, preparation, gradients, and errors."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.features import squeezenet, taps, vgg
from lorbms_tf.networks.squeezenet import SqueezeNet
from tests.parity import inputs

IMAGES = np.random.default_rng(1).uniform(-1, 1, (2, 48, 48, 3)).astype(np.float32)
WIDTHS = (64, 128)


def vgg_arrays(prefix="", convs=("conv1_1", "conv1_2", "conv2_1"), normalised=False) -> dict:
    """Random arrays in the shapes of VGG's first convolutions."""
    random, width, arrays = np.random.default_rng(2), 3, {}
    for name in [*(["pre_1x1"] if normalised else []), *convs]:
        filters = 3 if name == "pre_1x1" else WIDTHS[int(name[4]) - 1]
        side = 1 if name == "pre_1x1" else 3
        kernel = random.normal(scale=0.1, size=(side, side, width, filters))
        arrays[f"{prefix}{name}/kernel"] = kernel.astype(np.float32)
        arrays[f"{prefix}{name}/bias"] = random.normal(size=filters).astype(np.float32)
        width = filters
    return arrays


def squeezenet_arrays(version="1.0") -> dict:
    network = SqueezeNet(version, seed=3)
    return {
        f"{name}/{part}": np.asarray(value)
        for name, conv in squeezenet.convolutions(network)
        for part, value in (("kernel", conv.kernel), ("bias", conv.bias))
    }


def test_caffe_pixels_are_bgr_less_the_mean():
    white = np.ones((1, 1, 1, 3), np.float32)
    red = np.array([[[[1.0, -1.0, -1.0]]]], np.float32)
    np.testing.assert_allclose(
        np.ravel(vgg.caffe_pixels(white)), [255 - 103.939, 255 - 116.779, 255 - 123.68], rtol=1e-6
    )
    np.testing.assert_allclose(
        np.ravel(vgg.caffe_pixels(red)), [-103.939, -116.779, 255 - 123.68], rtol=1e-6
    )
    pixels = (IMAGES + 1) * 127.5
    expected = keras.applications.vgg16.preprocess_input(pixels.copy())
    np.testing.assert_allclose(vgg.caffe_pixels(IMAGES), expected, atol=1e-4)


def test_a_file_of_arrays_gives_the_convolutions_that_it_holds(tmp_path):
    path, arrays = tmp_path / "vgg.npz", vgg_arrays()
    np.savez(path, **arrays)
    maps = taps.make("vgg16", ["conv1_1"], str(path))(IMAGES)["conv1_1"]
    prepared = vgg.caffe_pixels(IMAGES)
    expected = tf.nn.conv2d(prepared, arrays["conv1_1/kernel"], 1, "SAME")
    expected = np.maximum(expected + arrays["conv1_1/bias"], 0)
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-3)


def test_the_normalised_form_reads_unit_pixels_and_reflects(tmp_path):
    path, arrays = tmp_path / "vgg.npz", vgg_arrays("encoder/", normalised=True)
    np.savez(path, **arrays, **{"decoder/0/kernel": np.zeros(1)})
    maps = taps.make("vgg19", ["conv1_1"], str(path))(IMAGES)["conv1_1"]
    pixels = (IMAGES + 1) / 2 @ arrays["encoder/pre_1x1/kernel"][0, 0]
    padded = np.pad(
        pixels + arrays["encoder/pre_1x1/bias"], ((0, 0), (1, 1), (1, 1), (0, 0)), "reflect"
    )
    expected = tf.nn.conv2d(padded, arrays["encoder/conv1_1/kernel"], 1, "VALID")
    expected = np.maximum(expected + arrays["encoder/conv1_1/bias"], 0)
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-4)


def test_keras_files_with_and_without_the_classifier_are_read(tmp_path):
    keras.utils.set_random_seed(0)
    published = keras.applications.MobileNetV2(include_top=True, weights=None, classes=1000)
    path = tmp_path / "whole.weights.h5"
    published.save_weights(path)
    layer = "block_1_project_BN"
    maps = taps.make("mobilenet_v2", [layer], str(path))(IMAGES)[layer]
    inner = keras.Model(published.input, published.get_layer(layer).output)
    images = np.pad(IMAGES, ((0, 0), (0, 176), (0, 176), (0, 0)))
    # Its padding looks at no more than the next pixels, so the inside of the maps is the same.
    np.testing.assert_allclose(maps[:, :8, :8], inner(images)[:, :8, :8], rtol=1e-4, atol=1e-4)


def test_vgg16_is_that_of_keras(tmp_path):
    keras.utils.set_random_seed(1)
    published = keras.applications.VGG16(include_top=False, weights=None)
    for weight in published.weights:
        if weight.name == "bias":
            weight.assign(0.1 * keras.random.normal(weight.shape))
    path = str(tmp_path / "vgg16.weights.h5")
    published.save_weights(path)
    layers = ("conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3")
    names = [layer.replace("conv", "block").replace("_", "_conv") for layer in layers]
    inner = keras.Model(published.input, [published.get_layer(name).output for name in names])
    expected = inner(keras.applications.vgg16.preprocess_input((IMAGES + 1) * 127.5))
    maps = taps.make("vgg16", layers, path)(IMAGES)
    for layer, values in zip(layers, expected, strict=True):
        scale = np.abs(values).max()
        np.testing.assert_allclose(maps[layer], values, rtol=1e-4, atol=1e-5 * scale)


def torchvision_arrays(arrays: dict, names: list[str]) -> dict:
    """The arrays of convolutions as torchvision names and lays them out."""
    found = {}
    for number, name in enumerate(names):
        found[f"features.{number}.weight"] = arrays[f"{name}/kernel"].transpose(3, 2, 0, 1)
        found[f"features.{number}.bias"] = arrays[f"{name}/bias"]
    return found


@pytest.mark.parametrize(
    "network, layers, reason",
    [
        ("vgg16", ["conv1_1"], "it has 3 convolutions, wanted 13"),
        ("squeezenet", ["conv1"], "wanted 26"),
        ("alexnet", ["conv1"], "wanted 5"),
    ],
)
def test_state_dicts_of_other_networks_are_refused(tmp_path, network, layers, reason):
    path = str(tmp_path / "other.npz")
    np.savez(path, **torchvision_arrays(vgg_arrays(), ["conv1_1", "conv1_2", "conv2_1"]))
    with pytest.raises(UserError, match=f"other.npz does not hold .*{reason}"):
        taps.make(network, layers, path)


def test_a_state_dict_without_a_bias_is_refused(tmp_path):
    path = str(tmp_path / "alexnet.npz")
    arrays = inputs.state_dict("alex")
    del arrays["features.3.bias"]
    np.savez(path, **arrays)
    with pytest.raises(UserError, match="features.3.weight is no convolution with a bias"):
        taps.make("alexnet", ["conv1"], path)


def test_squeezenet_is_told_from_its_file(tmp_path):
    for version in ("1.0", "1.1"):
        path = tmp_path / f"{version}.npz"
        np.savez(path, **squeezenet_arrays(version))
        tapped = taps.make("squeezenet", ["fire3", "conv1"], str(path))
        assert tapped.network.settings["version"] == version
        maps = tapped(IMAGES)
        assert list(maps) == ["fire3", "conv1"]
        expected = SqueezeNet(version, seed=3).layer_maps(squeezenet.prepare(IMAGES), ["fire3"])
        np.testing.assert_array_equal(maps["fire3"], expected["fire3"])


def test_networks_trained_here_have_their_layers():
    encoder = taps.make("encoder:pretrained:scenes64", ["block1", "code"])
    images = np.zeros((1, 64, 64, 3), np.float32)
    maps = encoder(images)
    assert maps["block1"].shape[1:3] == (32, 32) and maps["code"].shape[1:3] == (2, 2)
    np.testing.assert_array_equal(maps["code"], encoder.network(images))
    judge = taps.make("discriminator:pretrained:scenes64", ["conv4"])
    np.testing.assert_array_equal(judge(images)["conv4"], judge.network.features(images))


def test_random_weights_follow_from_the_seed():
    one, same, other = (taps.make("alexnet", ["conv2"], "none", seed) for seed in (1, 1, 2))
    images = np.zeros((1, 64, 64, 3), np.float32)
    assert one.weights_hash == same.weights_hash != other.weights_hash
    assert one.weights == "random"
    np.testing.assert_array_equal(one(images)["conv2"], same(images)["conv2"])


def test_gradients_reach_the_images_and_no_weights():
    tapped = taps.make("vgg16", ["conv1_2", "conv2_1"], "none")
    images = tf.Variable(IMAGES)
    with tf.GradientTape() as tape:
        loss = sum(tf.reduce_sum(maps) for maps in tapped(images).values())
    assert not tapped.network.trainable_variables
    gradient = tape.gradient(loss, images).numpy()
    assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


@pytest.mark.parametrize(
    "name, layers, weights, reason",
    [
        ("vgg13", ["conv1_1"], "", "valid: vgg16, vgg19"),
        ("encoder", ["code"], "", "encoder:RUN_DIR"),
        ("vgg16:x", ["conv1_1"], "", "valid: vgg16"),
        ("vgg16", ["conv5_4"], "none", "valid layers: conv1_1, .*conv5_3"),
        ("vgg16", [], "none", "name at least one"),
        ("squeezenet", ["fire2"], "", "needs --weights"),
        ("squeezenet", ["fire2"], "missing.npz", "missing.npz does not hold"),
        ("keras:Nothing", ["x"], "none", "valid names: .*ResNet50"),
        ("encoder:pretrained:scenes64", ["conv1"], "", "valid layers: stem, block1"),
        ("encoder:pretrained:scenes64", ["code"], "none", "leave it out"),
        ("encoder:nowhere", ["code"], "", "no run directory"),
    ],
)
def test_what_cannot_be_had_is_named(name, layers, weights, reason):
    with pytest.raises(UserError, match=reason):
        taps.make(name, layers, weights)


@pytest.mark.parametrize(
    "arrays, layers, reason",
    [
        (vgg_arrays(convs=("conv1_1", "conv2_1")), ["conv1_1"], "holds conv1_1, conv2_1"),
        ({"x": np.zeros(3)}, ["conv1_1"], "holds no convolutions"),
        (vgg_arrays(), ["conv3_1"], "to conv2_1 only, which has no conv3_1"),
        ({**vgg_arrays(), "conv1_2/bias": np.zeros(3)}, ["conv1_2"], "conv1_2/bias has the shape"),
        ({**vgg_arrays(), "conv1_2/bias": np.zeros(())}, ["conv1_2"], "wanted \\[64\\]"),
    ],
)
def test_files_of_other_arrays_are_refused(tmp_path, arrays, layers, reason):
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(UserError, match=reason):
        taps.make("vgg16", layers, str(tmp_path / "other.npz"))


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "cut.npz"
    np.savez(path, **vgg_arrays())
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UserError, match="cut.npz does not hold"):
        taps.make("vgg16", ["conv1_1"], str(path))


def test_caffenet_reads_arrays_and_says_what_is_missing(tmp_path):
    network = taps.make("caffenet", ["pool5"], "none", seed=3).network
    names = [name for name in network.layer_names if name != "pool5"]
    arrays = {}
    for name, conv in zip(names, network.convs, strict=True):
        arrays |= {f"{name}/kernel": np.array(conv.kernel), f"{name}/bias": np.array(conv.bias)}
    np.savez(tmp_path / "convs.npz", **arrays)
    images = np.random.default_rng(0).uniform(-1, 1, (1, 67, 67, 3)).astype("float32")
    made = [
        np.asarray(taps.make("caffenet", ["pool5"], weights, seed)(images)["pool5"])
        for weights, seed in (("none", 3), (str(tmp_path / "convs.npz"), 4), ("none", 4))
    ]
    np.testing.assert_array_equal(made[0], made[1])
    assert made[0].shape == (1, 1, 1, 256) and (made[0] != made[2]).any()
    arrays.pop("conv3/bias")
    np.savez(tmp_path / "fewer.npz", **arrays)
    with pytest.raises(UserError, match="fewer.npz.*conv3/bias is missing"):
        taps.make("caffenet", ["pool5"], str(tmp_path / "fewer.npz"))
