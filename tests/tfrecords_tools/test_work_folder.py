"""The work folder: what is kept, what is cleaned, and how records take the place of older ones."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lorbms_tf.errors import UserError
from tests.tfrecords_tools.making import siblings
from tfrecords_tools import work_folder


def folder(path, text):
    path.mkdir(parents=True)
    (path / "file").write_text(text)


def left_behind(out, key="other", finished=True):
    """The work folder of a build that was killed."""
    with work_folder.hold(out, work_folder.key_of({"key": key}), {"seed": 1}) as work:
        if finished:
            work.keep_json("photos", list)
    return work


def test_a_step_is_done_once(tmp_path):
    calls = []

    def make():
        calls.append(1)
        return {"a": np.arange(3), "b": np.eye(2)}

    for _ in range(2):
        with work_folder.hold(tmp_path / "out", "key", {}) as work:
            for _ in range(2):
                kept = work.keep("step", make)
                assert sorted(kept) == ["a", "b"] and kept["a"].tolist() == [0, 1, 2]
            assert work.keep_json("list", lambda: [len(calls), "x"]) == [1, "x"]
    assert calls == [1]


def test_keys_follow_the_settings():
    assert work_folder.key_of({"a": 1, "b": 2}) == work_folder.key_of({"b": 2, "a": 1})
    assert work_folder.key_of({"a": 1}) != work_folder.key_of({"a": 2})


def test_the_fingerprint_sees_new_changed_and_touched_photos(tmp_path):
    photos = tmp_path / "photos"
    (photos / "inner").mkdir(parents=True)
    seen = []

    def look(*more):
        seen.append(work_folder.fingerprint(photos, *more))
        assert work_folder.fingerprint(photos, *more, "") == seen[-1]

    look()
    (photos / "inner" / "a.JPG").write_text("one")
    look()
    (photos / "inner" / "a.JPG").write_text("another")
    look()
    os.utime(photos / "inner" / "a.JPG", ns=(0, 12345))
    look()
    (photos / os.fsdecode(b"caf\xe9.tif")).touch()  # Latin-1
    look()
    (photos / "a.xml").touch()
    look()
    (tmp_path / "boxes.json").touch()
    look(tmp_path / "boxes.json")
    assert len(set(seen)) == len(seen)
    nothing = work_folder.fingerprint()
    assert work_folder.fingerprint(tmp_path / "nowhere") == work_folder.fingerprint("") == nothing
    assert work_folder.fingerprint("n" * 300) == nothing


def test_the_fingerprint_sees_pictures_of_any_name(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "no ending", "PNG")
    before = work_folder.fingerprint(tmp_path)
    Image.new("RGB", (9, 9)).save(tmp_path / "no ending", "JPEG")
    assert work_folder.fingerprint(tmp_path) != before != work_folder.fingerprint()


def test_the_fingerprint_sees_through_links(tmp_path):
    folder(tmp_path / "elsewhere" / "train", "")
    photo = tmp_path / "elsewhere" / "train" / "a.jpg"
    photo.write_text("one")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "train").symlink_to(tmp_path / "elsewhere" / "train")
    before = work_folder.fingerprint(tmp_path / "photos")
    photo.write_text("another")
    assert work_folder.fingerprint(tmp_path / "photos") != before


def test_the_fingerprint_is_not_about_logs_and_work(tmp_path):
    (tmp_path / "a.jpg").touch()
    before = work_folder.fingerprint(tmp_path)
    left_behind(tmp_path / "out")
    (tmp_path / "build.log").touch()
    assert work_folder.fingerprint(tmp_path) == before


def test_two_builds_of_the_same_settings_are_refused(tmp_path):
    with (
        work_folder.hold(tmp_path / "out", "key", {}) as work,
        pytest.raises(UserError, match="another build of --out=out"),
        work_folder.hold(tmp_path / "out", "key", {}),
    ):
        pass
    assert work.path.exists()
    with work_folder.hold(tmp_path / "out", "other", {}):
        pass


def test_leftovers_of_others_are_named_and_after_a_week_removed(tmp_path, capsys):
    out = tmp_path / "out"
    young, old = left_behind(out, "young"), left_behind(out, "old")
    other = left_behind(tmp_path / "out.v2", "old")
    week_ago = time.time() - 8 * 24 * 3600
    for path in (work.path for work in (old, other)):
        for inside in (path, *path.iterdir()):
            os.utime(inside, (week_ago, week_ago))
    with work_folder.hold(out, "own", {}) as work:
        busy = left_behind(out, "busy")
        with work_folder.hold(out, work_folder.key_of({"key": "busy"}), {}):
            work_folder.name_leftovers(out, work)
    printed = capsys.readouterr().out
    assert siblings(out) == sorted(
        [other.path.name, young.path.name, busy.path.name, work.path.name]
    )
    assert f"{young.path} is the unfinished work" in printed
    assert f"removing {old.path}" in printed
    assert busy.path.name not in printed and work.path.name not in printed


def test_an_older_folder_gives_way_and_comes_back(tmp_path, capsys):
    out = tmp_path / "out"
    folder(out, "older")
    work = left_behind(out)
    folder(work.records, "new")
    work.complete.touch()
    os.replace(out, work.old)  # and here the build was killed
    work_folder.recover(out)
    assert (out / "file").read_text() == "older"
    assert "is back" in capsys.readouterr().out
    work_folder.publish(work, out)
    assert (out / "file").read_text() == "new"
    assert siblings(out) == ["out"]


def test_a_kill_after_the_exchange_leaves_work_to_be_removed(tmp_path):
    out = tmp_path / "out"
    work = left_behind(out)
    work.complete.touch()
    folder(work.old, "older")
    folder(out, "new")
    folder(tmp_path / f"{work.path.name}.123.done", "half removed")
    work_folder.recover(out)
    assert siblings(out) == ["out"]
    assert (out / "file").read_text() == "new"


def test_a_name_that_begins_alike_is_another_folder(tmp_path):
    work = left_behind(tmp_path / "tr.v2")
    folder(work.old, "of tr.v2")
    folder(tmp_path / f"{work.path.name}.123.done", "half removed")
    before = siblings(work.path)
    work_folder.recover(tmp_path / "tr")
    assert siblings(work.path) == before
    work_folder.recover(tmp_path / "tr.v2")
    assert siblings(work.path) == sorted({work.path.name, "tr.v2"})


def test_a_name_with_brackets_is_found_again(tmp_path):
    out = tmp_path / "tr[1-5]"
    folder(left_behind(out).old, "older")
    work_folder.recover(out)
    assert (out / "file").read_text() == "older"


def test_a_link_stays_and_what_it_names_is_replaced(tmp_path):
    out, disk = tmp_path / "out", tmp_path / "disk"
    folder(disk / "records", "older")
    out.symlink_to(disk / "records")
    work = left_behind(out)
    assert work.path.parent == disk
    folder(work.records, "new")
    work_folder.publish(work, out)
    assert out.is_symlink() and (out / "file").read_text() == "new"
    assert siblings(disk / "records") == ["records"]


@pytest.mark.parametrize("content", [b"", b"PK\3\4 cut short"])
def test_a_step_whose_file_is_damaged_is_named(tmp_path, content):
    with work_folder.hold(tmp_path / "out", "key", {}) as work:
        (work.path / "step.npz").write_bytes(content)
        with pytest.raises(UserError, match=r"step\.npz cannot be continued from.*remove it"):
            work.keep("step", dict)


def test_a_folder_without_work_in_it_goes(tmp_path):
    left_behind(tmp_path / "out", finished=False)
    work_folder.recover(tmp_path / "out")
    assert not list(tmp_path.iterdir())
    work_folder.recover(tmp_path / "nowhere" / "out")


@pytest.mark.parametrize("failing", ["out", "records"])
def test_a_folder_that_cannot_be_replaced_loses_nothing(tmp_path, monkeypatch, failing):
    out = tmp_path / "out"
    folder(out, "older")
    work = left_behind(out)
    folder(work.records, "new")
    replace = os.replace

    def refuse(source, target):
        if Path(source).name == failing:
            raise OSError(16, "Device or resource busy")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(UserError, match="--out=.*busy.*the new records lie in .*records"):
        work_folder.publish(work, out)
    assert (out / "file").read_text() == "older"
    assert (work.records / "file").read_text() == "new"
    assert not work.old.exists()


def test_work_that_cannot_be_removed_is_said(tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    work = left_behind(out)
    folder(work.records, "new")
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    work_folder.publish(work, out)
    assert (out / "file").read_text() == "new"
    assert ".done cannot be removed" in capsys.readouterr().err
