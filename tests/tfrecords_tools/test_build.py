"""The whole way from photos to records, on a handful of tiny photos."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lorbms_tf.data import records
from lorbms_tf.data.images import BadImage, decode_jpeg
from lorbms_tf.errors import UserError
from tests.tfrecords_tools import making
from tfrecords_tools import assemble, build, build_report, inspect, items, quadrant_features
from tfrecords_tools.build_config import BuildConfig

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs" / "data").glob("*.cfg"))


@pytest.fixture
def quick_features(monkeypatch):
    """A feature network that costs nothing: the mean colour of a quadrant."""

    def extractor(name, weights, seed):
        return quadrant_features.FeatureNetwork(
            name, lambda images: images.numpy().mean(axis=(1, 2)), 8, 3, "no weights"
        )

    def means(self, quadrants):
        return quadrants.mean(axis=(1, 2), dtype=np.float64).astype(np.float32)

    monkeypatch.setattr(quadrant_features, "extractor", extractor)
    monkeypatch.setattr(quadrant_features.FeatureNetwork, "__call__", means)


@pytest.fixture
def photos(tmp_path):
    return making.write_photos(tmp_path / "photos", 14)


def config_of(photos, **changes):
    values = {
        "images": str(photos),
        "out": str(photos.parent / "out"),
        "min_size": 16,
        "image_size": 16,
        "num_shards": 3,
        "num_workers": 2,
    }
    return BuildConfig(**{**values, **changes})


def read_all(out):
    paths = records.find_shards(f"{out}/data.tfrecord-*")
    return [records.deserialize(raw) for path in paths for raw in records.read_shard(path)]


def content(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def siblings(photos):
    return sorted(path.name for path in photos.parent.iterdir())


def test_the_whole_way_with_alexnet(photos, capsys):
    config = config_of(photos, features="alexnet", versions="original,flip", seed=3)
    dataset = build.build(config)
    assert json.loads(Path(config.out, "dataset.json").read_text()) == dataset
    assert dataset["num_records"] == 28 and dataset["image_size"] == 16
    assert dataset["versions"] == {"original": 14, "flip": 14}
    assert dataset["features"]["network"] == "alexnet"
    assert dataset["features"]["dimension"] == 1024
    assert len(dataset["features"]["weights_sha256"]) == 64
    assert sum(shard["records"] for shard in dataset["shards"]) == 28
    assert inspect.inspect(inspect.InspectConfig(records=f"{config.out}/*.tfrecord-*")) == 0
    printed = capsys.readouterr().out
    assert "14 photos found, 14 kept" in printed
    assert "All checks passed." in printed


def test_what_the_records_hold(photos, quick_features):
    config = config_of(photos)
    dataset = build.build(config)
    made = {record.photo_id: record for record in read_all(config.out)}
    assert sorted(made) == [f"p{n:03d}.png" for n in range(14)]
    colours = {f"p{n:03d}.png": making.picture(n, 2, 2).reshape(4, 3) for n in range(14)}
    for name, record in made.items():
        assert decode_jpeg(record.image).shape == (16, 16, 3)
        for q in range(4):
            others = {
                other: float(((colour[q].astype(float) - colours[name][q]) ** 2).sum())
                for other, colour in colours.items()
                if other != name
            }
            nearest = sorted(others.values())[:10]
            # The photos are wider than high, so that the middle of the square stays the middle.
            np.testing.assert_allclose(record.distances[q], nearest, rtol=1e-5)
            assert [others[c] for c in record.candidate_ids[q]] == nearest
    distances = np.stack([record.distances for record in made.values()])
    assert dataset["distance_quantiles"]["0.5"] == pytest.approx(np.median(distances))
    q2 = dataset["distance_quantiles_per_quadrant"]["q2"]
    assert q2["1"] == pytest.approx(distances[:, 1].max())


def test_same_settings_same_bytes_on_any_number_of_workers(photos, quick_features):
    for workers in (1, 2, 5):
        out = str(photos.parent / f"out{workers}")
        build.build(config_of(photos, out=out, num_workers=workers, versions="tr_v5"))
    first = content(photos.parent / "out1")
    assert len(first) == 4
    assert content(photos.parent / "out2") == first
    assert content(photos.parent / "out5") == first


def test_copies_are_never_candidates_of_each_other(photos, quick_features):
    shutil.copy(photos / "p000.png", photos / "copy.png")
    with Image.open(photos / "p000.png") as image:
        image.save(photos / "same_pixels.bmp")
    build.build(config_of(photos, versions="original,crop_0.6"))
    alike = {"p000.png", "copy.png", "same_pixels.bmp"}
    for record in read_all(photos.parent / "out"):
        if record.photo_id in alike:
            assert not alike & {name for row in record.candidate_ids for name in row}


def test_photos_that_cannot_be_used_are_counted(photos, quick_features):
    whole = (photos / "p000.png").read_bytes()
    (photos / "cut.png").write_bytes(whole[: len(whole) // 2])
    (photos / "empty.jpg").write_bytes(b"")
    (photos / "text.jpg").write_text("no image")
    Image.new("RGB", (1, 40)).save(photos / "thin.png")
    Image.new("L", (40, 40), 90).save(photos / "grey.jpg")
    Image.new("CMYK", (40, 40), (9, 80, 40, 3)).save(photos / "cmyk.jpg")
    Image.new("RGBA", (40, 40), (200, 10, 10, 99)).save(photos / "alpha.png")
    dataset = build.build(config_of(photos))
    assert dataset["photos"]["read"] == 21
    assert dataset["photos"]["kept"] == dataset["num_records"] == 17
    assert dataset["photos"]["dropped"] == {"unreadable": 3, "smaller than 16 px": 1}


def test_a_photo_that_breaks_after_the_filter_is_a_counted_skip(
    photos, quick_features, monkeypatch, capsys
):
    read_photo = items.read_photo

    def flaky(path):
        if Path(path).name == "p003.png":
            raise BadImage(path, "missing")
        return read_photo(path)

    monkeypatch.setattr(items, "read_photo", flaky)
    dataset = build.build(config_of(photos, versions="original,flip"))
    assert dataset["num_records"] == 26
    assert dataset["photos"]["kept"] == 13
    assert len(dataset["photos"]["skipped_later"]) == 1
    assert "p003.png: missing" in capsys.readouterr().out
    assert "p003.png" not in {record.photo_id for record in read_all(photos.parent / "out")}


def test_eleven_photos_are_enough_and_ten_are_not(tmp_path, quick_features):
    eleven = making.write_photos(tmp_path / "eleven", 11)
    assert build.build(config_of(eleven))["num_records"] == 11
    ten = making.write_photos(tmp_path / "ten", 10)
    with pytest.raises(UserError, match="too few photos: 10 photos found.*at least 11"):
        build.build(config_of(ten, out=str(tmp_path / "none")))
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"images": "nowhere"}, "nowhere does not exist"),
        ({"features": "resnet"}, "--features=resnet.*alexnet, mobilenet_v2"),
        ({"weights": "nowhere.h5"}, "nowhere.h5"),
        ({"num_shards": 15}, "--num_shards=15 is more than the 14 records"),
        ({"min_size": 41}, "too few photos.*14 smaller than 41 px"),
        ({"annotations": "nowhere.json"}, "nowhere.json"),
    ],
)
def test_mistakes_are_one_message_and_leave_nothing(photos, quick_features, changes, message):
    with pytest.raises(UserError, match=message):
        build.build(config_of(photos, **changes))
    assert siblings(photos) == ["photos"]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"images": ""}, "--images is required"),
        ({"out": ""}, "--out is required"),
        ({"image_size": 17}, "--image_size=17"),
        ({"image_size": 4}, "--image_size=4"),
        ({"num_shards": 0}, "--num_shards=0"),
        ({"num_clusters": -1}, "--num_clusters=-1"),
        ({"seed": 2**31}, "--seed=2147483648"),
        ({"versions": "original,zoom"}, "zoom.*tr_v5"),
        ({"prefix": "a/b"}, "--prefix=a/b"),
    ],
)
def test_settings_that_are_not_valid(photos, changes, message):
    with pytest.raises(UserError, match=message):
        config_of(photos, **changes).validate()
    config_of(photos).validate()


def test_an_older_folder_is_only_replaced_when_asked_and_at_the_end(
    photos, quick_features, monkeypatch
):
    config = config_of(photos)
    build.build(config)
    before = content(config.out)
    with pytest.raises(UserError, match="exists already.*--overwrite"):
        build.build(config)
    again = config_of(photos, overwrite=True, seed=5)
    with monkeypatch.context() as patch:
        patch.setattr(build_report, "describe", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            build.build(again)
    assert content(config.out) == before
    build.build(again)
    assert content(config.out).keys() == before.keys()
    assert content(config.out) != before
    assert siblings(photos) == ["out", "photos"]


def test_overwrite_spares_folders_that_hold_no_records(photos, quick_features):
    with pytest.raises(UserError, match="replaces folders of records only"):
        build.build(config_of(photos, out=str(photos), overwrite=True))
    assert len(list(photos.iterdir())) == 14
    file = photos / "p000.png"
    with pytest.raises(UserError, match="is a file"):
        build.build(config_of(photos, out=str(file)))


def test_an_interrupted_build_leaves_no_folder(photos, quick_features, monkeypatch):
    make_record = assemble.make_record
    calls = []

    def interrupted(*args):
        calls.append(args)
        return make_record(*args) if len(calls) < 5 else _interrupt()

    monkeypatch.setattr(assemble, "make_record", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build.build(config_of(photos))
    assert siblings(photos) == ["photos"]


def _interrupt(*_):
    raise KeyboardInterrupt


def test_the_plan_writes_nothing(photos):
    text = build_report.plan(config_of(photos, versions="tr_v5"))
    assert "14 in" in text and "70 in 3 shards" in text and "crop_0.6" in text
    assert siblings(photos) == ["photos"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_flagfiles_state_their_command_and_hold_valid_settings(path):
    lines = path.read_text().splitlines()
    comments = "\n".join(line for line in lines if line.startswith("#"))
    assert f"--flagfile=configs/data/{path.name}" in comments and "Expect" in comments
    given = dict(line[2:].split("=", 1) for line in lines if line and not line.startswith("#"))
    kinds = {name: type(value) for name, value in vars(BuildConfig()).items()}
    values = {name: kinds[name](value) for name, value in given.items()}
    BuildConfig(**{"images": "x", "out": "y", **values}).validate()


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tfrecords_tools.build", *arguments],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )


def test_the_command_plans_by_a_flagfile_and_the_command_line_wins(photos):
    done = run(
        "--flagfile=configs/data/quickstart.cfg",
        f"--images={photos}",
        "--annotations=",
        f"--out={photos.parent / 'out'}",
        "--dry_run",
    )
    assert done.returncode == 0, done.stderr
    assert "--image_size=32\n" in done.stdout  # the flagfile's
    assert f"--images={photos}\n" in done.stdout  # the command line's
    assert "14 in 4 shards" in done.stdout
    assert siblings(photos) == ["photos"]


def test_the_command_says_a_mistake_in_one_line(tmp_path):
    done = run(f"--images={tmp_path / 'nowhere'}", f"--out={tmp_path / 'out'}")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ") and "nowhere does not exist" in last
