"""The whole command: what is written, that it is repeatable, and how it refuses."""

import json
import subprocess
import sys

import pytest
from PIL import Image
from pycocotools.coco import COCO

from lorbms_tf.errors import UserError
from tfrecords_tools import synthesize
from tfrecords_tools.scenes import folder
from tfrecords_tools.synthesize import SynthesisConfig


def settings(out, **changes):
    return SynthesisConfig(
        **{"out": str(out), "images": 12, "size": 48, "seed": 1, "num_workers": 1, **changes}
    )


def contents(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("synthesis") / "scenes"
    synthesize.synthesize(settings(out))
    return out


def test_pycocotools_reads_the_folder(written):
    coco = COCO(written / "annotations" / "instances.json")
    assert len(coco.getImgIds()) == 12 and len(coco.getCatIds()) >= 10
    assert min(coco.getCatIds()) == 1
    for entry in coco.loadImgs(coco.getImgIds()):
        with Image.open(written / "images" / entry["file_name"]) as picture:
            assert picture.size == (entry["width"], entry["height"]) == (48, 48)
            assert picture.format == "JPEG"
        things = coco.loadAnns(coco.getAnnIds(imgIds=entry["id"]))
        assert [thing["quadrant"] for thing in things] == [1, 2, 3, 4]
        for thing in things:
            x, y, wide, high = thing["bbox"]
            row, column = divmod(thing["quadrant"] - 1, 2)
            assert 24 * column <= x and x + wide <= 24 * (column + 1)
            assert 24 * row <= y and y + high <= 24 * (row + 1)
            assert 0 < coco.annToMask(thing).sum() <= (wide + 2) * (high + 2)
    assert {"info", "licenses"} <= set(coco.dataset)


def test_the_same_bytes_on_two_processes(written, tmp_path):
    synthesize.synthesize(settings(tmp_path / "two", num_workers=2))
    assert contents(tmp_path / "two") == contents(written)


def test_another_seed_draws_other_scenes_and_more_images_keep_the_first(written, tmp_path):
    synthesize.synthesize(settings(tmp_path / "seed", images=2, seed=2))
    synthesize.synthesize(settings(tmp_path / "fewer", images=2))
    name = "images/000001.jpg"
    first = contents(written)[name]
    assert contents(tmp_path / "seed")[name] != first
    assert contents(tmp_path / "fewer")[name] == first


def test_the_same_again_is_left_alone(written, capsys):
    before = contents(written)
    synthesize.synthesize(settings(written))
    assert "already" in capsys.readouterr().out
    assert contents(written) == before


def test_other_settings_into_the_folder_are_refused(written):
    before = contents(written)
    with pytest.raises(UserError, match="holds other scenes .*seed=1") as error:
        synthesize.synthesize(settings(written, seed=9))
    assert str(written) in str(error.value)
    assert contents(written) == before


def test_a_foreign_folder_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        synthesize.synthesize(settings(tmp_path))
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "instances.json").write_text("[1, 2]")
    with pytest.raises(UserError, match="not empty"):
        synthesize.synthesize(settings(tmp_path))
    with pytest.raises(UserError, match="is a file"):
        synthesize.synthesize(settings(tmp_path / "notes.txt"))


def test_a_lost_image_is_told(tmp_path):
    synthesize.synthesize(settings(tmp_path / "s", images=2))
    (tmp_path / "s" / "images" / "000002.jpg").unlink()
    with pytest.raises(UserError, match="lost 1 of its images .000002.jpg"):
        synthesize.synthesize(settings(tmp_path / "s", images=2))


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    def fail(scene, size):
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "render", fail)
    with pytest.raises(KeyboardInterrupt):
        synthesize.synthesize(settings(tmp_path / "scenes"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "flag, value, valid",
    [
        ("out", "", "--out=DIR"),
        ("images", 0, "1 or more"),
        ("size", 31, "even numbers from 32"),
        ("size", 16, "even numbers from 32"),
        ("size", 65, "even numbers from 32"),
        ("seed", -1, "0 or more"),
        ("num_workers", -2, "0 or more"),
        ("sheet", "sheet.jpg", ".png"),
    ],
)
def test_bad_flags_name_the_valid_values(tmp_path, flag, value, valid):
    with pytest.raises(UserError) as error:
        synthesize.synthesize(settings(**{"out": tmp_path / "x", flag: value}))
    assert f"--{flag}" in str(error.value) and valid in str(error.value)
    assert not (tmp_path / "x").exists()


def test_dry_run_writes_nothing(tmp_path, capsys):
    synthesize.synthesize(settings(tmp_path / "x", dry_run=True))
    text = capsys.readouterr().out
    assert "12 scenes of 48 x 48" in text and "meadow" in text
    assert list(tmp_path.iterdir()) == []


def test_sheet_and_summary(written, tmp_path, capsys):
    synthesize.synthesize(settings(written, sheet=str(tmp_path / "sheet.png")))
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 6 * 192 and sheet.height > 2 * 192
    text = capsys.readouterr().out
    assert "12 scenes with 48 objects" in text and str(written / "images") in text


def test_the_command_exits_well_and_badly(tmp_path):
    command = [sys.executable, "-m", "tfrecords_tools.synthesize", f"--out={tmp_path / 's'}"]
    good = subprocess.run([*command, "--images=9", "--size=32", "--num_workers=2"], text=True)
    assert good.returncode == 0
    truth = json.loads((tmp_path / "s" / "annotations" / "instances.json").read_text())
    assert truth["info"]["synthesis"]["images"] == 9
    bad = subprocess.run([*command, "--images=0"], capture_output=True, text=True)
    assert bad.returncode == 1
    assert "error: --images=0" in bad.stderr and "Traceback" not in bad.stderr


def test_tensorflow_is_not_imported():
    code = "import sys, tfrecords_tools.synthesize as s; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
