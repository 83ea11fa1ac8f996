import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from lorbms_tf.files import sha256_file
from tests.tfrecords_tools import making
from tfrecords_tools import assemble


def write(folder, num_shards=3, seed=0, count=14):
    folder.mkdir()
    items, found = making.items_and_neighbours(count)
    shards = assemble.write_shards(
        folder, "x", num_shards, items, found.indices, found.distances, 8, seed
    )
    return items, found, shards


def read(folder):
    paths = records.find_shards(str(folder / "x.tfrecord-*"))
    return [records.deserialize(raw) for path in paths for raw in records.read_shard(path)]


def test_every_image_is_one_record_with_its_own_neighbours(tmp_path):
    items, found, _ = write(tmp_path / "a")
    made = read(tmp_path / "a")
    numbers = [int(record.photo_id[1:]) for record in made]
    assert sorted(numbers) == list(range(14))
    for i, record in zip(numbers, made, strict=True):
        assert record.image == items[i].image
        assert (record.image_size, record.version) == (8, "original")
        np.testing.assert_array_equal(record.distances, found.distances[i])
        for q in range(4):
            for c in range(10):
                other = items[found.indices[i, q, c]]
                assert record.candidate_ids[q][c] == other.photo_id != record.photo_id
                assert record.candidate_images[q][c] == other.image


def test_shards_are_even_described_and_in_random_order(tmp_path):
    _, _, shards = write(tmp_path / "a")
    assert [shard["file"] for shard in shards] == [f"x.tfrecord-0000{i}-of-00003" for i in range(3)]
    assert [shard["records"] for shard in shards] == [5, 5, 4]
    for shard in shards:
        path = tmp_path / "a" / shard["file"]
        assert shard["sha256"] == sha256_file(path)
        assert shard["bytes"] == path.stat().st_size
        assert records.count(str(path)) == shard["records"]
    order = [record.photo_id for record in read(tmp_path / "a")]
    assert order != sorted(order)


def test_same_seed_same_bytes_other_seed_other_order(tmp_path):
    first, again = write(tmp_path / "a")[2], write(tmp_path / "b")[2]
    other = write(tmp_path / "c", seed=1)[2]
    assert first == again
    assert [s["sha256"] for s in first] != [s["sha256"] for s in other]


def test_more_shards_than_records_are_refused(tmp_path):
    with pytest.raises(UserError, match="--num_shards=15 is more than the 14 records"):
        write(tmp_path / "a", num_shards=15)
    assert len(write(tmp_path / "b", num_shards=14)[2]) == 14


def test_a_folder_that_is_not_there_is_named(tmp_path):
    items, found = making.items_and_neighbours(11)
    folder = tmp_path / "absent"
    with pytest.raises(UserError, match=f"cannot write records to {folder}"):
        assemble.write_shards(folder, "x", 1, items, found.indices, found.distances, 8, 0)


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    class FullDisk(tf.io.TFRecordWriter):
        def write(self, record):
            raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.io, "TFRecordWriter", FullDisk)
    with pytest.raises(UserError, match="cannot write records to .*: the disk is full"):
        write(tmp_path / "a")


def test_quantiles_of_known_distances():
    distances = np.stack([np.arange(101.0)] * 4, axis=1)[..., None]  # [101, 4, 1]
    distances[:, 3] += 1000
    overall = assemble.distance_quantiles(distances[:, 0])
    assert len(overall) == 21
    assert (overall["0"], overall["0.05"], overall["0.5"], overall["1"]) == (0, 5, 50, 100)
    each = assemble.quantiles_by_quadrant(distances)
    assert list(each) == ["q1", "q2", "q3", "q4"]
    assert (each["q1"]["0.95"], each["q4"]["0.95"]) == (95, 1095)
