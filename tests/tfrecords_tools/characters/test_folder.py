"""`synthesize --kind=characters`: the folders, that they repeat, and how it refuses."""

import numpy as np
import pytest
from PIL import Image

from lorbms_tf.data.photo_folders import labelled_paths
from lorbms_tf.errors import UserError
from tfrecords_tools import synthesize
from tfrecords_tools.characters import folder
from tfrecords_tools.synthesize import SynthesisConfig


def settings(out, **changes):
    values = {"kind": "characters", "out": str(out), "images": 2, "num_workers": 1}
    return SynthesisConfig(**{**values, **changes})


def contents(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("synthesis") / "characters"
    synthesize.synthesize(settings(out))
    return out


def test_a_folder_for_each_class(written):
    for kind, names in (("digits", "0123456789"), ("letters", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")):
        for split, count in (("train", 2), ("test", 1)):
            paths, labels, classes = labelled_paths(written / kind / split)
            assert "".join(classes) == names
            np.testing.assert_array_equal(np.bincount(labels), count)
            with Image.open(paths[0]) as picture:
                assert (picture.size, picture.mode) == ((28, 28), "L")


def test_a_quarter_as_many_are_held_out_and_they_are_others(written):
    counts = {row.split: row.count for row in folder.rows(10)}
    assert counts == {"train": 10, "test": 2}
    pictures = [data for path, data in contents(written).items() if path.endswith(".png")]
    assert len(set(pictures)) == len(pictures) == 36 * 3


def test_more_images_on_two_processes_keep_the_first_ones(written, tmp_path):
    synthesize.synthesize(settings(tmp_path / "more", images=3, num_workers=2))
    more, first = contents(tmp_path / "more"), contents(written)
    for path, data in first.items():
        assert path == folder.SETTINGS or more[path] == data
    assert len(more) - len(first) == 36


def test_lower_case_letters_are_a_third_set_and_change_no_other(written, tmp_path, capsys):
    out = tmp_path / "s"
    synthesize.synthesize(settings(out, lowercase=True, sheet=str(tmp_path / "sheet.png")))
    assert "lowercase abcdefghijklmnopqrstuvwxyz: 52 train (2 a class)" in capsys.readouterr().out
    more, first = contents(out), contents(written)
    for path, data in first.items():
        assert path == folder.SETTINGS or more[path] == data
    paths, _, classes = labelled_paths(out / "lowercase" / "train")
    assert "".join(classes) == "abcdefghijklmnopqrstuvwxyz" and len(paths) == 52
    # An a is no A: other strokes, another picture.
    assert more["lowercase/train/a/00001.png"] != more["letters/train/A/00001.png"]
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.height > 62 * 56
    with pytest.raises(UserError, match="holds other characters"):
        synthesize.synthesize(settings(out))
    (out / "lowercase" / "test" / "q" / "00001.png").unlink()
    with pytest.raises(UserError, match="lost 1 of its images .lowercase/test/q/00001.png"):
        synthesize.synthesize(settings(out, lowercase=True))


def test_scenes_have_no_lower_case_letters(tmp_path):
    with pytest.raises(UserError, match="--lowercase is for --kind=characters, not scenes"):
        synthesize.synthesize(settings(tmp_path / "x", kind="scenes", lowercase=True))
    assert not (tmp_path / "x").exists()


def test_another_seed_and_size(written, tmp_path):
    synthesize.synthesize(settings(tmp_path / "s", images=1, seed=2, size=32))
    with Image.open(tmp_path / "s" / "letters" / "train" / "Q" / "00001.png") as picture:
        assert picture.size == (32, 32)
    row = folder.rows(1)[0]
    first, other = (folder.character(seed, row, 0, 28) for seed in (1, 2))
    assert (first != other).any()


def test_the_same_again_is_left_alone_and_the_next_command_is_shown(written, capsys):
    before = contents(written)
    synthesize.synthesize(settings(written))
    text = capsys.readouterr().out
    assert "nothing to do" in text and contents(written) == before
    assert "20 train (2 a class), 10 test (1 a class)" in text
    assert f"--photos={written / 'digits' / 'train'}" in text
    assert f"--eval_photos={written / 'letters' / 'test'}" in text


def test_what_is_in_the_way_is_refused(written, tmp_path):
    with pytest.raises(UserError, match=r"holds other characters \(images=2, size=28, seed=1"):
        synthesize.synthesize(settings(written, seed=9))
    with pytest.raises(UserError, match="holds no scenes of ours"):
        synthesize.synthesize(settings(written, kind="scenes"))
    (tmp_path / folder.SETTINGS).write_text("[1]")
    with pytest.raises(UserError, match="holds no characters of ours"):
        synthesize.synthesize(settings(tmp_path))


def test_a_lost_image_is_told(tmp_path):
    synthesize.synthesize(settings(tmp_path / "s", images=1))
    (tmp_path / "s" / "digits" / "test" / "7" / "00001.png").unlink()
    with pytest.raises(UserError, match="lost 1 of its images .digits/test/7/00001.png"):
        synthesize.synthesize(settings(tmp_path / "s", images=1))


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    def fail(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "draw", fail)
    with pytest.raises(KeyboardInterrupt):
        synthesize.synthesize(settings(tmp_path / "characters"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "flag, value, valid",
    [
        ("kind", "words", "scenes, characters"),
        ("size", 14, "even numbers from 16 to 256 for --kind=characters"),
        ("size", 258, "even numbers from 16 to 256"),
        ("size", 29, "even numbers from 16 to 256"),
        ("images", 0, "1 or more"),
    ],
)
def test_bad_flags_name_the_valid_values(tmp_path, flag, value, valid):
    with pytest.raises(UserError) as error:
        synthesize.synthesize(settings(**{"out": tmp_path / "x", flag: value}))
    assert f"--{flag}={value}" in str(error.value) and valid in str(error.value)
    assert not (tmp_path / "x").exists()


def test_dry_run_and_sheet(written, tmp_path, capsys):
    synthesize.synthesize(settings(tmp_path / "x", dry_run=True))
    text = capsys.readouterr().out
    assert "28 x 28 pixels" in text and "letters   ABCDEF" in text
    assert list(tmp_path.iterdir()) == []
    synthesize.synthesize(settings(written, sheet=str(tmp_path / "sheet.png")))
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.height > 36 * 56 and sheet.width > 2 * 56
