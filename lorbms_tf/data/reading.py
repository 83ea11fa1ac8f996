"""Record files to raw records, and raw batches to decoded ones, around damaged records.

`lorbms_tf.data.damage` says what a damaged record is and why it keeps its place.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import tensorflow as tf

from lorbms_tf.data import records
from lorbms_tf.data.damage import BadRecords, read_record
from lorbms_tf.errors import UserError

FAULT = r"(?:ValueError: )(record file [^\n]*)"  # how TensorFlow hands on our own message


class Place(NamedTuple):
    """A raw record in a dataset: its bytes, empty where it is damaged, and where it stands."""

    serialized: tf.Tensor  # string
    shard: tf.Tensor  # int64, index of its file
    number: tf.Tensor  # int64, in its file, from 0


def count(path: str, bad: BadRecords) -> int:
    """Records of a shard in their places; UserError where it is cut short and was not scanned."""
    scan = bad.scans.get(path)
    if scan:
        return len(scan.offsets)
    found = records.count(path)
    bad.check_end(path, found)
    return found


def read_shard(path: str, bad: BadRecords) -> Iterator[bytes]:
    """As `records.read_shard`, with empty bytes for the damaged records of a scanned shard."""
    scan = bad.scans.get(path)
    if scan is None:
        yield from records.read_shard(path)
        return
    for number in range(len(scan.offsets)):
        yield read_record(path, scan, number)


def shard_reader(shards: list[str], bad: BadRecords) -> Callable:
    """A function for `interleave` and `flat_map`: index of a shard -> dataset of `Place`.

    TensorFlow's reader ends a file at the first damaged record; from there on Python reads it.
    """
    paths = tf.constant(shards)
    scans = [bad.scans.get(path) for path in shards]
    damaged = any(scan and scan.first_fault is not None for scan in scans)
    if damaged:
        counts = [count(path, bad) for path in shards]
        faults = [scan.first_fault if scan else None for scan in scans]
        heads = [n if fault is None else fault for n, fault in zip(counts, faults, strict=True)]

    def read_one(index, number) -> bytes:
        return read_record(shards[index], scans[index], number)

    def read_tail(index, number) -> tf.Tensor:
        read = tf.numpy_function(read_one, [index, number], tf.string)
        return tf.ensure_shape(read, [])

    def read(index) -> tf.data.Dataset:
        dataset = tf.data.TFRecordDataset(tf.gather(paths, index))
        if damaged:
            head = tf.gather(tf.constant(heads, tf.int64), index)
            end = tf.gather(tf.constant(counts, tf.int64), index)
            tail = tf.data.Dataset.range(head, end)
            dataset = dataset.take(head).concatenate(tail.map(lambda n: read_tail(index, n)))
        same = tf.data.Dataset.from_tensors(index).repeat()
        numbers = tf.data.Dataset.range(tf.int64.max)
        return tf.data.Dataset.zip(Place(dataset, same, numbers))

    return read


def decoded_batches(
    dataset: tf.data.Dataset,
    decode: Callable,
    shards: list[str],
    bad: BadRecords,
    batch_size: int | None = None,
) -> tf.data.Dataset:
    """Raw batches to decoded ones, in their order, several at a time.

    A batch in which a record cannot be decoded is made again record by record in Python; batches
    without fault never leave TensorFlow.

    Args:
      dataset: batches of (`Place`, number), number int64 [B].
      decode: (serialized, number) -> dict of tensors of one record.
      shards: the files, by index.
      bad: where damaged records are counted, and which knows how many are tolerated.
      batch_size: every batch keeps this size: the seat of a damaged record is taken by the next
        good one of its batch, in a circle. None: damaged records are left out, and so is a batch
        of nothing else.
    """
    any_record = tf.data.Dataset.from_tensors((tf.constant(b""), tf.constant(0, tf.int64)))
    spec = any_record.map(decode).element_spec  # of one record; nothing is decoded
    rescue = _Rescue(decode, spec, shards, bad, refill=batch_size is not None)

    def fast(place: Place, number) -> tf.data.Dataset:
        batch = tf.data.Dataset.from_tensor_slices((place.serialized, number))
        return batch.map(decode).batch(tf.size(number, tf.int64), drop_remainder=True)

    def slow(place: Place, number) -> tf.data.Dataset:
        types = [tensor.dtype for tensor in spec.values()]
        batch = tf.data.Dataset.from_tensors((*place, number))
        return batch.map(
            lambda *values: dict(zip(spec, tf.py_function(rescue, values, types), strict=True))
        )

    def shaped(batch: dict) -> dict:
        return {
            name: tf.ensure_shape(tensor, [batch_size, *spec[name].shape])
            for name, tensor in batch.items()
        }

    def either(place: Place, number) -> tf.data.Dataset:
        good = fast(place, number).map(shaped).ignore_errors()
        return good.concatenate(slow(place, number).map(shaped)).take(1)

    decoded = dataset.interleave(
        either, tf.data.AUTOTUNE, 1, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    if batch_size is None and bad.limit:
        decoded = decoded.filter(lambda batch: tf.size(batch["distances"]) > 0)
    return decoded


class _Rescue:
    """Decodes a batch record by record, eagerly, around the damaged ones."""

    def __init__(self, decode, spec: dict, shards: list[str], bad: BadRecords, refill: bool):
        self._decode, self._spec, self._shards = decode, spec, shards
        self._bad, self._refill = bad, refill

    def __call__(self, serialized, shard, number_in_shard, number) -> list:
        made = []
        for i in range(len(number)):
            try:
                made.append(self._decode(serialized[i], number[i]))
            except tf.errors.InvalidArgumentError as error:
                made.append(None)
                path, place = self._shards[int(shard[i])], int(number_in_shard[i])
                self._count(path, place, error.message.splitlines()[0])
        good = [example for example in made if example is not None]
        if not good and self._refill:
            raise ValueError(
                f"record file {path}, record {place}: damaged, as are all others of its batch"
            )
        if self._refill:
            good = [_next_good(made, i) for i in range(len(made))]
        if not good:
            return [tf.zeros([0, *spec.shape], spec.dtype) for spec in self._spec.values()]
        return [tf.stack([example[name] for example in good]) for name in self._spec]

    def _count(self, path: str, number: int, reason: str) -> None:
        try:
            self._bad.add(path, number, reason)
        except UserError as error:
            raise ValueError(str(error)) from error  # TensorFlow hands on no other with its text


def _next_good(made: list, index: int):
    """The entry at `index`, or the first after it that is not None, in a circle."""
    return next(example for example in made[index:] + made[:index] if example is not None)
