import json

import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.networks import weights_files
from lorbms_tf.networks.alexnet import AlexNet
from lorbms_tf.networks.discriminator import Discriminator
from lorbms_tf.probing import features, knowledge_transfer
from lorbms_tf.probing.settings import FeatureConfig, TransferConfig
from tests import tiny
from tests.probing import making


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A folder of red and blue photos, and the weights of a small discriminator."""
    folder = tmp_path_factory.mktemp("transfer")
    making.write_folders(folder / "photos")
    path = folder / "d.weights.h5"
    weights_files.write(Discriminator(image_size=32, widths=(4, 4), seed=1), path, "discriminator")
    return folder


def config(places, out, **given):
    values = {
        "features": "discriminator", "weights": str(places / "d.weights.h5"), "image_size": 16,
        "images": str(places / "photos"), "out": str(out), "num_clusters": 2, "alexnet_size": 67,
        "conv_widths": (2, 2, 2, 2, 2), "dense_widths": (3,), "epochs": 2, "batch_size": 6,
    }  # fmt: skip
    return TransferConfig(**{**values, **given})


def test_the_whole_way_and_going_on(places, tmp_path, monkeypatch):
    with tiny.eagerly():
        path = knowledge_transfer.transfer(config(places, tmp_path / "whole"))
        assert sorted(p.name for p in path.parent.iterdir()) == [
            "alexnet.weights.h5", "clusters.npz", "config.json", "state.npz",
        ]  # fmt: skip
        with np.load(path.parent / "clusters.npz") as stored:
            labels, names = stored["assignment"], stored["names"].tolist()
        red = np.array(["red" in name for name in names])
        assert len(names) == 12 and set(labels[red]).isdisjoint(labels[~red])
        # What a probe reads are the convolutions.
        found = features.make(
            FeatureConfig(features="alexnet:conv5", weights=str(path), image_size=67), seed=0
        )
        assert found.dimension == 3 * 3 * 2 and found.weights == str(path)

        monkeypatch.setattr(knowledge_transfer.clusters, "kmeans", None)  # not a second time
        knowledge_transfer.transfer(config(places, tmp_path / "whole"))
        monkeypatch.undo()
        knowledge_transfer.transfer(config(places, tmp_path / "parts", epochs=1))
        other = knowledge_transfer.transfer(config(places, tmp_path / "parts"))
    sizes = weights_files.read_settings(path, "alexnet")
    networks = [AlexNet(**sizes), AlexNet(**sizes)]
    for network, file in zip(networks, (path, other), strict=True):
        weights_files.load(network, file, "alexnet")
    for whole, parts in zip(*(network.get_weights() for network in networks), strict=True):
        np.testing.assert_array_equal(whole, parts)


def test_whitened_features_and_unlabelled_stl10(places, tmp_path):
    folder = making.write_stl10(tmp_path / "stl10")
    settings = config(places, tmp_path / "out", images=f"stl10:{folder}", pca=2)
    labels = knowledge_transfer.pseudo_labels(settings, tmp_path / "c.npz")
    assert sorted(np.bincount(labels)) == [1, 2]
    with pytest.raises(UserError, match=r"c\.npz cannot be continued from \(other images than"):
        knowledge_transfer.pseudo_labels(config(places, tmp_path / "out"), tmp_path / "c.npz")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_clusters": 13}, "--num_clusters=13 is more than there are images: 12"),
        ({"images": "absent"}, "absent does not exist"),
        ({"alexnet_size": 64}, "--alexnet_size.*smallest are 67 px"),
        ({"conv_widths": (2, 2)}, "--conv_widths.*5 even numbers"),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is_written(places, tmp_path, given, message):
    with pytest.raises(UserError, match=message):
        knowledge_transfer.transfer(config(places, tmp_path / "out", **given))
    assert not (tmp_path / "out").exists()


def test_another_run_is_left_alone(places, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"num_clusters": 3, "alexnet_size": 67}))
    with pytest.raises(UserError, match="(?s)other settings.*num_clusters: 3 -> 2"):
        knowledge_transfer.transfer(config(places, tmp_path))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"images": ""}, "--images is required"),
        ({"out": ""}, "--out is required"),
        ({"num_clusters": 1}, "--num_clusters=1"),
        ({"batch_size": 1}, "--batch_size=1"),
        ({"momentum": 1.0}, "--momentum=1.0"),
        ({"smallest_area": 0.0}, "--smallest_area=0.0"),
        ({"pca": -1}, "--pca=-1"),
    ],
)
def test_flags(places, tmp_path, given, message):
    with pytest.raises(UserError, match=message):
        config(places, **{"out": tmp_path, **given}).validate()
