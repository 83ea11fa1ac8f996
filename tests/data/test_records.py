import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from tests import tiny


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    return records.find_shards(tiny.write_records(folder, 3))[0]


def first(shard):
    return records.deserialize(next(records.read_shard(shard)))


def test_round_trip_keeps_everything(shard):
    record = first(shard)
    again = records.deserialize(records.serialize(record))
    for field in dataclasses.fields(records.Record):
        one, other = getattr(record, field.name), getattr(again, field.name)
        np.testing.assert_array_equal(one, other)
    assert records.serialize(record) == records.serialize(again)


def test_parse_in_a_graph_gives_four_by_ten(shard):
    raw = next(records.read_shard(shard))
    parsed = tf.function(records.parse)(tf.constant(raw))
    record = first(shard)
    assert parsed["candidates/image"].shape == (4, 10)
    assert parsed["reference/id"].numpy().decode() == record.photo_id
    np.testing.assert_array_equal(parsed["candidates/distance"], record.distances)
    assert parsed["candidates/image"][2, 3].numpy() == record.candidate_images[2][3]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"distances": np.zeros((4, 9))}, "shape"),
        ({"distances": np.full((4, 10), np.nan)}, "finite"),
        ({"distances": np.arange(40.0).reshape(4, 10)[:, ::-1]}, "ascending"),
        ({"candidate_ids": [["a"] * 10] * 3}, "candidate_ids"),
        ({"candidate_images": [[b"a"] * 9] * 4}, "candidate_images"),
    ],
)
def test_malformed_records_are_not_written(shard, changes, message):
    with pytest.raises(ValueError, match=message):
        records.serialize(dataclasses.replace(first(shard), **changes))


@pytest.mark.parametrize("raw", [b"", b"\xff\xff\xff", tf.train.Example().SerializeToString()])
def test_other_bytes_are_no_record(raw):
    with pytest.raises(ValueError):
        records.deserialize(raw)


def test_count_equals_reading(shard):
    assert records.count(shard) == len(list(records.read_shard(shard))) == 3


@pytest.mark.parametrize("cut", [1, 5, 4000])
def test_a_shard_cut_short_names_file_and_record(shard, tmp_path, cut):
    whole = Path(shard).read_bytes()
    short = tmp_path / "short"
    short.write_bytes(whole[:-cut])
    with pytest.raises(UserError, match="short.*record 2"):
        list(records.read_shard(str(short)))
    with pytest.raises(UserError, match="short.*record 2"):
        records.count(str(short))


def test_a_flipped_bit_is_noticed(shard, tmp_path):
    data = bytearray(Path(shard).read_bytes())
    data[len(data) // 2] ^= 1
    broken = tmp_path / "broken"
    broken.write_bytes(bytes(data))
    with pytest.raises(UserError, match="corrupt at record 1"):
        list(records.read_shard(str(broken)))


def test_finding_shards(tmp_path):
    with pytest.raises(UserError, match="no record files match"):
        records.find_shards(str(tmp_path / "*.tfrecord-*"))
    for i in (0, 2):
        records.shard_path(tmp_path, "a", i, 3).touch()
    with pytest.raises(UserError, match="1 of 3 shards.*a.tfrecord-00001-of-00003"):
        records.find_shards(str(tmp_path / "*.tfrecord-*"))
    records.shard_path(tmp_path, "a", 1, 3).touch()
    assert len(records.find_shards(str(tmp_path / "*.tfrecord-*"))) == 3


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match="absent does not exist"):
        list(records.read_shard(str(tmp_path / "absent")))
    with pytest.raises(UserError, match="absent does not exist"):
        records.count(str(tmp_path / "absent"))
