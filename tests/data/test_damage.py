"""Damaged records: where they are found, and what a run and its continuation make of them."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.data import damage, index_making, pipeline, record_order, records
from lorbms_tf.data.damage import BadRecords
from lorbms_tf.errors import UserError
from tests import tiny

COUNT = 9


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return records.find_shards(tiny.write_records(tmp_path_factory.mktemp("whole"), COUNT))[0]


def spans(path):
    """(start, end) in bytes of each record's data."""
    raw, offset, found = Path(path).read_bytes(), 0, []
    while offset < len(raw):
        length = struct.unpack("<Q", raw[offset : offset + 8])[0]
        found.append((offset + 12, offset + 12 + length))
        offset += length + 16
    return found


def damaged_copy(whole, folder, flipped=(), cut=None):
    """A copy with one byte changed in the data of some records, or cut within a record."""
    raw, places = bytearray(Path(whole).read_bytes()), spans(whole)
    for number in flipped:
        raw[sum(places[number]) // 2] ^= 0xFF
    if cut is not None:
        raw = raw[: places[cut][0] + 5]
    path = folder / "bad.tfrecord-00000-of-00001"
    path.write_bytes(raw)
    return str(path)


def with_broken_image(whole, folder, broken):
    """A copy whose checksums fit, with the references of some records no JPEG."""
    path = str(folder / "bad.tfrecord-00000-of-00001")
    with tf.io.TFRecordWriter(path) as writer:
        for number, raw in enumerate(records.read_shard(whole)):
            if number in broken:
                image = records.deserialize(raw).image
                raw = raw.replace(image, b"\x00" * len(image))
            writer.write(raw)
    return path


def training(path, bad, first_step=0, **changes):
    settings = {"image_size": 32, "batch_size": 3, "seed": 4, "epochs": 2, **changes}
    index = index_making.open_index([path], bad)
    dataset = pipeline.training_batches(index, first_step=first_step, bad=bad, **settings)
    return [batch["reference"].numpy() for batch in pipeline.checked(dataset, path)]


def tolerant(path, limit=3):
    bad = BadRecords(limit)
    bad.scan([path])
    return bad


def test_the_checksum_is_that_of_the_files(whole):
    raw = Path(whole).read_bytes()
    assert damage.masked_crc(raw[:8]) == struct.unpack("<I", raw[8:12])[0]


def test_an_intact_shard_has_no_fault(whole):
    scan = damage.scan_shard(whole)
    assert [offset + 12 for offset in scan.offsets] == [start for start, _ in spans(whole)]
    assert scan.damaged == [] and scan.broken_at is None and scan.first_fault is None


def test_damaged_records_are_stepped_over(whole, tmp_path):
    scan = damage.scan_shard(damaged_copy(whole, tmp_path, flipped=(0, 4, 5)))
    assert scan.damaged == [0, 4, 5] and len(scan.offsets) == COUNT and scan.broken_at is None


def test_a_shard_cut_short_and_a_length_that_lies(whole, tmp_path):
    cut = damage.scan_shard(damaged_copy(whole, tmp_path, flipped=(1,), cut=6))
    assert (cut.damaged, cut.broken_at, len(cut.offsets)) == ([1], 6, 6)
    raw = bytearray(Path(whole).read_bytes())
    raw[spans(whole)[3][0] - 12] ^= 1  # the length of record 3
    (tmp_path / "lie").write_bytes(raw)
    lie = damage.scan_shard(str(tmp_path / "lie"))
    assert (lie.damaged, lie.first_fault, len(lie.offsets)) == ([], 3, 3)


def test_a_file_that_is_missing():
    with pytest.raises(UserError, match="nowhere does not exist"):
        damage.scan_shard("nowhere")


def test_more_than_the_limit_names_file_and_record(whole, tmp_path):
    path = damaged_copy(whole, tmp_path, flipped=(2, 7))
    with pytest.raises(UserError, match="bad.tfrecord.*, record 7.*--max_bad_records=1"):
        tolerant(path, limit=1)
    bad = tolerant(path, limit=2)
    assert bad.count == 2 and "2 damaged records in 1 files" in bad.summary()


@pytest.mark.parametrize("said, counted", [(None, 1), (COUNT, 3), (2, 1)])
def test_lost_records_are_counted_where_dataset_json_tells(whole, tmp_path, said, counted):
    path = damaged_copy(whole, tmp_path, cut=6)
    if said is not None:
        shards = [{"file": Path(path).name, "records": said}]
        (tmp_path / records.DATASET_FILE).write_text(json.dumps({"shards": shards}))
    bad = tolerant(path)
    assert bad.count == counted and "behind the break" in bad.summary()
    index = index_making.open_index([path], bad)
    assert record_order.count_steps(len(index), 3) == 2  # of the six that are left


@pytest.mark.parametrize("left", [0, 6])
def test_a_shard_that_ends_between_two_records_is_cut_short_too(whole, tmp_path, left):
    path = tmp_path / "bad.tfrecord-00000-of-00001"
    path.write_bytes(Path(whole).read_bytes()[: spans(whole)[left][0] - 12])
    shards = [{"file": path.name, "records": COUNT}]
    (tmp_path / records.DATASET_FILE).write_text(json.dumps({"shards": shards}))
    lost = f"record {left}: cut short, {COUNT - left} records lost .dataset.json .* of {COUNT}"
    for use in (training, lambda path, bad: pipeline.evaluation_batches(path, 32, 3, bad=bad)):
        with pytest.raises(UserError, match=lost):
            use(str(path), damage.BadRecords())
    bad = tolerant(str(path), limit=COUNT)
    assert bad.count == COUNT - left and f"{COUNT - left} of them behind" in bad.summary()


@pytest.mark.parametrize("kind", ["checksum", "image"])
def test_a_damaged_record_changes_nothing_but_its_seat(whole, tmp_path, kind):
    make = damaged_copy if kind == "checksum" else with_broken_image
    path = make(whole, tmp_path, (4,))
    bad = tolerant(path)
    intact, made = training(whole, BadRecords()), training(path, bad)
    assert bad.count == 1 and len(made) == len(intact) == 6
    different = 0
    for ours, theirs in zip(made, intact, strict=True):
        rows = [n for n in range(3) if not np.array_equal(ours[n], theirs[n])]
        different += len(rows)
        for n in rows:  # the next one of its batch sits there
            np.testing.assert_array_equal(ours[n], theirs[(n + 1) % 3])
    assert different == 2  # once an epoch


@pytest.mark.parametrize("kind", ["checksum", "image"])
@pytest.mark.parametrize("first_step", [1, 2, 4])
def test_a_continued_run_sees_the_batches_of_the_whole_run(whole, tmp_path, kind, first_step):
    make = damaged_copy if kind == "checksum" else with_broken_image
    path = make(whole, tmp_path, (1, 5))
    uninterrupted = training(path, tolerant(path))
    continued = training(path, tolerant(path), first_step)
    np.testing.assert_array_equal(continued, uninterrupted[first_step:])


def test_broken_images_beyond_the_limit_are_an_error_that_names_them(whole, tmp_path):
    path = with_broken_image(whole, tmp_path, (3,))
    with pytest.raises(UserError, match=r"bad.tfrecord\S+, record 3: .*--max_bad_records=0"):
        training(path, None)


def test_a_checksum_that_does_not_fit_is_located_without_a_limit(whole, tmp_path):
    path = damaged_copy(whole, tmp_path, flipped=(6,))
    with pytest.raises(UserError, match=r"bad.tfrecord\S+, record 6"):
        training(path, None)


def test_a_batch_without_any_good_record(whole, tmp_path):
    path = with_broken_image(whole, tmp_path, (3,))
    with pytest.raises(UserError, match="all others of its batch"):
        training(path, tolerant(path), batch_size=1)


def test_evaluation_leaves_damaged_records_out_and_the_others_as_they_are(whole, tmp_path):
    path = damaged_copy(whole, tmp_path, flipped=(0,))
    bad = BadRecords(2)
    made, intact = [], []
    for target, batches in (
        (made, pipeline.evaluation_batches(path, 32, 1, bad=bad)),
        (intact, pipeline.evaluation_batches(whole, 32, 4)),
    ):
        for batch in batches:
            target += list(zip(batch["id"].numpy(), batch["candidate_ids"].numpy(), strict=True))
    assert bad.count == 1 and len(made) == COUNT - 1
    for ours, theirs in zip(made, intact[1:], strict=True):
        assert ours[0] == theirs[0] and list(ours[1]) == list(theirs[1])
