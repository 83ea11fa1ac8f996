import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.data import images, index_making, pipeline, records
from lorbms_tf.errors import UserError
from tests import tiny


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    return tiny.write_records(tmp_path_factory.mktemp("records"), 7)


def take(dataset, count=None):
    return [{k: v.numpy() for k, v in batch.items()} for batch in dataset.take(count or -1)]


def training(pattern, **changes):
    settings = {"image_size": 32, "batch_size": 2, "seed": 4, "epochs": 2, **changes}
    index = index_making.open_index(records.find_shards(pattern))
    return take(pipeline.training_batches(index, **settings))


def test_evaluation_gives_every_record_once_in_order(pattern):
    batches = take(pipeline.evaluation_batches(pattern, 32, 3))
    assert [len(b["id"]) for b in batches] == [3, 3, 1]
    assert [i.decode() for b in batches for i in b["id"]] == [f"photo{n}" for n in range(7)]
    assert batches[0]["reference"].shape == (3, 32, 32, 3)
    assert batches[0]["candidates"].shape == (3, 4, 32, 32, 3)
    expected = images.to_float(tiny.picture(0))
    np.testing.assert_allclose(batches[0]["reference"][0], expected, atol=0.05)


def test_drawn_image_distance_and_id_belong_together(pattern):
    batch = take(pipeline.evaluation_batches(pattern, 32, 7))[0]
    for n in range(7):
        for i in range(4):
            quadrant, k = map(int, batch["candidate_ids"][n, i].decode()[1:].split("-"))
            assert quadrant == i
            expected = images.to_float(tiny.picture(100 * n + 10 * i + k + 1))
            np.testing.assert_allclose(batch["candidates"][n, i], expected, atol=0.05)
            assert batch["distances"][n, i] == (10 * i + k) % 10 + n


def test_each_of_the_ten_is_drawn_about_as_often():
    parsed = {f"candidates/{n}": tf.reshape(tf.range(40), (4, 10)) for n in ("id", "image")}
    parsed["candidates/distance"] = tf.zeros((4, 10))
    numbers = tf.data.Dataset.range(2000)
    draws = numbers.map(lambda n: pipeline.draw_candidates(parsed, 0, n)["candidate_ids"])
    drawn = np.stack(list(draws.as_numpy_iterator()))  # [2000, 4]
    for i in range(4):
        counts = np.bincount(drawn[:, i] - 10 * i, minlength=10)
        assert counts.min() > 140 and counts.max() < 260  # 200 expected, sd 13
    same = np.mean((drawn[:, 0] % 10) == (drawn[:, 1] % 10))
    assert 0.06 < same < 0.14  # independent: a tenth agree


def test_undrawn_candidates_are_never_decoded(pattern, tmp_path):
    whole = take(pipeline.evaluation_batches(pattern, 32, 7, seed=9))[0]
    shard = records.find_shards(pattern)[0]
    with tf.io.TFRecordWriter(str(tmp_path / "corrupt.tfrecord-00000-of-00001")) as writer:
        for n, raw in enumerate(records.read_shard(shard)):
            record = records.deserialize(raw)
            drawn = {i.decode() for i in whole["candidate_ids"][n]}
            kept = [
                [jpeg if name in drawn else b"corrupt" for jpeg, name in zip(*rows, strict=True)]
                for rows in zip(record.candidate_images, record.candidate_ids, strict=True)
            ]
            assert sum(jpeg == b"corrupt" for row in kept for jpeg in row) == 36
            writer.write(records.serialize(dataclasses.replace(record, candidate_images=kept)))
    again = take(pipeline.evaluation_batches(str(tmp_path / "*"), 32, 7, seed=9))[0]
    np.testing.assert_array_equal(whole["candidates"], again["candidates"])


def test_training_is_deterministic_and_differs_by_epoch_and_seed(pattern):
    one, two = training(pattern), training(pattern)
    assert len(one) == 6  # 3 whole batches of 2 from 7 records, twice
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a["candidates"], b["candidates"])
        np.testing.assert_array_equal(a["reference"], b["reference"])
    other = training(pattern, seed=5)
    assert any(
        not np.array_equal(a["reference"], b["reference"]) for a, b in zip(one, other, strict=True)
    )
    first, second = one[:3], one[3:]
    assert any(
        not np.array_equal(a["reference"], b["reference"])
        for a, b in zip(first, second, strict=True)
    )


@pytest.mark.parametrize("global_seed", [0, 7])
def test_the_global_seed_changes_nothing(pattern, global_seed):
    before = training(pattern)
    tf.random.set_seed(global_seed)
    try:
        after = training(pattern)
    finally:
        tf.random.set_seed(None)
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a["reference"], b["reference"])
        np.testing.assert_array_equal(a["candidates"], b["candidates"])


@pytest.mark.parametrize("first_step", [1, 3, 4])
def test_starting_later_gives_the_same_batches(pattern, first_step):
    whole, rest = training(pattern), training(pattern, first_step=first_step)
    assert len(rest) == 6 - first_step
    for a, b in zip(whole[first_step:], rest, strict=True):
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])


def test_an_epoch_shows_no_record_twice(pattern):
    batches = training(pattern, epochs=1)
    colours = {tuple(np.round(r[0, 0], 3)) for b in batches for r in b["reference"]}
    assert len(colours) == 6


def test_fewer_records_than_a_batch(pattern):
    with pytest.raises(UserError, match="7 records, fewer than --batch_size=8"):
        training(pattern, batch_size=8)


def test_records_of_another_image_size(pattern):
    with pytest.raises(UserError, match="32 pixels.*--image_size=64"):
        pipeline.evaluation_batches(pattern, 64, 2)


def test_a_file_that_holds_no_records_of_ours(tmp_path):
    path = tmp_path / "a.tfrecord-00000-of-00001"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(b"something else")
    with pytest.raises(UserError, match="a.tfrecord.*record 0"):
        pipeline.evaluation_batches(str(path), 32, 2)


@pytest.mark.parametrize("first_step", [0, 4])
def test_workers_together_see_the_batches_of_one(tmp_path, first_step):
    pattern = tiny.write_records(tmp_path, 9)
    settings = {"batch_size": 4, "epochs": 3, "first_step": first_step}
    whole = training(pattern, **settings)
    shares = [
        training(pattern, devices=4, worker=worker, workers=2, **settings) for worker in (0, 1)
    ]
    assert [len(share) for share in shares] == [2 * len(whole)] * 2  # two devices each
    for step, batch in enumerate(whole):
        for name, values in batch.items():
            parts = [share[2 * step + device][name] for share in shares for device in (0, 1)]
            np.testing.assert_array_equal(np.concatenate(parts), values)


def test_devices_of_one_worker_take_turns(pattern):
    whole, turns = training(pattern), training(pattern, devices=2)
    assert len(turns) == 2 * len(whole)
    for step, batch in enumerate(whole):
        for name, values in batch.items():
            parts = [turns[2 * step + device][name] for device in (0, 1)]
            np.testing.assert_array_equal(np.concatenate(parts), values)


def test_a_worker_decodes_only_its_own_share(tmp_path):
    pattern = tiny.write_records(tmp_path / "good", 4)
    (shard,) = records.find_shards(pattern)
    settings = {"batch_size": 4, "epochs": 1, "devices": 2, "workers": 2}
    first = training(pattern, worker=0, **settings)[0]["reference"]
    with tf.io.TFRecordWriter(str(tmp_path / "bad.tfrecord-00000-of-00001")) as writer:
        for raw in records.read_shard(shard):
            record = records.deserialize(raw)
            expected = images.to_float(images.decode_jpeg(record.image))
            if not any(np.allclose(expected, image, atol=0.05) for image in first):
                record = dataclasses.replace(record, image=b"no jpeg")
            writer.write(records.serialize(record))
    again = training(str(tmp_path / "bad*"), worker=0, **settings)[0]["reference"]
    np.testing.assert_array_equal(first, again)
    with pytest.raises(tf.errors.InvalidArgumentError):
        training(str(tmp_path / "bad*"), worker=1, **settings)
