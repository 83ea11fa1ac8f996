"""Whole records pass; each fault that a record can have is found and named."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lorbms_tf.data import records
from lorbms_tf.data.images import encode_jpeg
from lorbms_tf.errors import UserError
from tests.tfrecords_tools import making
from tfrecords_tools import inspect, neighbour_sheet
from tfrecords_tools.inspect import InspectConfig


@pytest.fixture
def glob(tmp_path):
    return making.write_dataset(tmp_path / "records")


def failures(glob):
    return [text for checked in inspect.check(glob).values() for text in checked.failures]


def tamper(glob, change, number=2):
    """Applies `change` to the features of one record of the second shard; returns its path.

    dataset.json goes away, because its sha256 would tell of every change.
    """
    path = records.find_shards(glob)[1]
    raw = list(records.read_shard(path))
    example = tf.train.Example.FromString(raw[number])
    change(example.features.feature)
    raw[number] = example.SerializeToString()
    rewrite(path, raw)
    return path


def rewrite(path, raw):
    with tf.io.TFRecordWriter(path) as writer:
        for data in raw:
            writer.write(data)
    Path(path).with_name(records.DATASET_FILE).unlink()


def test_whole_records_pass(glob, capsys):
    assert inspect.inspect(InspectConfig(records=glob)) == 0
    printed = capsys.readouterr().out
    assert "14 records in 2 shards" in printed
    assert "14 original; 8 px; 14 different ones" in printed
    assert "dataset.json: compared" in printed
    assert "All checks passed." in printed


def test_the_tables_say_what_the_distances_are(tmp_path):
    checked = inspect.record_checks.Checked()
    # Every candidate of quadrant i is at distance 10 i: the argmin is q1, the argmax q4, so that
    # q1 is always replaced, q4 never, q2 and q3 by tau.
    distances = np.repeat(np.arange(4, dtype=np.float32)[:, None] * 10, 10, axis=1)
    checked.distances = [distances] * 3
    text = inspect.describe(str(tmp_path), checked)
    q3 = next(line for line in text.splitlines() if line.startswith("  q3"))
    assert q3.split()[1:] == ["20"] * 7
    taus = [line.split() for line in text.splitlines() if line.startswith("  tau ")]
    assert [line[1] for line in taus] == ["0", "7.5", "15", "22.5", "30"]
    shares = [" ".join(line[3:]) for line in taus]
    assert shares[0] == shares[1] == "1: 100.0%, 2: 0.0%, 3: 0.0%"
    assert shares[2] == "1: 0.0%, 2: 100.0%, 3: 0.0%"
    assert shares[3] == shares[4] == "1: 0.0%, 2: 0.0%, 3: 100.0%"


def set_bytes(name, place, value):
    def change(feature):
        feature[name].bytes_list.value[place] = value

    return change


def set_distance(place, value):
    def change(feature):
        feature["candidates/distance"].float_list.value[place] = value

    return change


def copy_reference(feature):
    reference = feature["reference/image"].bytes_list.value[0]
    feature["candidates/image"].bytes_list.value[20] = reference


def name_reference(feature):
    feature["candidates/id"].bytes_list.value[39] = feature["reference/id"].bytes_list.value[0]


def cut_image(feature):
    value = feature["candidates/image"].bytes_list.value
    value[3] = value[3][: len(value[3]) // 2]


def drop_distance(feature):
    del feature["candidates/distance"].float_list.value[-1]


@pytest.mark.parametrize(
    "change, reason",
    [
        (set_distance(9, 0.0), "not in ascending order"),
        (set_distance(0, -1.0), "a distance is negative"),
        (set_distance(9, np.inf), "not finite"),
        (set_distance(19, np.nan), "not finite"),
        (drop_distance, "39"),
        (name_reference, "q4, candidate 9 is of the reference's own photo"),
        (copy_reference, "q3, candidate 0, .* is the reference's picture"),
        (cut_image, "q1, candidate 3, .*cannot be decoded"),
        (set_bytes("reference/image", 0, b"no picture"), "reference, .*cannot be decoded"),
        (set_bytes("candidates/image", 12, encode_jpeg(making.picture(0, 8, 16))), "16x8 pixels"),
        (set_bytes("candidates/image", 12, encode_jpeg(making.picture(99, 8, 8))), "other bytes"),
        (lambda feature: feature.pop("image_size"), "image_size missing"),
    ],
)
def test_faults_of_a_record_are_named_with_file_and_number(glob, change, reason, capsys):
    path = tamper(glob, change)
    found = failures(glob)
    assert any(text.startswith(f"{path}, record 2: ") for text in found)
    assert any(re.search(reason, text) for text in found), found
    assert inspect.inspect(InspectConfig(records=glob)) == 1
    assert "FAILED" in capsys.readouterr().out


def test_bytes_that_are_no_record(glob):
    path = records.find_shards(glob)[0]
    rewrite(path, [b"hello", *records.read_shard(path)])
    assert failures(glob)[0].startswith(f"{path}, record 0: not a")


def test_a_reference_that_comes_twice(glob):
    path = records.find_shards(glob)[0]
    raw = list(records.read_shard(path))
    rewrite(path, [*raw, raw[1]])
    assert f"{path}, record {len(raw)}: " in failures(glob)[0]


def test_a_shard_cut_short(glob):
    path = Path(records.find_shards(glob)[1])
    path.write_bytes(path.read_bytes()[:-7])
    found = failures(glob)
    assert f"{path} is cut short or corrupt at record 6" in found[0]
    assert any("6 whole records" in text and "says 7" in text for text in found)
    assert any("sha256" in text for text in found)


def test_a_shard_cut_between_records_is_known_from_the_dataset(glob):
    path = records.find_shards(glob)[1]
    raw = list(records.read_shard(path))
    with tf.io.TFRecordWriter(path) as writer:
        for data in raw[:-1]:
            writer.write(data)
    assert any("6 whole records" in text and "says 7" in text for text in failures(glob))


def test_a_missing_shard_or_glob(glob):
    Path(records.find_shards(glob)[0]).unlink()
    with pytest.raises(UserError, match="00000-of-00002"):
        inspect.check(glob)
    with pytest.raises(UserError, match="no record files match"):
        inspect.check(glob + "none")


def test_one_shard_of_a_dataset_can_be_looked_at_alone(tmp_path):
    making.write_dataset(tmp_path / "records", num_shards=1)
    path = tmp_path / "records" / records.DATASET_FILE
    dataset = json.loads(path.read_text())
    dataset["shards"].append({"file": "elsewhere", "records": 5, "sha256": ""})
    dataset["num_records"] += 5
    path.write_text(json.dumps(dataset))
    assert failures(str(tmp_path / "records" / "tiny.*")) == []


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"image_size": 64}, "records of 8 px, .* says 64 px"),
        ({"num_records": 15}, "14 records, .* says 15"),
        ({"shards": []}, "is not named in"),
        ({"shards": None}, "lacks what it must hold"),
    ],
)
def test_a_dataset_json_that_tells_otherwise(glob, change, reason):
    path = Path(glob).parent / records.DATASET_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert any(re.search(reason, text) for text in failures(glob))


def test_a_dataset_json_that_is_not_json(glob):
    (Path(glob).parent / records.DATASET_FILE).write_text("{")
    assert any("is not JSON" in text for text in failures(glob))


def test_folders_are_checked_apart(tmp_path):
    train = making.write_dataset(tmp_path / "train")
    test = making.write_dataset(tmp_path / "test", count=12)
    folders = inspect.check(f"{train},{test}")
    assert {folder: checked.num_records for folder, checked in folders.items()} == {
        str(tmp_path / "train"): 14,
        str(tmp_path / "test"): 12,
    }
    assert not any(checked.failures for checked in folders.values())


def test_the_sheet_shows_quadrants(glob, tmp_path):
    sheet = tmp_path / "pictures" / "sheet.png"
    config = InspectConfig(records=glob, sheet=str(sheet), rows=2)
    assert inspect.inspect(config) == 0
    with Image.open(sheet) as picture:
        assert picture.width > 12 * neighbour_sheet.CELL
        assert picture.height > 8 * neighbour_sheet.CELL
        assert picture.height < 12 * neighbour_sheet.CELL
        # The quadrants of `making.picture` are one colour each.
        colours = {colour for _, colour in picture.getcolors(maxcolors=1 << 20)}
    assert len(colours) > 20


def test_references_on_the_sheet_are_drawn_by_the_seed(glob):
    per_shard = inspect.check(glob)[str(Path(glob).parent)].records_per_shard

    def names(count, seed):
        return [record.photo_id for record in neighbour_sheet.pick(per_shard, count, seed)]

    assert names(3, seed=1) == names(3, seed=1)
    assert len(set(names(5, seed=2))) == 5
    assert names(5, seed=2) != names(5, seed=3)
    assert sorted(names(99, seed=0)) == [f"p{n:03d}" for n in range(14)]


def test_settings_that_are_not_valid():
    for changes, message in [
        ({"records": ""}, "--records is required"),
        ({"rows": 0}, "--rows=0"),
        ({"sheet": "a.jpg"}, "must end in .png"),
        ({"seed": -1}, "--seed=-1"),
    ]:
        with pytest.raises(UserError, match=message):
            InspectConfig(**{"records": "x", **changes}).validate()
