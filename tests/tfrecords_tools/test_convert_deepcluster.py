"""The converter, on checkpoints of the published format and naming that the tests make."""

import importlib
import sys

import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.features import deepcluster
from lorbms_tf.features.registry import quadrant_network
from lorbms_tf.networks.deepcluster import DeepClusterAlexNet
from tfrecords_tools import convert_deepcluster

WIDTHS = (4, 6, 8, 8, 6)
DENSE = (5, 7)


def sobel():
    horizontal = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], np.float32)
    return {
        "sobel.0.weight": np.full((1, 3, 1, 1), 1 / 3, np.float32),
        "sobel.0.bias": np.zeros(1, np.float32),
        "sobel.1.weight": np.stack([horizontal, horizontal.T])[:, None],
        "sobel.1.bias": np.zeros(2, np.float32),
    }


def small_state():
    """A state_dict with the names and layouts of the published one, in small."""
    rng = np.random.default_rng(0)
    state, inputs = {}, 2
    for place, width, kernel in zip((0, 4, 8, 11, 14), WIDTHS, (11, 5, 3, 3, 3), strict=True):
        module = f"features.module.{place}."
        state[module + "weight"] = rng.normal(size=(width, inputs, kernel, kernel)) / kernel
        state[module + "bias"] = rng.normal(size=width)
        norm = f"features.module.{place + 1}."
        for name in ("weight", "bias", "running_mean", "running_var"):
            state[norm + name] = rng.uniform(0.5, 1.5, width)
        state[norm + "num_batches_tracked"] = np.array(3)
        inputs = width
    inputs *= 36
    for place, width in zip((1, 4), DENSE, strict=True):
        state[f"classifier.{place}.weight"] = rng.normal(size=(width, inputs))
        state[f"classifier.{place}.bias"] = rng.normal(size=width)
        inputs = width
    state["top_layer.weight"] = rng.normal(size=(9, inputs))
    state["top_layer.bias"] = rng.normal(size=9)
    return {**{k: v.astype(np.float32) for k, v in state.items()}, **sobel()}


def test_layouts_and_widths():
    state = small_state()
    network = convert_deepcluster.convert(state)
    assert network.settings["conv_widths"] == WIDTHS and network.settings["dense_widths"] == DENSE
    kernel = network.convs[1].get_weights()[0]  # [k, k, in, out]
    assert kernel[1, 2, 3, 4] == state["features.module.4.weight"][4, 3, 1, 2]
    gamma, beta, mean, variance = network.norms[2].get_weights()
    np.testing.assert_array_equal(beta, state["features.module.9.bias"])
    np.testing.assert_array_equal(variance, state["features.module.9.running_var"])
    first = network.dense[0].get_weights()[0].reshape(6, 6, 6, 5)  # [h, w, C, out]
    given = state["classifier.1.weight"].reshape(5, 6, 6, 6)  # [out, C, h, w]
    assert first[1, 2, 3, 4] == given[4, 3, 1, 2]
    second = network.dense[1].get_weights()[0]
    np.testing.assert_array_equal(second, state["classifier.4.weight"].T)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("features.module.8.weight", None, "no tensor 'features.8.weight'"),
        ("sobel.0.weight", None, "no tensor 'sobel.0.weight'"),
        ("sobel.1.weight", np.ones((2, 1, 3, 3)), "sobel.1.weight is not DeepCluster's edge"),
        ("features.module.4.weight", np.ones((6, 3, 5, 5)), "Conv2D 2 has shapes"),
        ("features.module.5.weight", np.ones((6, 1)), r"features.5.weight has shape \(6, 1\)"),
        ("classifier.1.weight", np.ones((5, 6 * 49)), "reads 294 values, not 6 x 6 x 6"),
        ("classifier.6.weight", np.ones((5, 7)), "it has classifier.6.weight too"),
    ],
)
def test_tensors_that_do_not_fit_are_named(name, value, reason):
    state = small_state()
    state.pop(name, None)
    if value is not None:
        state[name] = value
    with pytest.raises(UserError, match=reason):
        convert_deepcluster.convert(state, "file.pth")


def test_without_torch_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UserError, match=r"PyTorch is missing: .* install .*\[torch\]"):
        convert_deepcluster.load(str(tmp_path))


@pytest.fixture
def torch():
    return importlib.import_module("torch")


def published_network(torch):
    """The published network of PyTorch, its norms not at their first values, in evaluation."""
    nn = torch.nn
    layers, inputs = [], 2
    sizes = ((96, 11, 4, 2), (256, 5, 1, 2), (384, 3, 1, 1), (384, 3, 1, 1), (256, 3, 1, 1))
    for index, (width, kernel, stride, padding) in enumerate(sizes):
        conv = nn.Conv2d(inputs, width, kernel, stride=stride, padding=padding)
        norm = nn.BatchNorm2d(width)
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.uniform_(norm.running_mean, -0.5, 0.5)
        nn.init.uniform_(norm.running_var, 0.5, 1.5)
        layers += [conv, norm, nn.ReLU()]
        layers += [nn.MaxPool2d(3, 2)] if index in (0, 1, 4) else []
        inputs = width
    grey, edges = nn.Conv2d(3, 1, 1), nn.Conv2d(1, 2, 3, padding=1)
    for conv, name in ((grey, "sobel.0"), (edges, "sobel.1")):
        conv.weight.data = torch.tensor(sobel()[f"{name}.weight"])
        conv.bias.data.zero_()
    model = nn.Module()
    model.sobel = nn.Sequential(grey, edges)
    model.features = nn.DataParallel(nn.Sequential(*layers))
    dense = [nn.Dropout(0.5), nn.Linear(9216, 4096), nn.ReLU()]
    model.classifier = nn.Sequential(*dense, nn.Dropout(0.5), nn.Linear(4096, 4096), nn.ReLU())
    model.top_layer = nn.Linear(4096, 10)
    return model.eval()


@pytest.mark.extras
def test_the_published_checkpoint_gives_torchs_outputs(torch, tmp_path):
    torch.manual_seed(0)
    model = published_network(torch)
    momentum = {"momentum_buffer": model.top_layer.bias.data}
    stored = {
        "epoch": 500,
        "arch": "alexnet",
        "state_dict": model.state_dict(),
        "optimizer": {"state": {0: momentum}, "param_groups": [{"lr": 0.05, "params": [0]}]},
    }
    path, out = tmp_path / "checkpoint.pth.tar", tmp_path / "d.weights.h5"
    torch.save(stored, path, _use_new_zipfile_serialization=False)  # as PyTorch of 2018 wrote
    del stored
    assert {"features.module.0.weight", "classifier.4.bias", "top_layer.weight"} <= set(
        model.state_dict()
    )
    config = convert_deepcluster.ConvertConfig(checkpoint=str(path), out=str(out))
    assert "4096" in convert_deepcluster.run(config)
    quadrants = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)
    features = quadrant_network("deepcluster", str(out))(quadrants)
    pixels = torch.tensor(quadrants).permute(0, 3, 1, 2) / 255.0
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        maps = model.features(model.sobel((pixels - mean[:, None, None]) / std[:, None, None]))
        expected = model.classifier[:-1](maps.reshape(2, 9216)).numpy()
    assert features.shape == (2, 4096) and expected.std() > 0.01
    np.testing.assert_allclose(features, expected, atol=1e-4)


@pytest.mark.extras
@pytest.mark.parametrize("zipped", [False, True])
def test_both_formats_of_torch_are_read(torch, tmp_path, zipped):
    state = small_state()
    stored = {"epoch": 3, "state_dict": {k: torch.tensor(v) for k, v in state.items()}}
    path = tmp_path / "checkpoint.pth.tar"
    torch.save(stored, path, _use_new_zipfile_serialization=zipped)
    loaded = convert_deepcluster.load(str(path))
    assert loaded.keys() == state.keys()
    for name, value in state.items():
        np.testing.assert_array_equal(loaded[name], value)


@pytest.mark.extras
@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ([1, 2], "no 'state_dict'"),
        ({"model": {}}, "no 'state_dict'"),
        ({"state_dict": {"a": 1}}, "no 'state_dict' of tensors"),
        ({"state_dict": {}}, "no tensor 'sobel.0.weight'"),
        (DeepClusterAlexNet, "is no checkpoint of PyTorch"),  # code, which is not run
    ],
)
def test_other_files_of_torch_are_errors(torch, tmp_path, stored, reason):
    path = tmp_path / "other.pth"
    torch.save(stored, path)
    with pytest.raises(UserError, match=reason):
        convert_deepcluster.convert(convert_deepcluster.load(str(path)))


@pytest.mark.extras
@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 no archive"])
def test_files_of_nobody_are_errors(tmp_path, content):
    path = tmp_path / "broken.pth.tar"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"broken\.pth\.tar is no checkpoint of PyTorch"):
        convert_deepcluster.load(str(path))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"checkpoint": ""}, "--checkpoint is required"),
        ({"checkpoint": "nowhere"}, "no file nowhere"),
        ({"out": "weights.h5"}, r"end in \.weights\.h5"),
    ],
)
def test_settings_that_are_wrong(tmp_path, changes, reason):
    present = tmp_path / "c.pth.tar"
    present.touch()
    values = {"checkpoint": str(present), "out": "d.weights.h5", **changes}
    with pytest.raises(UserError, match=reason):
        convert_deepcluster.ConvertConfig(**values).validate()
    assert deepcluster.SUFFIX == ".weights.h5"
