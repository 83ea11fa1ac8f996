import dataclasses
import json

import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.perceptual.mean_config import ImageMeanConfig
from lorbms_tf.perceptual.mean_files import LINES, MeanFiles


@pytest.fixture
def config(tmp_path):
    return ImageMeanConfig(out=str(tmp_path / "out"), images="photos", distances=("l2", "mmd++"))


def mean(value):
    return np.full((16, 16, 3), value, np.float32)


def test_what_is_there_is_not_missing(config):
    files = MeanFiles(config)
    assert files.missing(0, config.distances) == ["l2", "mmd++"]
    files.add(0, "mmd++", mean(0.5), seconds=1.5)
    again = MeanFiles(config)
    assert again.missing(0, config.distances) == ["l2"]
    assert again.missing(1, config.distances) == ["l2", "mmd++"]
    np.testing.assert_allclose(again.means("mmd++", 1), mean(0.5)[None], atol=1 / 255)
    line = json.loads((files.folder / LINES).read_text())
    assert line["problem"] == 0 and line["distance"] == "mmd++" and line["seconds"] == 1.5
    assert (files.folder / line["file"]).is_file()


def test_a_line_that_a_kill_cut_is_made_again(config):
    files = MeanFiles(config)
    files.add(0, "l2", mean(0))
    path = files.folder / LINES
    whole = path.read_text()
    path.write_text(whole + '{"problem": 0, "dist')
    again = MeanFiles(config)
    assert again.missing(0, config.distances) == ["mmd++"]
    assert path.read_text() == whole
    again.add(0, "mmd++", mean(0))
    assert MeanFiles(config).missing(0, config.distances) == []


def test_more_problems_and_distances_may_come_but_no_other_settings(config):
    MeanFiles(config).add(0, "l2", mean(0))
    more = dataclasses.replace(config, num_problems=30, distances=("l2", "scnn"), sheet_rows=2)
    assert MeanFiles(more).missing(0, more.distances) == ["scnn"]
    with pytest.raises(UserError, match="other settings.*--epochs was 400, is 3"):
        MeanFiles(dataclasses.replace(config, epochs=3))


def test_a_folder_of_something_else(config, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match="not empty and holds no means"):
        MeanFiles(config)


def test_damaged_lines_and_pictures(config):
    files = MeanFiles(config)
    for number in range(2):
        files.add(number, "l2", mean(0))
    (files.folder / "means" / "l2" / "0001.png").unlink()
    with pytest.raises(UserError, match=r"0001.png cannot be read \(missing\)"):
        files.means("l2", 2)
    path = files.folder / LINES
    path.write_text("no json\n" + path.read_text())
    with pytest.raises(UserError, match="line 1 is no line of a mean"):
        MeanFiles(config)
