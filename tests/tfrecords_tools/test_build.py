"""The whole way from photos to records, on a handful of tiny photos."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lorbms_tf.data import dataset_file
from lorbms_tf.data.images import decode_jpeg
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json
from tests.locking import lock
from tests.tfrecords_tools import making
from tests.tfrecords_tools.making import build_config, content, read_all, siblings
from tfrecords_tools import build, build_report, inspect


def test_the_whole_way_with_alexnet(photos, capsys):
    config = build_config(photos, features="alexnet", versions="original,flip", seed=3)
    dataset = build.build(config)
    assert json.loads(Path(config.out, "dataset.json").read_text()) == dataset
    assert dataset["num_records"] == 28 and dataset["image_size"] == 32
    assert dataset["versions"] == {"original": 14, "flip": 14}
    assert dataset["features"]["network"] == "alexnet"
    assert dataset["features"]["dimension"] == 1024
    assert len(dataset["features"]["weights_sha256"]) == 64
    assert dataset["features"]["weights"] == "random (seed 3)"
    assert sum(shard["records"] for shard in dataset["shards"]) == 28
    assert inspect.inspect(inspect.InspectConfig(records=f"{config.out}/*.tfrecord-*")) == 0
    printed = capsys.readouterr().out
    assert "14 photos found, 14 kept" in printed
    assert "features: alexnet, weights: random (seed 3); 1024 numbers" in printed
    assert "All checks passed." in printed


def test_what_the_records_hold(photos, quick_features):
    config = build_config(photos)
    dataset = build.build(config)
    made = {record.photo_id: record for record in read_all(config.out)}
    assert sorted(made) == [f"p{n:03d}.png" for n in range(14)]
    colours = {f"p{n:03d}.png": making.picture(n, 2, 2).reshape(4, 3) for n in range(14)}
    for name, record in made.items():
        assert decode_jpeg(record.image).shape == (32, 32, 3)
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
        build.build(build_config(photos, out=out, num_workers=workers, versions="tr_v5"))
    first = content(photos.parent / "out1")
    assert len(first) == 3 + 3 + 1  # shards, their indexes, dataset.json
    assert content(photos.parent / "out2") == first
    assert content(photos.parent / "out5") == first


def test_copies_are_never_candidates_of_each_other(photos, quick_features):
    shutil.copy(photos / "p000.png", photos / "copy.png")
    with Image.open(photos / "p000.png") as image:
        image.save(photos / "same_pixels.bmp")
    build.build(build_config(photos, versions="original,crop_0.6"))
    alike = {"p000.png", "copy.png", "same_pixels.bmp"}
    for record in read_all(photos.parent / "out"):
        if record.photo_id in alike:
            assert not alike & {name for row in record.candidate_ids for name in row}


def test_photos_that_cannot_be_used_are_counted(photos, quick_features, capsys):
    whole = (photos / "p000.png").read_bytes()
    (photos / "cut.png").write_bytes(whole[: len(whole) // 2])
    (photos / "empty.jpg").write_bytes(b"")
    (photos / "text.jpg").write_text("no image")
    Image.new("RGB", (1, 40)).save(photos / "thin.png")
    Image.new("L", (40, 40), 90).save(photos / "grey.jpg")
    Image.new("CMYK", (40, 40), (9, 80, 40, 3)).save(photos / "cmyk.jpg")
    Image.new("RGBA", (40, 40), (200, 10, 10, 99)).save(photos / "alpha.png")
    dataset = build.build(build_config(photos))
    assert dataset["photos"]["read"] == 21
    assert dataset["photos"]["kept"] == dataset["num_records"] == 17
    assert dataset["photos"]["dropped"] == {"unreadable": 3, "smaller than 16 px": 1}
    assert dataset["photos"]["examples"]["unreadable"] == ["cut.png", "empty.jpg", "text.jpg"]
    printed = capsys.readouterr().out
    assert "3 unreadable (cut.png, empty.jpg, text.jpg), 1 smaller than 16 px (thin.png)" in printed
    assert dataset["photos"]["unreadable"]["empty file"] == {"photos": 1, "examples": ["empty.jpg"]}
    assert "unreadable: 1 empty file: empty.jpg\n" in printed
    assert "unreadable: 1 not an image: text.jpg\n" in printed
    assert "unreadable: 1 corrupt or truncated: cut.png (" in printed


def test_a_folder_that_may_not_be_read_is_named(photos, quick_features, monkeypatch, capsys):
    (photos / "lost+found").mkdir()
    lock(monkeypatch, "lost+found")
    assert "folders that may not be read: lost+found\n" in build_report.plan(build_config(photos))
    dataset = build.build(build_config(photos))
    assert dataset["photos"]["locked"] == {"folders": 1, "examples": ["lost+found"]}
    printed = capsys.readouterr().out
    assert "14 photos found, 14 kept; folders that may not be read: lost+found\n" in printed


def test_a_photo_whose_name_is_not_utf8_is_a_counted_skip(photos, quick_features, capsys):
    latin1 = os.fsdecode(b"caf\xe9.png")
    shutil.copy(photos / "p000.png", photos / latin1)
    (photos / "p001.png").rename(photos / "caf\u00e9.png")
    dataset = build.build(build_config(photos))
    assert dataset["photos"]["dropped"] == {"of a name that is not UTF-8": 1}
    assert "caf\u00e9.png" in {record.photo_id for record in read_all(photos.parent / "out")}
    assert latin1.encode(errors="backslashreplace").decode() in capsys.readouterr().out


def test_a_photo_that_breaks_after_the_filter_is_a_counted_skip(
    photos, quick_features, third_breaks, capsys
):
    dataset = build.build(build_config(photos, versions="original,flip"))
    assert dataset["num_records"] == 26
    assert dataset["photos"]["kept"] == 13
    assert len(dataset["photos"]["skipped_later"]) == 1
    assert "p003.png: missing" in capsys.readouterr().out
    assert "p003.png" not in {record.photo_id for record in read_all(photos.parent / "out")}


def test_eleven_photos_are_enough_and_ten_are_not(tmp_path, quick_features):
    eleven = making.write_photos(tmp_path / "eleven", 11)
    assert build.build(build_config(eleven))["num_records"] == 11
    ten = making.write_photos(tmp_path / "ten", 10)
    with pytest.raises(UserError, match="too few photos: 10 photos found.*at least 11"):
        build.build(build_config(ten, out=str(tmp_path / "none")))
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"images": "nowhere"}, "nowhere does not exist"),
        ({"features": "resnet"}, "--features=resnet.*alexnet, deepcluster"),
        ({"weights": "nowhere.h5"}, "nowhere.h5"),
        ({"features": "deepcluster"}, "--features=deepcluster needs --weights=FILE"),
        ({"num_shards": 15}, "--num_shards=15 is more than the 14 records"),
        ({"min_size": 41}, "too few photos.*14 smaller than 41 px"),
        ({"annotations": "nowhere.json"}, "nowhere.json"),
    ],
)
def test_mistakes_are_one_message_and_leave_nothing(photos, quick_features, changes, message):
    with pytest.raises(UserError, match=message):
        build.build(build_config(photos, **changes))
    assert siblings(photos) == ["photos"]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"images": ""}, "--images is required"),
        ({"out": ""}, "--out is required"),
        ({"image_size": 48}, "--image_size=48.*power of two.*at least 32"),
        ({"image_size": 16}, "--image_size=16"),
        ({"image_size": 0}, "--image_size=0"),
        ({"num_shards": 0}, "--num_shards=0"),
        ({"num_clusters": -1}, "--num_clusters=-1"),
        ({"seed": 2**31}, "--seed=2147483648"),
        ({"versions": "original,zoom"}, "zoom.*tr_v5"),
        ({"prefix": "a/b"}, "--prefix=a/b"),
    ],
)
def test_settings_that_are_not_valid(photos, changes, message):
    with pytest.raises(UserError, match=message):
        build_config(photos, **changes).validate()
    build_config(photos).validate()


@pytest.mark.parametrize("image_size", [64, 128])
def test_records_of_other_sizes(photos, quick_features, image_size):
    build.build(build_config(photos, image_size=image_size, versions="tr_v5"))
    shapes = {
        decode_jpeg(image).shape
        for record in read_all(photos.parent / "out")
        for image in (record.image, *record.candidate_images[0])
    }
    assert shapes == {(image_size, image_size, 3)}


def test_an_expectation_that_fails_is_told(photos, quick_features, capsys):
    dataset = build.build(build_config(photos, expect_images=20, sample_photos=12))
    told = "12 images, 8 fewer than --expect_images=20 (-40.00 %)"
    printed = capsys.readouterr()
    assert f"warning: {told}" in printed.err and told in printed.out
    assert dataset["num_records"] == 12
    assert dataset["expected"] == {"images": 20, "difference": -8}
    assert "expect_images" not in dataset["settings"]
    assert dataset["settings"]["sample_photos"] == 12
    with pytest.raises(UserError, match="14 images, 6 fewer"):
        build.build(
            build_config(photos, expect_images=20, unexpected="fail", out=str(photos / "no"))
        )


def test_an_expectation_that_holds_is_silent(photos, quick_features, capsys):
    dataset = build.build(build_config(photos, expect_images=28, versions="tr_v4"))
    assert dataset["expected"] == {"images": 28, "difference": 0}
    assert "expect" not in capsys.readouterr().err


@pytest.mark.parametrize("boxes, kept", [(0, 14), (12, 12)])
def test_an_unpacked_dataset_is_built_from(photos, quick_features, boxes, kept):
    """As --tfds leaves it; where the dataset has boxes, photos without any are dropped."""
    folder = photos.parent / "unpacked"
    shutil.copytree(photos, folder / "images")
    names = sorted(path.name for path in photos.iterdir())
    document = {
        "info": {"tfds": {"name": "x", "split": "train"}},
        "images": [{"id": n, "file_name": name} for n, name in enumerate(names)],
        "annotations": [{"id": n, "image_id": n, "bbox": [0, 0, 9, 9]} for n in range(boxes)],
    }
    (folder / "annotations.json").write_text(json.dumps(document))
    config = build_config(photos, images=str(folder), tfds="x:train", min_boxes=1)
    assert build.build(config)["num_records"] == kept


def test_what_it_cost_lies_beside_and_says_where_a_build_went_on(photos, quick_features):
    config = build_config(photos)
    build.build(config)
    cost = read_json(Path(config.out) / dataset_file.COST_FILE)
    stages = {"images and features", "duplicates", "clusters", "neighbours", "records"}
    assert stages <= cost["seconds"].keys() == cost["cpu_seconds"].keys()
    assert all(seconds >= 0 for seconds in cost["seconds"].values())
    assert cost["cores"] >= 1 and cost["peak_memory_bytes"] > 1e6
    assert cost["engine"] == "local" and cost["continued"] is False
