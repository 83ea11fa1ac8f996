"""The report stands alone, shows what is there, and copes with what is not."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from tests.pages.reading import Reader
from tests.tfrecords_tools import making
from tfrecords_tools import assemble, inspect
from tfrecords_tools.inspect import InspectConfig
from tfrecords_tools.report import sheets


def report(glob, out, **settings):
    code = inspect.inspect(InspectConfig(records=glob, html=str(out), rows=3, **settings))
    text = Path(out).read_text(encoding="utf-8")
    return code, text, Reader(text)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A report on 14 records whose dataset.json tells all that a build knows."""
    folder = tmp_path_factory.mktemp("report") / "records"
    glob = making.write_dataset(folder)
    stored = json.loads((folder / records.DATASET_FILE).read_text())
    spread = {"min": 3, "median": 5.0, "max": 1234}
    stored |= {
        "photos": {
            "read": 17,
            "kept": 14,
            "dropped": {"smaller than 20 px": 2, "unreadable": 1},
            "examples": {"smaller than 20 px": ["s.png", "t.png"], "unreadable": ["<b>.png"]},
            "unreadable": {"not an image": {"photos": 1, "examples": ["<b>.png"]}},
            "locked": {"folders": 1, "examples": ["lost+found"]},
            "skipped_later": [],
        },
        "clusters": {
            "num_clusters": 2,
            "sizes": dict.fromkeys(("q1", "q2", "q3", "q4"), spread),
            "share_that_left_its_cluster": dict.fromkeys(("q1", "q2", "q3", "q4"), 0.25),
        },
        "duplicates": {
            "same_content": {"groups": 4, "photos": 9, "examples": [["p001", "p002"]]},
            "near": 2,
        },
        "features": {"network": "alexnet", "weights_sha256": "abc"},
        "settings": {"seed": 3, "weights": ""},
    }
    (folder / records.DATASET_FILE).write_text(json.dumps(stored))
    return report(glob, folder.parent / "out" / "report.html")


def test_it_is_one_file_that_loads_nothing(built):
    code, text, read = built
    assert code == 0
    assert read.links and all(link.startswith("data:image/jpeg;base64,") for link in read.links)
    assert "script" not in read.tags and "link" not in read.tags
    assert "url(" not in text and "@import" not in text
    assert read.uses and {use.removeprefix("#") for use in read.uses} <= set(read.ids)
    assert len(set(read.ids)) == len(read.ids)


def test_it_shows_counts_reasons_clusters_copies_and_settings(built):
    _, _, read = built
    text = " ".join(read.text)
    for expected in (
        "smaller than 20 px",
        "s.png, t.png",
        "<b>.png",  # escaped in the file
        "unreadable: not an image",
        "folders that may not be read",
        "lost+found",
        "1,234",
        "25.00 %",
        "same content",
        "p001 = p002",
        "9 photos in 4 groups",
        "weights_sha256",
        "settings.seed",
        "Neighbours of the worst references",
        "Candidates against random choice",
        "q3, bottom left",
    ):
        assert expected in text, expected


def test_each_sheet_has_all_candidates(built):
    _, _, read = built
    assert read.tags.count("img") == 2 * 3 * (1 + 4 * 11)


def test_charts_are_there_and_finite(built):
    _, text, read = built
    assert read.tags.count("svg") >= 4 + 1 + 1 + 1 + 1
    numbers = re.findall(r' (?:x|y|width|height|d)="([^"]*)"', text)
    assert len(numbers) > 300 and not [n for n in numbers if "nan" in n or "inf" in n]


def test_without_dataset_json_the_rest_is_shown(tmp_path):
    glob = making.write_dataset(tmp_path / "records")
    (tmp_path / "records" / records.DATASET_FILE).unlink()
    code, _, read = report(glob, tmp_path / "r.html")
    text = " ".join(read.text)
    assert code == 0
    assert "There is no dataset.json" in text and "Cluster" not in text
    assert "What tau does" in text


@pytest.mark.parametrize("stored", ["[]", '{"photos": 3, "clusters": [], "shards": []}', "{"])
def test_a_strange_dataset_json_is_a_fault_not_a_traceback(tmp_path, stored):
    glob = making.write_dataset(tmp_path / "records")
    (tmp_path / "records" / records.DATASET_FILE).write_text(stored)
    code, _, read = report(glob, tmp_path / "r.html")
    assert code == 1
    assert "Faults" in read.text and "img" not in read.tags


def test_damaged_records_are_told_and_not_drawn(tmp_path):
    glob = making.write_dataset(tmp_path / "records")
    shard = Path(records.find_shards(glob)[0])
    shard.write_bytes(shard.read_bytes()[:-5])
    code, _, read = report(glob, tmp_path / "r.html")
    assert code == 1 and "img" not in read.tags
    assert any("cut short" in text for text in read.text)


def test_settings_are_checked(tmp_path):
    for settings, named in (
        ({"html": "a.txt"}, "--html"),
        ({"annotations": "a.json"}, "--annotations"),
        ({"limit": -1}, "limit"),
    ):
        with pytest.raises(UserError, match=named):
            InspectConfig(records="a", **settings).validate()


def test_the_worst_references_are_those_far_from_their_nearest():
    distances = np.ones((5, 4, 10), np.float32)
    distances[3, :, 0] = 9
    distances[1, 2, 0] = 8
    distances[4, :, 9] = 100  # far from its last, which does not count
    assert sheets.worst(distances, 3) == [3, 1, 0]
    assert sheets.worst(distances, 10) == [3, 1, 0, 2, 4]


def test_the_worst_show_each_photo_once(tmp_path):
    items, found = making.items_and_neighbours(14)
    # p003 stands there three times, and is the farthest each time.
    made = [assemble.Item("p003", version, items[3].image) for version in ("flip", "crop_0.6")]
    indices = np.concatenate([found.indices, found.indices[[3, 3]]])
    distances = np.concatenate([found.distances, found.distances[[3, 3]]])
    distances[[3, 14, 15]] += 1e6
    (tmp_path / "r").mkdir()
    assemble.write_shards(tmp_path / "r", "t", 1, [*items, *made], indices, distances, 8, seed=0)
    shards = {str(tmp_path / "r" / "t.tfrecord-00000-of-00001"): 16}
    order = np.stack(next(iter(inspect.check(str(tmp_path / "r" / "t*")).values())).distances)
    worst = [record.photo_id for record in inspect._worst(shards, order, 3)]
    assert worst[0] == "p003" and len(set(worst)) == 3
