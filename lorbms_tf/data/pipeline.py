"""Shards -> batches: parse 40 strings, draw one of ten per quadrant, gather, THEN decode five.

The order of records and every draw are functions of the seed, the epoch and the record's place in
the epoch, so that a run can be continued at any step; `lorbms_tf.data.damage` says how that holds
with damaged records in between.
"""

import math
import re
from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf

from lorbms_tf.data import images, reading, records
from lorbms_tf.data.damage import BadRecords, scan_shard
from lorbms_tf.errors import UserError
from lorbms_tf.quadrants import NUM_QUADRANTS

_FILES_AT_ONCE = 8
_TRAINING_KEYS = ("reference/image", "candidates/image", "candidates/distance")
_ID_KEYS = ("reference/id", "candidates/id")


def check_image_size(shards: list[str], image_size: int, bad: BadRecords | None = None) -> None:
    """Raises UserError where a shard's first good record holds images of another size."""
    for path in shards:
        found = _first_image_size(path, bad or BadRecords())
        if found not in (None, image_size):
            raise UserError(
                f"record file {path} holds images of {found} pixels a side, where {image_size} "
                f"are wanted: build records with --image_size={image_size}, or train with "
                f"--image_size={found}"
            )


def _first_image_size(path: str, bad: BadRecords) -> int | None:
    """Pixels a side in the first good record of a shard; None where there is none."""
    for number, raw in enumerate(reading.read_shard(path, bad)):
        try:
            if raw:  # else it is a damaged record's place, which the scan has counted
                return records.deserialize(raw).image_size
        except ValueError as error:
            bad.add(path, number, str(error))
    return None


def draw_candidates(parsed: dict, seed: int, number) -> dict:
    """Draws one of the ten candidates, uniformly and independently, for each quadrant.

    Args:
      parsed: what `records.parse` gives.
      seed: of the run.
      number: int64 scalar, different for each draw; the draw follows from (seed, number).

    Returns:
      dict of candidate_images [4] (JPEG strings), distances [4] and, where `parsed` has them,
      candidate_ids [4].
    """
    draws = tf.random.stateless_uniform(
        [NUM_QUADRANTS], tf.stack([tf.cast(seed, tf.int64), number]),
        maxval=records.NUM_CANDIDATES, dtype=tf.int32,
    )  # fmt: skip

    def pick(name: str) -> tf.Tensor:
        return tf.gather(parsed[f"candidates/{name}"], draws, axis=1, batch_dims=1)  # [4]

    drawn = {"candidate_images": pick("image"), "distances": pick("distance")}
    if "candidates/id" in parsed:
        drawn["candidate_ids"] = pick("id")
    return drawn


def _example(serialized, number, image_size: int, seed: int, with_ids: bool) -> dict:
    """One record decoded, its images uint8: they become floats a batch at a time."""
    parsed = records.parse(serialized, _TRAINING_KEYS + (_ID_KEYS if with_ids else ()))
    drawn = draw_candidates(parsed, seed, number)
    candidates = [
        images.tf_decode(drawn["candidate_images"][i], image_size) for i in range(NUM_QUADRANTS)
    ]
    example = {
        "reference": images.tf_decode(parsed["reference/image"], image_size),  # [S, S, 3]
        "candidates": tf.stack(candidates),  # [4, S, S, 3]
        "distances": drawn["distances"],  # [4]
    }
    if with_ids:
        example["id"] = parsed["reference/id"]
        example["candidate_ids"] = drawn["candidate_ids"]  # [4]
    return example


def _with_floats(batch: dict) -> dict:
    pixels = ("reference", "candidates")
    return {**batch, **{name: images.tf_to_float(batch[name]) for name in pixels}}


def _options(dataset: tf.data.Dataset) -> tf.data.Dataset:
    options = tf.data.Options()
    options.deterministic = True
    # Each device gets a slice of every batch; files are not divided among hosts.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.with_options(options)


def training_batches(
    shards: list[str],
    image_size: int,
    batch_size: int,
    seed: int,
    first_step: int = 0,
    epochs: int | None = None,
    shuffle_buffer: int = 2048,
    devices: int = 1,
    worker: int = 0,
    workers: int = 1,
    bad: BadRecords | None = None,
) -> tf.data.Dataset:
    """Shuffled batches of whole epochs, from `first_step` on.

    With several devices the batches are those of one worker's devices in turn, each B / devices
    references; all workers together see what one device alone would see, in the same order.

    Args:
      shards: record files.
      image_size: side of the images in pixels.
      batch_size: references in a batch; an epoch's incomplete last batch is left out.
      seed: of order and draws.
      first_step: batches to leave out at the start (over all epochs).
      epochs: after how many epochs to end; None: never.
      shuffle_buffer: records among which the order is shuffled (files are shuffled as well).
      devices: among which a batch is divided, over all workers.
      worker: whose share this is, from 0; it alone is decoded.
      workers: how many there are, with equally many devices each.
      bad: where damaged records are counted; None: not one is tolerated.

    Returns:
      dataset of dicts: reference float32 [B, S, S, 3] and candidates [B, 4, S, S, 3] in
      [-1, 1], distances float32 [B, 4].

    Raises:
      UserError: a shard is cut short, there are fewer records than one batch, or more damaged
        ones than are tolerated.
    """
    bad = bad or BadRecords()
    steps_per_epoch = count_steps(shards, batch_size, bad)
    first_epoch, skipped = divmod(first_step, steps_per_epoch)
    per_epoch = steps_per_epoch * batch_size

    def one_epoch(epoch) -> tf.data.Dataset:
        numbers = tf.data.Dataset.range(epoch * per_epoch, (epoch + 1) * per_epoch)
        shuffled = _shuffled_epoch(shards, seed, epoch, shuffle_buffer, bad)
        done = tf.where(epoch == first_epoch, skipped * batch_size, 0)
        # The numbers end the epoch at whole batches.
        return tf.data.Dataset.zip(shuffled, numbers).skip(tf.cast(done, tf.int64))

    last = np.iinfo(np.int32).max if epochs is None else epochs
    dataset = tf.data.Dataset.range(first_epoch, max(last, first_epoch)).flat_map(one_epoch)

    def example(serialized, number) -> dict:
        return _example(serialized, number, image_size, seed, with_ids=False)

    if workers > 1:
        share = batch_size // workers  # each epoch begins with a whole batch, so numbers tell
        dataset = dataset.filter(lambda _, number: number % batch_size // share == worker)
    own = batch_size // devices
    dataset = dataset.batch(own, drop_remainder=True)
    dataset = reading.decoded_batches(dataset, example, shards, bad, own)
    return _options(dataset.map(_with_floats).prefetch(tf.data.AUTOTUNE))


def _shuffled_epoch(
    shards: list[str], seed: int, epoch: tf.Tensor, shuffle_buffer: int, bad: BadRecords
) -> tf.data.Dataset:
    """The records of all shards (`reading.Place`) in the order of one epoch; called in a graph."""
    # In this graph alone: the order shall not depend on TensorFlow's global seed.
    tf.compat.v1.set_random_seed(None)
    seeds = tf.stack([tf.constant(seed, tf.int64), epoch])
    indices = tf.range(len(shards), dtype=tf.int64)
    order = tf.random.experimental.stateless_shuffle(indices, seeds)
    dataset = tf.data.Dataset.from_tensor_slices(order).interleave(
        reading.shard_reader(shards, bad),
        cycle_length=min(_FILES_AT_ONCE, len(shards)),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    # Far apart for neighbouring seeds, so that no two runs share the order of an epoch.
    shuffle_seed = 1_000_003 * tf.constant(seed, tf.int64) + epoch
    return dataset.shuffle(shuffle_buffer, shuffle_seed, reshuffle_each_iteration=False)


def count_steps(shards: list[str], batch_size: int, bad: BadRecords | None = None) -> int:
    """Whole batches in one epoch. UserError where there is not even one."""
    total = sum(reading.count(path, bad or BadRecords()) for path in shards)
    if total < batch_size:
        raise UserError(
            f"the record files hold {total} records, fewer than --batch_size={batch_size}"
        )
    return total // batch_size


def checked(batches: Iterable, pattern: str) -> Iterator:
    """Yields the batches; files that are gone and records that cannot be read become a UserError.

    Args:
      batches: a dataset, or an iterator over one.
      pattern: the glob of its files, for the message.
    """
    batches = iter(batches)
    while True:
        try:
            batch = next(batches)
        except StopIteration:
            return
        except tf.errors.DataLossError as error:
            raise UserError(_first_damage(pattern)) from error
        except (tf.errors.NotFoundError, tf.errors.PermissionDeniedError) as error:
            reason = error.message.splitlines()[0]
            raise UserError(
                f"the record files {pattern} cannot be read any more: {reason}; put them back"
            ) from error
        except tf.errors.InvalidArgumentError as error:
            found = re.search(reading.FAULT, error.message)
            if not found:
                raise
            raise UserError(found[1]) from error
        yield batch


def _first_damage(pattern: str) -> str:
    """A message that names the first record of a glob whose checksum does not fit."""
    for path in records.find_shards(pattern):
        number = scan_shard(path).first_fault
        if number is not None:
            return (
                f"record file {path}, record {number}: cut short, or its checksum does not fit; "
                "--max_bad_records tolerates some"
            )
    return f"a record of {pattern} could not be read, but now can be: is it being written?"


def evaluation_batches(
    pattern: str,
    image_size: int,
    batch_size: int,
    seed: int = 0,
    limit: int | None = None,
    bad: BadRecords | None = None,
) -> tf.data.Dataset:
    """Every good record once, in file order, with draws that follow from the seed.

    Args:
      pattern: glob of record files.
      image_size: side of the images in pixels.
      batch_size: records in a batch; the last one may be smaller.
      seed: of the draws.
      limit: at most so many records; None: all.
      bad: where damaged records are counted; None: not one is tolerated. They are left out, and
        the draws of all others stay what they are.

    Returns:
      dataset of dicts: reference float32 [B, S, S, 3] and candidates [B, 4, S, S, 3] in
      [-1, 1], distances [B, 4], id [B] and candidate_ids [B, 4] (strings).

    Raises:
      UserError: no such files, missing shards, images of another size, or more damaged records
        than are tolerated.
    """
    bad = bad or BadRecords()
    shards = records.find_shards(pattern)
    bad.scan(shards)
    total = sum(reading.count(path, bad) for path in shards)
    if not total:
        raise UserError(f"the record files {pattern} hold no records")
    check_image_size(shards, image_size, bad)
    total = total if limit is None else min(total, limit)
    places = tf.data.Dataset.range(len(shards)).flat_map(reading.shard_reader(shards, bad))
    dataset = tf.data.Dataset.zip(places, tf.data.Dataset.range(total)).batch(batch_size)

    def example(serialized, number) -> dict:
        return _example(serialized, number, image_size, seed, with_ids=True)

    dataset = reading.decoded_batches(dataset, example, shards, bad)
    dataset = dataset.map(_with_floats).prefetch(tf.data.AUTOTUNE)
    if not bad.limit:  # none is left out: progress over the batches has an ETA
        steps = math.ceil(total / batch_size)
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps))
    return _options(dataset)
