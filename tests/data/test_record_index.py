"""The index of records: what it tells, when it is made, kept and used, and what is read by it."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.data import (
    byte_ranges,
    index_making,
    pipeline,
    record_index,
    record_order,
    records,
    wire_format,
)
from lorbms_tf.data.damage import BadRecords
from lorbms_tf.errors import UserError
from tests import tiny

COUNT = 6


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return Path(records.find_shards(tiny.write_records(folder, COUNT, draw=tiny.noise))[0])


@pytest.fixture
def shard(whole, tmp_path, monkeypatch):
    """A copy without an index; the user's cache folder is an empty one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    return Path(shutil.copy(whole, tmp_path / "data"))


def opened(*shards):
    return index_making.open_index([str(path) for path in shards])


def stored(shard):
    return Path(record_index.path_beside(str(shard)))


def all_images(record):
    return [record.image, *(image for row in record.candidate_images for image in row)]


def test_the_layout_is_that_of_the_parsed_record(whole):
    for raw in records.read_shard(str(whole)):
        record, layout = records.deserialize(raw), wire_format.layout(raw)
        spans = zip(layout.starts, layout.sizes, strict=True)
        assert [raw[start : start + size] for start, size in spans] == all_images(record)
        np.testing.assert_array_equal(layout.distances, record.distances)


def test_unpacked_distances_and_fields_of_others_are_understood(whole):
    example = tf.train.Example.FromString(next(records.read_shard(str(whole))))
    example.features.feature["another"].int64_list.value.extend([1, 300])
    values = example.features.feature.pop("candidates/distance").float_list.value
    key = b"\x0a\x13candidates/distance"
    each = b"".join(b"\x0d" + np.float32(value).tobytes() for value in values)
    feature = b"\x12" + varint(len(each)) + each
    entry = key + b"\x12" + varint(len(feature)) + feature
    features = b"\x0a" + varint(len(entry)) + entry
    raw = example.SerializeToString() + b"\x0a" + varint(len(features)) + features
    layout = wire_format.layout(raw)
    np.testing.assert_array_equal(layout.distances, records.deserialize(raw).distances)
    assert layout.distances[1, 3] == values[13]


def varint(number):
    text = b""
    while number >= 0x80:
        text, number = text + bytes([number & 0x7F | 0x80]), number >> 7
    return text + bytes([number])


def without(raw, name):
    example = tf.train.Example.FromString(raw)
    del example.features.feature[name]
    return example.SerializeToString()


def test_what_is_no_record_is_a_value_error(whole):
    raw = next(records.read_shard(str(whole)))
    for broken in (b"hello", raw[:-7], raw[: len(raw) // 2], b"\xff" * 9, b"", b"\x0a\xff"):
        with pytest.raises(ValueError, match=r"tf\.train\.Example|schema"):
            wire_format.layout(broken)
    with pytest.raises(ValueError, match="candidates/distance missing"):
        wire_format.layout(without(raw, "candidates/distance"))


def test_any_image_of_any_record_is_read(whole, shard):
    second = shard.with_name("second")
    with tf.io.TFRecordWriter(str(second)) as writer:
        for raw in list(records.read_shard(str(whole)))[:2]:
            writer.write(raw)
    index = opened(shard, second)
    assert len(index) == COUNT + 2
    assert index.place(COUNT - 1) == (str(shard), COUNT - 1)
    assert index.place(COUNT) == (str(second), 0)
    numbers, draws = np.array([7, 0, 3]), np.array([[0, 9, 5, 1], [1, 1, 1, 1], [9, 0, 0, 2]])
    reader = byte_ranges.ImageReader(index)
    images, distances = reader.read(numbers, draws)
    raws = [*records.read_shard(str(shard)), *records.read_shard(str(second))]
    for n, number in enumerate(numbers):
        record = records.deserialize(raws[number])
        drawn = [record.candidate_images[q][draws[n, q]] for q in range(4)]
        assert list(images[n]) == [record.image, *drawn]
        assert list(distances[n]) == [record.distances[q, draws[n, q]] for q in range(4)]
    assert reader.bytes_read == sum(len(image) for image in images.reshape(-1))


def test_it_is_made_once(shard, capsys):
    opened(shard)
    assert "indexing 1 record files" in capsys.readouterr().err
    before = stored(shard).read_bytes(), stored(shard).stat().st_mtime_ns
    opened(shard)
    assert not capsys.readouterr().err
    assert (stored(shard).read_bytes(), stored(shard).stat().st_mtime_ns) == before
    assert index_making.count([str(shard)], BadRecords()) == COUNT


def exchanged(shard):
    """The records of a shard in the opposite order: another file of the same size."""
    raws = list(records.read_shard(str(shard)))[::-1]
    with tf.io.TFRecordWriter(str(shard)) as writer:
        for raw in raws:
            writer.write(raw)


def shortened(shard):
    raws = list(records.read_shard(str(shard)))[:-1]
    with tf.io.TFRecordWriter(str(shard)) as writer:
        for raw in raws:
            writer.write(raw)


def told_otherwise(shard):
    entry = {"file": shard.name, "bytes": shard.stat().st_size, "sha256": "f" * 64}
    entries = {"shards": [{**entry, "records": COUNT}]}
    (shard.parent / records.DATASET_FILE).write_text(json.dumps(entries))


def damaged_index(shard):
    content = stored(shard).read_bytes()
    stored(shard).write_bytes(content[:-9])


def no_index(shard):
    stored(shard).write_bytes(b"something else")


@pytest.mark.parametrize("change", [exchanged, shortened, told_otherwise, damaged_index, no_index])
def test_a_stale_index_is_made_anew(shard, change, capsys):
    if change is told_otherwise:  # built with one hash, dataset.json tells of another
        index_making.write_beside(shard, "0" * 64)
    opened(shard)
    capsys.readouterr()
    change(shard)
    index = opened(shard)
    assert "indexing" in capsys.readouterr().err
    raws = list(records.read_shard(str(shard)))
    assert len(index) == len(raws)
    images, _ = byte_ranges.ImageReader(index).read(
        np.arange(len(raws)), np.zeros((len(raws), 4), int)
    )
    assert [row[0] for row in images] == [records.deserialize(raw).image for raw in raws]
    opened(shard)
    assert "indexing" not in capsys.readouterr().err


def test_an_exchanged_middle_is_noticed_where_the_shard_is_newer(whole, shard):
    raws = list(records.read_shard(str(whole))) * 5  # more than are looked at each time
    with tf.io.TFRecordWriter(str(shard)) as writer:
        for raw in raws:
            writer.write(raw)
    opened(shard)
    raws[2], raws[3] = raws[3], raws[2]
    with tf.io.TFRecordWriter(str(shard)) as writer:
        for raw in raws:
            writer.write(raw)
    newer = stored(shard).stat().st_mtime_ns + 10**9
    os.utime(shard, ns=(newer, newer))
    images, _ = byte_ranges.ImageReader(opened(shard)).read(np.array([2]), np.zeros((1, 4), int))
    assert images[0, 0] == records.deserialize(raws[2]).image


def test_a_folder_that_cannot_be_written(shard, capsys, monkeypatch):
    with tiny.read_only(shard.parent):
        monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
        assert len(opened(shard)) == COUNT
    assert "is made at each start" in capsys.readouterr().err
    assert not stored(shard).exists()
    cache = shard.parents[1] / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    with tiny.read_only(shard.parent):
        opened(shard)
        told = capsys.readouterr().err
        assert "cannot be written" in told and f"is kept in {cache}/lorbms_tf/index" in told
        assert len(opened(shard)) == COUNT
    assert not capsys.readouterr().err


def test_remote_shards_take_the_same_path(shard, capsys):
    remote = f"ram://{shard.parent.name}/{shard.name}"
    tf.io.gfile.copy(str(shard), remote)
    assert records.find_shards(f"ram://{shard.parent.name}/*.tfrecord-*") == [remote]
    batches = {}
    for path in (str(shard), remote):
        assert index_making.count([path], BadRecords()) == COUNT
        dataset = pipeline.training_batches(opened(path), 32, 2, seed=4, epochs=1)
        batches[path] = [batch["candidates"].numpy() for batch in pipeline.checked(dataset, path)]
    np.testing.assert_array_equal(batches[str(shard)], batches[remote])
    assert "is remote: the index of its records is kept in" in capsys.readouterr().err
    opened(remote)
    assert not capsys.readouterr().err
    evaluated = pipeline.evaluation_batches(remote, 32, 4)
    assert [len(batch["id"]) for batch in evaluated] == [4, 2]


def test_remote_files_that_are_not_there():
    with pytest.raises(UserError, match="no record files match 'ram://nowhere"):
        records.find_shards("ram://nowhere/*.tfrecord-*")


def test_a_damaged_shard_is_not_remembered_as_damaged(whole, shard, capsys):
    raw = bytearray(shard.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    shard.write_bytes(raw)
    index = opened(shard)
    _, rows = index.take(np.arange(COUNT))
    assert (rows["state"] != record_index.GOOD).sum() == 1 and not stored(shard).exists()
    shutil.copy(whole, shard)
    _, rows = opened(shard).take(np.arange(COUNT))
    assert (rows["state"] == record_index.GOOD).all() and stored(shard).exists()


def test_bytes_that_change_after_the_index_was_made_are_an_error_that_names_them(shard):
    opened(shard)
    written = shard.stat().st_mtime_ns
    _, rows = opened(shard).take(np.array([4]))
    raw = bytearray(shard.read_bytes())
    raw[int(rows["offset"][0]) + 12 + int(rows["start"][0, 0]) + 200] ^= 1
    shard.write_bytes(raw)
    os.utime(shard, ns=(written, written))
    dataset = pipeline.training_batches(opened(shard), 32, 2, seed=4, epochs=1)
    with pytest.raises(UserError, match=r"record 4: its bytes are not those that were indexed"):
        list(pipeline.checked(dataset, str(shard)))


def test_a_shard_cut_short(shard):
    opened(shard)
    shard.write_bytes(shard.read_bytes()[:-9])
    with pytest.raises(UserError, match=f"{shard.name} is cut short or corrupt at record 5"):
        opened(shard)


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_an_epoch_is_a_permutation_of_the_whole_set(count):
    orders = [order_of(count, seed, epoch) for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    for order in orders:
        assert sorted(order) == list(range(count))
    if count > 7:
        assert len({tuple(order) for order in orders}) == 3
        far = np.abs(np.array(orders[0]) - np.arange(count)).mean()
        assert far > count / 4  # a third is expected: no neighbourhood stays together


def order_of(count, seed, epoch):
    return record_order.record_numbers(
        tf.range(count, dtype=tf.int64), count, seed, tf.constant(epoch, tf.int64)
    ).numpy().tolist()  # fmt: skip
