"""Record files to raw records, and raw batches to decoded ones, around damaged records.

`lorbms_tf.data.damage` says what a damaged record is and why it keeps its place.
"""

import os
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
    if scan is None or scan.first_fault is None:
        yield from records.read_shard(path)
        return
    for offset in scan.offsets:
        yield read_record(path, offset)


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
        return read_record(shards[index], scans[index].offsets[number])

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
    locate: Callable,
    bad: BadRecords,
    batch_size: int | None = None,
) -> tf.data.Dataset:
    """Raw batches to decoded ones, in their order, several at a time.

    A batch in which a record cannot be decoded is made again record by record in Python; batches
    without fault never leave TensorFlow.

    Args:
      dataset: tuples of tensors [B, ...], the fields of records.
      decode: the fields of one record -> dict of tensors.
      locate: the fields of one record, eager -> (its file, number in it, what is known to be wrong
        with it or "").
      bad: where damaged records are counted, and which knows how many are tolerated.
      batch_size: what comes in holds one or several whole batches of this size, and keeps its
        own: the seat of a damaged record is taken by the next good one of its batch, in a circle.
        None: damaged records are left out, and so is a batch of nothing else.
    """
    of_one = [tf.TensorSpec(spec.shape[1:], spec.dtype) for spec in dataset.element_spec]
    function = tf.function(decode, autograph=False).get_concrete_function(*of_one)
    spec = function.structured_outputs  # of one record; nothing is decoded
    rescue = _Rescue(decode, spec, locate, bad, batch_size)

    def fast(*fields) -> tf.data.Dataset:
        batch = tf.data.Dataset.from_tensor_slices(fields)
        return batch.map(decode).batch(tf.shape(fields[0], tf.int64)[0], drop_remainder=True)

    def slow(*fields) -> tf.data.Dataset:
        types = [tensor.dtype for tensor in spec.values()]
        return tf.data.Dataset.from_tensors(fields).map(
            lambda *values: dict(zip(spec, tf.py_function(rescue, values, types), strict=True))
        )

    def shaped(batch: dict) -> dict:
        return {
            name: tf.ensure_shape(tensor, [None, *spec[name].shape])
            for name, tensor in batch.items()
        }

    def either(*fields) -> tf.data.Dataset:
        good = fast(*fields).map(shaped).ignore_errors()
        return good.concatenate(slow(*fields).map(shaped)).take(1)

    # One more than can work; still more would only fill memory that lies in no cache.
    at_once = len(os.sched_getaffinity(0)) + 1
    decoded = dataset.interleave(either, at_once, 1, at_once, deterministic=True)
    if batch_size is None and bad.limit:
        decoded = decoded.filter(lambda batch: tf.size(batch["distances"]) > 0)
    return decoded


class _Rescue:
    """Decodes batches record by record, eagerly, around the damaged ones."""

    def __init__(self, decode, spec: dict, locate, bad: BadRecords, batch_size: int | None):
        self._decode, self._spec, self._locate = decode, spec, locate
        self._bad, self._batch_size = bad, batch_size

    def __call__(self, *fields) -> list:
        made = [self._decoded(*(field[i] for field in fields)) for i in range(len(fields[0]))]
        if self._batch_size is None:
            good = [example for example in made if example is not None]
        else:
            good = [
                self._next_good(made, fields, i - i % self._batch_size, i) for i in range(len(made))
            ]
        if not good:
            return [tf.zeros([0, *spec.shape], spec.dtype) for spec in self._spec.values()]
        return [tf.stack([example[name] for example in good]) for name in self._spec]

    def _decoded(self, *fields) -> dict | None:
        try:
            return self._decode(*fields)
        except tf.errors.InvalidArgumentError as error:
            path, number, reason = self._locate(*fields)
            try:
                self._bad.add(path, number, reason or error.message.splitlines()[0])
            except UserError as beyond:
                raise ValueError(str(beyond)) from beyond  # TensorFlow hands on no other's text
            return None

    def _next_good(self, made: list, fields, begin: int, index: int) -> dict:
        """The example at `index`, or the first after it that is whole, in a circle."""
        batch = made[begin : begin + self._batch_size]
        circle = batch[index - begin :] + batch[: index - begin]
        good = next((example for example in circle if example is not None), None)
        if good is None:
            path, number, _ = self._locate(*(field[index] for field in fields))
            raise ValueError(
                f"record file {path}, record {number}: damaged, as are all others of its batch"
            )
        return good


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
    for number, raw in enumerate(read_shard(path, bad)):
        try:
            if raw:  # else it is a damaged record's place, which the scan has counted
                return records.deserialize(raw).image_size
        except ValueError as error:
            bad.add(path, number, str(error))
    return None
