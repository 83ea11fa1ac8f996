"""The command: its plan, its flagfiles, and how it says a mistake."""

from pathlib import Path

import pytest

from tests import copies
from tests.tfrecords_tools.making import build_config, siblings
from tfrecords_tools import build_report
from tfrecords_tools.build_config import BuildConfig

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs" / "data").glob("*.cfg"))


def test_the_plan_writes_nothing(photos):
    text = build_report.plan(build_config(photos, versions="tr_v5"))
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
    return copies.run(["-m", "tfrecords_tools.build", *arguments])


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
    assert "28 in 4 shards" in done.stdout  # with their mirror images
    assert siblings(photos) == ["photos"]


def test_the_command_says_a_mistake_in_one_line(tmp_path):
    done = run(f"--images={tmp_path / 'nowhere'}", f"--out={tmp_path / 'out'}")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ") and "nowhere does not exist" in last
