"""A build that was killed, in whatever stage, and started again: the same bytes as in one go."""

import json
import os
import signal
from pathlib import Path

import pytest

from lorbms_tf.errors import UserError
from tests import copies
from tests.tfrecords_tools import making
from tests.tfrecords_tools.making import build_config, content, siblings
from tfrecords_tools import (
    assemble,
    build,
    clusters,
    duplicates,
    image_chunks,
    items,
    neighbours,
    reduction,
    sources,
    work_folder,
)

ROOT = Path(__file__).parents[2]
OPTIONS = {
    "versions": "original,flip",
    "num_clusters": 2,
    "pca": 2,
    "l2_normalize": True,
    "feature_dtype": "float16",
}


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(image_chunks, "photos_in_chunk", lambda num_versions: 4)
    monkeypatch.setattr(neighbours, "cluster", clusters.cluster)


def killed_at(monkeypatch, module, name, call):
    """Lets the function do its work `call` times and then dies."""
    function, calls = getattr(module, name), []

    def dying(*args, **kwargs):
        calls.append(1)
        if len(calls) > call:
            raise Killed
        return function(*args, **kwargs)

    monkeypatch.setattr(module, name, dying)


STAGES = {
    "photos": (sources, "fault", 5),
    "images, before the first chunk": (items, "cut", 2),
    "images, in the third chunk": (items, "cut", 11),
    "images, before a chunk is said to be finished": (image_chunks, "write", 2),
    "reduction": (reduction, "fit", 0),
    "reduction, later": (reduction, "transform", 6),
    "clusters of the third quadrant": (neighbours, "cluster", 2),
    "neighbours of the second quadrant": (neighbours, "_search_quadrant", 1),
    "records": (assemble, "make_record", 17),
    "before the records become --out": (work_folder, "publish", 0),
}


def without_settings(files):
    """The records, and what dataset.json says beside the settings (the folder of the photos)."""
    dataset = json.loads(files["dataset.json"])
    del dataset["settings"]
    return {**files, "dataset.json": dataset}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What an uninterrupted build gives (filled by the first test that needs it)."""
    return {}


@pytest.mark.parametrize("stage", STAGES)
def test_a_kill_in_each_stage(photos, quick_features, small_chunks, monkeypatch, stage, whole):
    if not whole:
        build.build(build_config(photos, out=str(photos.parent / "whole"), **OPTIONS))
        whole.update(content(photos.parent / "whole"))
    before = siblings(photos)
    config = build_config(photos, **OPTIONS)
    with monkeypatch.context() as patch:
        patch.setattr(work_folder.WorkFolder, "remove", lambda self: None)  # a kill removes nothing
        killed_at(patch, *STAGES[stage])
        with pytest.raises(Killed):
            build.build(config)
    assert not Path(config.out).exists()
    build.build(config)
    assert without_settings(content(config.out)) == without_settings(whole)
    assert siblings(photos) == sorted({*before, "out"})


def test_what_is_finished_is_not_done_again(photos, quick_features, small_chunks, monkeypatch):
    config = build_config(photos, **OPTIONS)
    with monkeypatch.context() as patch:
        killed_at(patch, assemble, "make_record", 3)
        with pytest.raises(Killed):
            build.build(config)
    for module, name in (
        (sources, "load"),
        (items, "cut"),
        (reduction, "fit"),
        (neighbours, "cluster"),
        (neighbours, "_search_quadrant"),
    ):
        killed_at(monkeypatch, module, name, 0)
    assert build.build(config)["num_records"] == 28


def test_photos_are_not_read_again_where_no_image_was_finished(photos, quick_features, monkeypatch):
    config = build_config(photos)
    with monkeypatch.context() as patch:
        killed_at(patch, items, "cut", 2)
        with pytest.raises(Killed):
            build.build(config)
    killed_at(monkeypatch, sources, "load", 0)
    assert build.build(config)["num_records"] == 14


def test_other_clusters_and_shards_use_the_same_features(
    photos, quick_features, small_chunks, monkeypatch
):
    with monkeypatch.context() as patch:
        killed_at(patch, assemble, "make_record", 3)
        with pytest.raises(Killed):
            build.build(build_config(photos, **OPTIONS))
    killed_at(monkeypatch, items, "cut", 0)
    other = {**OPTIONS, "num_clusters": 1, "num_shards": 5, "prefix": "other"}
    dataset = build.build(build_config(photos, **other))
    assert dataset["clusters"]["num_clusters"] == 1
    assert len(list((photos.parent / "out").glob("other.tfrecord-*-of-00005"))) == 5


def test_changed_photos_are_not_taken_for_the_old_ones(
    photos, quick_features, small_chunks, monkeypatch, capsys
):
    config = build_config(photos)
    with monkeypatch.context() as patch:
        killed_at(patch, assemble, "make_record", 3)
        with pytest.raises(Killed):
            build.build(config)
    making.write_photos(photos / "more", 2)
    assert build.build(config)["num_records"] == 16
    assert "is the unfinished work of a build with other settings" in capsys.readouterr().out


def stopped(config, monkeypatch, module=assemble, name="make_record"):
    """The folder of a build that was killed, while it wrote its records or in another stage."""
    with monkeypatch.context() as patch:
        killed_at(patch, module, name, 0)
        with pytest.raises(Killed):
            build.build(config)
    (work,) = Path(config.out).parent.glob(".out.*.work")
    return work


@pytest.mark.parametrize("options", [{}, OPTIONS], ids=["plain", "reduced"])
def test_features_that_are_gone_are_made_again(
    photos, quick_features, small_chunks, monkeypatch, options
):
    build.build(build_config(photos, out=str(photos.parent / "whole"), **options))
    config = build_config(photos, **options)
    work = stopped(config, monkeypatch, duplicates, "find")
    (work / ("reduced.npy" if options else "features.npy")).unlink()
    build.build(config)
    assert content(config.out) == content(photos.parent / "whole")


@pytest.mark.parametrize("damaged", ["chunks/000001.npz", "neighbours-1-q2.npz"])
def test_damaged_work_is_named_and_made_again_once_removed(
    photos, quick_features, small_chunks, monkeypatch, damaged
):
    build.build(build_config(photos, out=str(photos.parent / "whole")))
    config = build_config(photos)
    file = stopped(config, monkeypatch) / damaged
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(UserError, match=f"{damaged} cannot be continued from.*remove it"):
        build.build(config)
    file.unlink()
    build.build(config)
    assert content(config.out) == content(photos.parent / "whole")


def test_a_build_inside_its_photos_continues(photos, quick_features, small_chunks, monkeypatch):
    config = build_config(photos, out=str(photos / "out"))
    stopped(config, monkeypatch)
    (photos / "build.log").touch()
    killed_at(monkeypatch, items, "cut", 0)
    assert build.build(config)["num_records"] == 14


def test_an_expectation_is_asked_again(photos, quick_features, monkeypatch):
    stopped(build_config(photos), monkeypatch)
    with pytest.raises(UserError, match="14 images, 986 fewer"):
        build.build(build_config(photos, expect_images=1000, unexpected="fail"))


KILLED_FOR_GOOD = """
import os, signal, sys
import numpy as np
from tests.tfrecords_tools import making
from lorbms_tf.features import registry
from lorbms_tf.features.network import FeatureNetwork
from tfrecords_tools import assemble, build

def network(name, weights, seed, side=0):
    return FeatureNetwork(name, None, 8, 3, "no weights")

def means(self, quadrants):
    return quadrants.mean(axis=(1, 2), dtype=np.float64).astype(np.float32)

registry.quadrant_network = network
FeatureNetwork.__call__ = means
make_record, calls = assemble.make_record, []

def dying(*args):
    calls.append(1)
    if len(calls) == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return make_record(*args)

assemble.make_record = dying
from pathlib import Path
build.build(making.build_config(Path(sys.argv[1])))
"""


def test_a_real_kill(photos, quick_features):
    build.build(build_config(photos, out=str(photos.parent / "whole")))
    done = copies.run(["-c", KILLED_FOR_GOOD, photos])
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(siblings(photos)) == 3  # photos, whole, and the work folder
    build.build(build_config(photos))
    assert content(photos.parent / "out") == content(photos.parent / "whole")
    assert siblings(photos) == ["out", "photos", "whole"]
