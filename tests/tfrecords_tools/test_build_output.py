"""What a build leaves at --out, and beside it, when it ends well and when it does not."""

import os
import shutil
from pathlib import Path

import pytest

from lorbms_tf.errors import UserError
from tests.tfrecords_tools.making import build_config, content, siblings
from tfrecords_tools import assemble, build, build_report


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


def test_an_interrupted_build_leaves_no_folder(photos, quick_features, monkeypatch):
    make_record = assemble.make_record
    calls = []

    def interrupted(*args):
        calls.append(args)
        return make_record(*args) if len(calls) < 5 else _interrupt()

    monkeypatch.setattr(assemble, "make_record", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build.build(build_config(photos))
    assert siblings(photos) == ["photos"]


def folders(tmp_path):
    for name in ("out", "fresh"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    return tmp_path / "out", tmp_path / "fresh", tmp_path / "old"


@pytest.mark.parametrize("failing", ["out", "fresh"])
def test_a_folder_that_cannot_be_replaced_loses_nothing(tmp_path, monkeypatch, failing):
    out, fresh, old = folders(tmp_path)
    replace = os.replace

    def refuse(source, target):
        if Path(source).name == failing:
            raise OSError(16, "Device or resource busy")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(UserError, match="--out=.*busy.*the new records lie in .*fresh"):
        build._exchange(out, fresh, old)
    assert (out / "file").read_text() == "out" and (fresh / "file").read_text() == "fresh"
    assert not old.exists()


def test_an_older_folder_that_cannot_be_removed_is_said(tmp_path, monkeypatch, capsys):
    def refuse(path):
        raise OSError(1, "Operation not permitted")

    out, fresh, old = folders(tmp_path)
    monkeypatch.setattr(shutil, "rmtree", refuse)
    build._exchange(out, fresh, old)
    assert (out / "file").read_text() == "fresh"
    assert f"{old} cannot be removed (Operation not permitted)" in capsys.readouterr().err
