"""DeepCluster on one's own photos: its loop, its resumption, its files and its mistakes."""

import dataclasses
import errno
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lorbms_tf.errors import UserError
from lorbms_tf.features.registry import quadrant_network
from lorbms_tf.pseudo_labels.learning import Epoch
from tests.tfrecords_tools.making import write_photos
from tfrecords_tools import deepcluster, deepcluster_crops, deepcluster_training, sources
from tfrecords_tools.deepcluster_config import DeepClusterConfig
from tfrecords_tools.deepcluster_training import Run, train

FLAGFILES = sorted((Path(__file__).parents[2] / "configs" / "features").glob("*.cfg"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Twelve photos of noise, from fine to coarse: textures, which have edges."""
    folder = tmp_path_factory.mktemp("deepcluster") / "photos"
    folder.mkdir()
    for number in range(12):
        grains = np.random.default_rng(number).integers(0, 256, (2 + number,) * 2 + (3,), np.uint8)
        picture = Image.fromarray(grains).resize((80, 70), Image.Resampling.NEAREST)
        picture.save(folder / f"p{number:02d}.png")
    return folder


def config(photos, out, **changes):
    values = {
        "images": str(photos),
        "out": str(out),
        "min_size": 32,
        "input_size": 35,
        "stem_stride": 2,
        "conv_widths": (2, 4, 4, 4, 4),
        "dense_widths": (6, 5),
        "num_clusters": 4,
        "epochs": 2,
        "batch_size": 16,
        "num_workers": 2,
    }
    return DeepClusterConfig(**{**values, **changes})


def scalars(folder):
    """Tag -> {step: value} of all event files."""
    found = {}
    for path in sorted(Path(folder).glob("events.out.tfevents.*")):
        for raw in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(raw)
            for value in event.summary.value:
                tag = value.tag.removeprefix("deepcluster/")
                found.setdefault(tag, {})[event.step] = float(tf.make_ndarray(value.tensor))
    return found


@pytest.fixture(scope="module")
def trained(photos, tmp_path_factory):
    """A run of two epochs, its weights file, and its state after the first of them."""
    out = tmp_path_factory.mktemp("deepcluster") / "run"
    kept = out.with_name("state_after_one.npz")
    save = Run.save

    def save_and_keep(self, path, epochs):
        save(self, path, epochs)
        if epochs == 1:
            shutil.copy(path, kept)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "save", save_and_keep)
        return out, train(config(photos, out)), kept


def test_what_a_run_leaves(trained):
    out, weights, _ = trained
    assert sorted(path.name for path in out.iterdir()) == [
        "config.json",
        "crops.npy",
        "deepcluster.weights.h5",
        "logs",
        "state.npz",
    ]
    logged = scalars(out / "logs")
    assert set(logged["loss"]) == {1, 2} and set(logged["nmi"]) == {2}  # none before the second
    assert 0 <= logged["nmi"][2] <= 1 and logged["smallest"][1] >= 1
    assert {"accuracy", "kmeans_loss", "largest", "reseeded", "seconds"} <= set(logged)
    network = quadrant_network("deepcluster", str(weights))
    assert (network.side, network.dimension) == (35, 5)


def test_a_run_that_was_killed_comes_to_the_same_weights(photos, trained, tmp_path):
    out, weights, kept = trained
    run = tmp_path / "run"
    deepcluster_training.prepare(config(photos, run, epochs=1))
    shutil.copy(kept, run / "state.npz")
    (run / ".state.npz.1.tmp").write_text("left by the kill")
    train(config(photos, run))
    assert not (run / ".state.npz.1.tmp").exists()
    with np.load(out / "state.npz") as first, np.load(run / "state.npz") as second:
        assert set(first) == set(second)
        for name in first:
            np.testing.assert_array_equal(first[name], second[name], err_msg=name)
    assert set(scalars(run / "logs")["loss"]) == {2}
    before = weights.stat().st_mtime_ns
    train(config(photos, out))  # nothing is left to do
    assert weights.stat().st_mtime_ns == before


def test_an_epoch_whose_weights_were_not_written_is_repeated(
    photos, trained, tmp_path, monkeypatch
):
    out, _, kept = trained
    run = deepcluster_training.prepare(config(photos, tmp_path / "run"))
    shutil.copy(out / "crops.npy", run)
    shutil.copy(kept, run / "state.npz")

    def full(network, path):
        raise UserError("the disk is full")

    monkeypatch.setattr(deepcluster_training.deepcluster, "write", full)
    with pytest.raises(UserError, match="the disk is full"):
        train(config(photos, run))
    with np.load(run / "state.npz") as state:
        assert state["epochs"] == 1


def test_what_is_logged_is_what_was_clustered(trained):
    out, _, _ = trained
    with np.load(out / "state.npz") as state:
        assignment, epochs = state["assignment"], int(state["epochs"])
    sizes = np.bincount(assignment, minlength=4)
    logged = scalars(out / "logs")
    assert epochs == 2 and len(assignment) == 48 and len(sizes) == 4
    assert (logged["smallest"][2], logged["largest"][2]) == (sizes.min(), sizes.max())


def test_many_features_are_whitened_by_a_sample(run, monkeypatch):
    whole = run._points("all")
    monkeypatch.setattr(deepcluster_training, "MOST_FITTED", 40)
    part = run._points("part")
    assert whole.shape[0] == part.shape[0] == 48 and 1 <= part.shape[1] <= 5
    np.testing.assert_allclose(np.linalg.norm(part, axis=1), 1, atol=1e-5)


def test_crops_are_the_quadrants_of_the_central_squares(tmp_path, monkeypatch):
    folder = write_photos(tmp_path / "photos", 3, height=40, width=60)
    crops = deepcluster_crops.open_or_make(tmp_path / "c.npy", str(folder), 20, 16, 0, 0, 1)
    first = np.asarray(Image.open(folder / "p000.png"))[:, 10:50]
    expected = [first[:20, :20], first[:20, 20:], first[20:, :20], first[20:, 20:]]
    np.testing.assert_array_equal(crops.take([0, 1, 2, 3]), expected)
    assert len(crops) == 12 and crops.take([11, 0]).shape == (2, 20, 20, 3)
    read = []
    decode = sources.read_photo
    monkeypatch.setattr(sources, "read_photo", lambda path: read.append(path) or decode(path))
    few = deepcluster_crops.open_or_make(tmp_path / "d.npy", str(folder), 20, 16, 2, 0, 1)
    assert len(few) == 8 and len(read) == 2  # nothing is checked that is not taken
    with pytest.raises(UserError, match="pixels of another size"):
        deepcluster_crops.open_or_make(tmp_path / "c.npy", str(folder), 21, 16, 0, 0, 1)
    (tmp_path / "e.npy").write_bytes(b"no pixels")
    with pytest.raises(UserError, match=r"e\.npy cannot be read"):
        deepcluster_crops.open_or_make(tmp_path / "e.npy", str(folder), 20, 16, 0, 0, 1)


def test_photos_that_are_left_out_are_told(tmp_path, capsys):
    folder = write_photos(tmp_path / "photos", 2)
    (folder / "text.jpg").write_text("no image")
    crops = deepcluster_crops.open_or_make(tmp_path / "c.npy", str(folder), 16, 16, 0, 0, 1)
    assert len(crops) == 8
    told = capsys.readouterr().out
    assert "3 photos found, 2 kept; dropped: 1 unreadable (text.jpg)\n" in told
    assert "unreadable: 1 not an image: text.jpg\n" in told


def test_a_full_disk_is_told_before_the_photos_are_cut(tmp_path, monkeypatch):
    folder = write_photos(tmp_path / "photos", 2)

    def full(descriptor, start, length):
        assert length >= 2 * 40 * 40 * 3  # all of it
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(UserError, match=r"cannot write .*c\.npy: the disk is full"):
        deepcluster_crops.open_or_make(tmp_path / "c.npy", str(folder), 20, 16, 0, 0, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"images": "nowhere"}, "--images: image folder nowhere"),
        ({"min_size": 400}, "holds no photo of 400 px"),
        ({"num_clusters": 100}, "--num_clusters=100 is more than there are quadrants: 48"),
        ({"input_size": 16}, "16 px; the smallest are 35"),
        ({"dense_widths": (0,)}, "dense_widths must be 1 or more"),
    ],
)
def test_mistakes_are_one_message(photos, tmp_path, changes, reason):
    with pytest.raises(UserError, match=reason):
        train(config(photos, tmp_path / "run", **changes))


def test_other_settings_and_other_folders_are_refused(photos, trained, tmp_path):
    out, _, _ = trained
    with pytest.raises(UserError, match=r"other settings.*\n  pca: 256 -> 8"):
        train(config(photos, out, pca=8))
    with pytest.raises(UserError, match="not empty and holds no run"):
        train(config(photos, photos))


@pytest.fixture
def run(photos, tmp_path):
    crops = deepcluster_crops.open_or_make(tmp_path / "c.npy", str(photos), 35, 32, 0, 0, 2)
    return Run(config(photos, tmp_path), crops)


def test_a_damaged_state_is_an_error(run, trained, tmp_path):
    whole = trained[2].read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"no state"):
        (tmp_path / "state.npz").write_bytes(content)
        with pytest.raises(UserError, match=r"state\.npz cannot be continued from"):
            run.restore(tmp_path / "state.npz")
    assert run.restore(tmp_path / "absent.npz") == 0
    assert run.restore(trained[2]) == 1


def test_what_is_no_longer_finite_stops_the_run(run, monkeypatch):
    monkeypatch.setattr(run.learner, "learn", lambda batches, seed: Epoch(float("nan"), 0.0))
    with pytest.raises(UserError, match="epoch 1/2: the loss is not finite.*--learning_rate"):
        run.epoch(0)
    run.network.dense[-1].bias.assign(np.full(5, np.nan))
    with pytest.raises(UserError, match="epoch 1/2: the features are not finite.*--learning_rate"):
        run.epoch(0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"out": ""}, "--out is required"),
        ({"batch_size": 1}, "--batch_size=1"),
        ({"num_clusters": 1}, "nothing to learn"),
        ({"momentum": 1.0}, "--momentum"),
        ({"smallest_area": 0.0}, "--smallest_area"),
    ],
)
def test_settings_that_are_wrong(photos, changes, reason):
    good = config(photos, "out")
    good.validate()
    with pytest.raises(UserError, match=reason):
        dataclasses.replace(good, **changes).validate()


def test_the_plan_writes_nothing(photos, tmp_path):
    text = deepcluster.plan(config(photos, tmp_path / "out", num_clusters=0))
    assert "one for every 128 quadrants, 31 for 1000 photos" in text
    assert re.search("network +[0-9,]+ parameters", text)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", FLAGFILES, ids=lambda path: path.name)
def test_flagfiles_state_their_command_and_hold_valid_settings(path):
    lines = path.read_text().splitlines()
    comments = "\n".join(line for line in lines if line.startswith("#"))
    assert f"--flagfile=configs/features/{path.name}" in comments and "Expect" in comments
    given = dict(line[2:].split("=", 1) for line in lines if not line.startswith("#"))
    values = {}
    for name, text in given.items():
        kind = type(getattr(DeepClusterConfig(), name))
        values[name] = tuple(map(int, text.split(","))) if kind is tuple else kind(text)
    made = DeepClusterConfig(images="x", out="y", **values)
    made.validate()
    assert made.network(outputs=2).count_params() > 0
