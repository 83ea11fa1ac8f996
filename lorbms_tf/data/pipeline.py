"""Shards -> batches: draw a record and one of ten candidates a quadrant, read and decode five.

The order of records and every draw are functions of the seed, the epoch and the place in the
epoch, so that a run is continued at any step at the same cost; `lorbms_tf.data.damage` says how
that holds with damaged records in between.
"""

import re
from collections.abc import Iterable, Iterator

import tensorflow as tf

from lorbms_tf.data import images, reading, record_order, records
from lorbms_tf.data.byte_ranges import ImageReader
from lorbms_tf.data.damage import BadRecords, scan_shard
from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.data.record_index import RecordIndex
from lorbms_tf.errors import UserError

_READ_AT_ONCE = 32  # records: one call of Python for several small batches
_DECODED_AT_ONCE = 4 << 20  # bytes of pixels
_ENDLESS = 1 << 40  # epochs
_KEYS = (
    "reference/image",
    "candidates/image",
    "candidates/distance",
    "reference/id",
    "candidates/id",
)


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


def _decoded(encoded, image_size: int) -> dict:
    """The images of one record, JPEG strings [5], as uint8: floats are made a batch at a time."""
    pixels = [images.tf_decode(image, image_size) for image in tf.unstack(encoded)]
    return {
        "reference": pixels[0],  # [S, S, 3]
        "candidates": tf.stack(pixels[1:]),  # [4, S, S, 3]
    }


def _example(serialized, number, image_size: int, seed: int) -> dict:
    """One record decoded, with its ids."""
    parsed = records.parse(serialized, _KEYS)
    drawn = draw_candidates(parsed, seed, number)
    encoded = tf.concat([parsed["reference/image"][None], drawn["candidate_images"]], 0)
    return {
        **_decoded(tf.ensure_shape(encoded, [1 + NUM_QUADRANTS]), image_size),
        "distances": drawn["distances"],  # [4]
        "id": parsed["reference/id"],
        "candidate_ids": drawn["candidate_ids"],  # [4]
    }


def _with_floats(batch: dict) -> dict:
    pixels = ("reference", "candidates")
    return {**batch, **{name: images.tf_to_float(batch[name]) for name in pixels}}


def in_order(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The dataset with its elements in order on every machine, each device taking slices."""
    options = tf.data.Options()
    options.deterministic = True
    # Each device gets a slice of every batch; files are not divided among hosts.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.with_options(options)


def training_batches(
    index: RecordIndex,
    image_size: int,
    batch_size: int,
    seed: int,
    first_step: int = 0,
    epochs: int | None = None,
    devices: int = 1,
    worker: int = 0,
    workers: int = 1,
    bad: BadRecords | None = None,
) -> tf.data.Dataset:
    """Shuffled batches of whole epochs, from `first_step` on.

    With several devices the batches are those of one worker's devices in turn, each B / devices
    references; all workers together see what one device alone would see, in the same order.

    Args:
      index: of all records, see `index_making.open_index`.
      image_size: side of the images in pixels.
      batch_size: references in a batch; an epoch's incomplete last batch is left out.
      seed: of order and draws.
      first_step: batches to leave out at the start (over all epochs); they cost nothing.
      epochs: after how many epochs to end; None: never.
      devices: among which a batch is divided, over all workers.
      worker: whose share this is, from 0; it alone is read.
      workers: how many there are, with equally many devices each.
      bad: where damaged records are counted; None: not one is tolerated.

    Returns:
      dataset of dicts: reference float32 [B, S, S, 3] and candidates [B, 4, S, S, 3] in
      [-1, 1], distances float32 [B, 4].

    Raises:
      UserError: there are fewer records than one batch.
    """
    steps = record_order.count_steps(len(index), batch_size)
    last = steps * (_ENDLESS if epochs is None else epochs)
    share = record_order.Share(batch_size, devices, worker, workers)
    items = tf.data.Dataset.range(first_step * share.local, max(first_step, last) * share.local)

    def order(item) -> tuple[tf.Tensor, tf.Tensor]:
        return share.order(item, len(index), seed)

    return _read(items.map(order), index, image_size, share.own, bad or BadRecords())


def _read(
    numbers: tf.data.Dataset, index: RecordIndex, image_size: int, own: int, bad: BadRecords
) -> tf.data.Dataset:
    """Batches of `own` records by their numbers and draws, several read and decoded at once."""
    reader = ImageReader(index)

    def read(numbers, draws) -> tuple[tf.Tensor, ...]:
        numbers, draws = tf.reshape(numbers, [-1]), tf.reshape(draws, [-1, NUM_QUADRANTS])
        encoded, distances = tf.numpy_function(
            reader.read, [numbers, draws], [tf.string, tf.float32]
        )
        encoded = tf.ensure_shape(encoded, [None, 1 + NUM_QUADRANTS])
        return encoded, tf.ensure_shape(distances, [None, NUM_QUADRANTS]), numbers

    def decode(encoded, distances, number) -> dict:
        return {**_decoded(encoded, image_size), "distances": distances}

    def locate(encoded, distances, number) -> tuple[str, int, str]:
        unread = any(image == b"" for image in encoded.numpy())
        return *index.place(int(number)), reader.fault(int(number)) if unread else ""

    def split(batches: dict) -> dict:
        return {name: tf.reshape(t, [-1, own, *t.shape[1:]]) for name, t in batches.items()}

    dataset = numbers.batch(_batches_at_once(own, image_size))
    dataset = dataset.map(read, tf.data.AUTOTUNE, deterministic=True)
    dataset = reading.decoded_batches(dataset, decode, locate, bad, own)
    # Floats are made in one thread: memory of that size is dear where many threads ask for it.
    dataset = dataset.map(split).unbatch().map(_with_floats)
    return in_order(dataset.prefetch(tf.data.AUTOTUNE))


def _batches_at_once(batch_size: int, image_size: int) -> int:
    """How many batches are read by one call and decoded by one thread."""
    pixels = (1 + NUM_QUADRANTS) * 3 * image_size**2  # bytes of a record
    return max(1, min(_READ_AT_ONCE, _DECODED_AT_ONCE // pixels) // batch_size)


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
    reading.check_image_size(shards, image_size, bad)
    total = total if limit is None else min(total, limit)
    places = tf.data.Dataset.range(len(shards)).flat_map(reading.shard_reader(shards, bad))
    dataset = tf.data.Dataset.zip(places, tf.data.Dataset.range(total))
    dataset = dataset.map(lambda place, number: (*place, number)).batch(batch_size)

    def decode(serialized, shard, number_in_shard, number) -> dict:
        return _example(serialized, number, image_size, seed)

    def locate(serialized, shard, number_in_shard, number) -> tuple[str, int, str]:
        return shards[int(shard)], int(number_in_shard), ""

    dataset = reading.decoded_batches(dataset, decode, locate, bad)
    dataset = dataset.map(_with_floats).prefetch(tf.data.AUTOTUNE)
    if not bad.limit:  # none is left out: progress over the batches has an ETA
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(-(-total // batch_size)))
    return in_order(dataset)
