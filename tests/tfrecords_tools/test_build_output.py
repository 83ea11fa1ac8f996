"""What a build leaves at --out, and beside it, when it ends well and when it does not."""

import pytest

from lorbms_tf.cli import stored_config
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json, write_json
from lorbms_tf.lorbms.config import LorbmsConfig
from tests.tfrecords_tools.making import build_config, content, siblings
from tfrecords_tools import assemble, build, build_report, coco, sources


def _interrupt(*_):
    raise KeyboardInterrupt


def test_an_older_folder_is_only_replaced_when_asked_and_at_the_end(
    photos, quick_features, monkeypatch
):
    config = build_config(photos)
    build.build(config)
    before = content(config.out)
    with pytest.raises(UserError, match="exists already.*--overwrite"):
        build.build(config)
    again = build_config(photos, overwrite=True, seed=5)
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
        build.build(build_config(photos, out=str(photos), overwrite=True))
    assert len(list(photos.iterdir())) == 14
    file = photos / "p000.png"
    with pytest.raises(UserError, match="is a file"):
        build.build(build_config(photos, out=str(file)))


def test_a_run_is_named_and_never_replaced(photos, quick_features):
    run = photos.parent / "out"
    stored_config.write(run, stored_config.TRAINING, LorbmsConfig())
    for overwrite in (False, True):
        with pytest.raises(
            UserError, match="--out=.* holds a run of lorbms_tf.train: name another"
        ):
            build.build(build_config(photos, overwrite=overwrite))
    assert sorted(path.name for path in run.iterdir()) == ["config.json"]


def test_an_interrupted_build_leaves_only_what_it_can_continue_from(
    photos, quick_features, monkeypatch, capsys
):
    make_record = assemble.make_record
    calls = []

    def interrupted(*args):
        calls.append(args)
        return make_record(*args) if len(calls) < 5 else _interrupt()

    with monkeypatch.context() as patch:
        patch.setattr(assemble, "make_record", interrupted)
        with pytest.raises(KeyboardInterrupt):
            build.build(build_config(photos))
    left = siblings(photos)
    assert len(left) == 2 and left[0].startswith(".out.") and left[0].endswith(".work")
    assert f"{left[0]}: the same command continues there" in capsys.readouterr().err
    build.build(build_config(photos))
    assert siblings(photos) == ["out", "photos"]


def test_nothing_is_left_where_no_stage_was_finished(photos, quick_features, monkeypatch):
    monkeypatch.setattr(sources, "load", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        build.build(build_config(photos))
    assert siblings(photos) == ["photos"]


def test_an_out_behind_a_link_is_replaced_where_it_lies(photos, quick_features):
    disk, out = photos.parent / "disk", photos.parent / "out"
    disk.mkdir()
    out.symlink_to(disk / "records")  # not there yet
    for seed in (0, 5):
        build.build(build_config(photos, overwrite=seed > 0, seed=seed))
        assert siblings(photos) == ["disk", "out", "photos"] and out.is_symlink()
        assert siblings(disk / "records") == ["records"]
        assert content(out).keys() == content(disk / "records").keys() != set()


def test_an_out_that_cannot_be_replaced_is_refused_before_the_work(photos):
    with pytest.raises(UserError, match="--out=/ is the root of a disk.*inside it"):
        build.build(build_config(photos, out="/"))
    loop = photos.parent / "out"
    loop.symlink_to(loop)
    with pytest.raises(UserError, match="--out=.*name a folder"):
        build.build(build_config(photos))


def test_odd_annotations_stand_in_the_summary_and_in_dataset_json(
    photos, quick_features, tmp_path, capsys
):
    names = sorted(path.name for path in photos.iterdir())
    images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
    images[0]["file_name"] = names[0].upper()
    boxes = [{"image_id": number, "bbox": [0, 0, 9, 9]} for number in range(len(names))]
    odd = [{"image_id": 3, "bbox": [0, 0, 9, 0]}, {"image_id": 99, "bbox": [0, 0, 9, 9]}]
    write_json(tmp_path / "a.json", {"images": images, "annotations": boxes + odd})
    config = build_config(photos, annotations=str(tmp_path / "a.json"), min_boxes=1)
    planned = build_report.plan(config)
    assert "photos      14 in" in planned and f"1 {coco.NO_BOX}" in planned
    told = build.build(config)["photos"]["annotations"]
    assert {reason: note["number"] for reason, note in told.items()} == {
        coco.NO_BOX: 1,
        coco.UNKNOWN_IMAGE: 1,
        sources.RESPELT: 1,
    }
    assert read_json(f"{config.out}/dataset.json")["photos"]["annotations"] == told
    lines = capsys.readouterr().out.splitlines()
    # As soon as it is known, and at the end.
    assert sum(coco.NO_BOX in line and "image 3: [0, 0, 9, 0]" in line for line in lines) == 2
    assert sum("P000.PNG is p000.png" in line for line in lines) == 2
