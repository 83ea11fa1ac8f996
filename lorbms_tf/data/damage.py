"""Damaged records: found, reported, and tolerated up to a limit.

A record is damaged where its checksums do not fit, where it is no record of our schema, or where
an image that is needed cannot be decoded. What is behind a break (a shard cut short, or a length
that cannot be trusted) is lost.

Order and draws of a training run are functions of seed, epoch and place, so a damaged record keeps
its place: the reader puts an empty string there, and the pipeline fills its seat in the batch with
the next good record of the same batch. Nothing else moves, and as no memory of earlier failures
takes part, a continued run sees the batches of an uninterrupted one. Only lost records shorten the
epoch: how many there are is read off the files when a run starts.
"""

import struct
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import tensorflow as tf

from lorbms_tf.data import dataset_file, records, storage
from lorbms_tf.errors import UserError
from lorbms_tf.progress import track

HEADER = 12  # bytes: length, little-endian, and its checksum
AROUND = HEADER + 4  # bytes of a record beside its data, whose checksum comes last
CHECKSUM_REASON = "its checksum does not fit"
_BUFFER = 1 << 18  # bytes


class Frame(NamedTuple):
    """A record in its shard."""

    offset: int  # bytes, of its header
    length: int  # bytes of its data
    raw: bytes | None  # None where its checksum does not fit


class Scan(NamedTuple):
    """What a shard holds: where its records begin, which are damaged, where it breaks off."""

    offsets: list[int]  # bytes; damaged records have their places, lost ones do not
    damaged: list[int]  # numbers, from 0
    broken_at: int | None  # the number of the first record lost; None: not cut short

    @property
    def first_fault(self) -> int | None:
        """Number of the first record that is damaged or lost."""
        return self.damaged[0] if self.damaged else self.broken_at


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)  # Castagnoli's polynomial
        table.append(byte)
    return table


_CRC_TABLE = _crc_table()


def masked_crc(data: bytes) -> int:
    """The checksum of TFRecord files: CRC-32C, rotated and offset. For a few bytes only."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def frames(path: str) -> Iterator[Frame]:
    """The records of a shard from end to end, all checksums verified.

    A damaged record is stepped over where its length can be trusted; the first length that cannot
    be trusted breaks the shard off. Raises UserError where there is no such file.
    """
    size, _ = storage.size_and_time(path)
    offset = 0
    while offset < size:
        try:
            for raw in _records_from(path, offset):
                yield Frame(offset, len(raw), raw)
                offset += len(raw) + AROUND
            return  # at the end, or where less than a header is left
        except tf.errors.DataLossError:
            length = _trusted_length(path, offset, size)
            if length is None:
                return
            yield Frame(offset, length, None)
            offset += length + AROUND


def _records_from(path: str, offset: int) -> Iterator[bytes]:
    """As TensorFlow reads them, which stops at the first damaged one."""
    # A function of the offset: TensorFlow cannot copy a reader that begins behind the start.
    offsets = tf.data.Dataset.from_tensors(tf.constant(offset, tf.int64))
    return offsets.flat_map(lambda start: _reader(path, start)).as_numpy_iterator()


def _reader(path: str, offset) -> tf.data.Dataset:
    read = tf.raw_ops.TFRecordDatasetV2(
        filenames=[path], compression_type="", buffer_size=_BUFFER, byte_offsets=[offset]
    )
    return tf.data.experimental.from_variant(read, tf.TensorSpec([], tf.string))


def _trusted_length(path: str, offset: int, size: int) -> int | None:
    """Of the record at an offset; None where it does not fit its checksum or the file."""
    with storage.open_binary(path) as file:
        file.seek(offset)
        header = file.read(HEADER)
    if len(header) < HEADER:
        return None
    length, checksum = struct.unpack("<QI", header)
    trusted = masked_crc(header[:8]) == checksum and offset + length + AROUND <= size
    return length if trusted else None


def scan_shard(path: str) -> Scan:
    """Reads a shard from end to end and verifies all checksums, as `frames`."""
    offsets, damaged, end = [], [], 0
    for frame in frames(path):
        if frame.raw is None:
            damaged.append(len(offsets))
        offsets.append(frame.offset)
        end = frame.offset + frame.length + AROUND
    whole = end == storage.size_and_time(path)[0]
    return Scan(offsets, damaged, None if whole else len(offsets))


def read_record(path: str, offset: int) -> bytes:
    """The record at a byte offset; empty where it is damaged."""
    try:
        return _reader(path, tf.constant(offset, tf.int64)).take(1).get_single_element().numpy()
    except tf.errors.DataLossError:
        return b""


class BadRecords:
    """The damaged records that were met, each counted once, and the limit that they must keep.

    Args:
      limit: --max_bad_records. At 0 nothing is scanned beforehand, and the first damaged record
        is an error when it is read.
    """

    def __init__(self, limit: int = 0):
        self.limit = limit
        self.scans: dict[str, Scan] = {}
        self._found: dict[tuple[str, int], str] = {}
        self._lost: dict[str, int] = {}
        self._described: dict[str, dataset_file.DatasetFile | None] = {}  # by folder
        self._lock = threading.Lock()  # batches are made by several threads

    @property
    def count(self) -> int:
        """How many records were damaged or lost so far."""
        return len(self._found) + sum(self._lost.values())

    def scan(self, shards: Iterable[str]) -> None:
        """Reads all shards once and counts what cannot be read; nothing where the limit is 0.

        Images are not decoded. Raises UserError beyond the limit.
        """
        if not self.limit:
            return
        new = [path for path in shards if path not in self.scans]
        for path in track(new, label="checking the record files", unit="file"):
            scan = self.scans[path] = scan_shard(path)
            for number in scan.damaged:
                self.add(path, number, CHECKSUM_REASON)
            if scan.broken_at is not None:
                self._add_lost(path, scan.broken_at, self._told(path))
            else:
                self.check_end(path, len(scan.offsets))

    def check_end(self, path: str, found: int) -> None:
        """Counts as lost what dataset.json tells of behind the last of `found` whole records.

        A file that is empty, or ends where a record ends, does not show that it is cut short.
        Raises UserError beyond the limit.
        """
        told = self._told(path)
        if told is not None and found < told and path not in self._lost:
            self._add_lost(path, found, told)

    def _told(self, path: str) -> int | None:
        """How many records dataset.json says that a shard holds; None where it does not say."""
        folder, name = storage.folder(path), storage.name(path)
        if folder not in self._described:
            self._described[folder] = dataset_file.read(folder)
        described = self._described[folder]
        entry = described.shards.get(name) if described else None
        return entry.records if entry else None

    def _add_lost(self, path: str, broken_at: int, told: int | None) -> None:
        lost = 1 if told is None else max(1, told - broken_at)
        some = "an unknown number of records" if told is None else f"{lost} records"
        self._lost[path] = lost
        beside = "" if told is None else f" ({records.DATASET_FILE} beside it tells of {told})"
        self._report(f"record file {path}, record {broken_at}: cut short, {some} lost{beside}")

    def add(self, path: str, number: int, reason: str) -> None:
        """Counts a damaged record, the first time that it is met.

        Args:
          path: its file.
          number: of the record in its file, from 0.
          reason: what is wrong.

        Raises UserError, naming file and record, beyond the limit.
        """
        with self._lock:
            if (path, number) in self._found and self.count <= self.limit:
                return
            self._found[path, number] = reason
            self._report(f"record file {path}, record {number}: {reason}")

    def _report(self, what: str) -> None:
        if self.count > self.limit:
            raise UserError(
                f"{what}; {self.count} damaged records, and --max_bad_records={self.limit}. Look "
                f"at all records with python -m tfrecords_tools.inspect --records=GLOB"
            )
        start = "\n" if sys.stderr.isatty() else ""  # below the line that shows the progress
        counted = f"{self.count} of at most {self.limit}"
        print(f"{start}skipped: {what} ({counted})", file=sys.stderr, flush=True)

    def summary(self) -> str:
        """A line for the end of a run; empty where no record was damaged."""
        if not self.count:
            return ""
        lost = sum(self._lost.values())
        files = len({path for path, _ in self._found} | set(self._lost))
        behind = f", {lost} of them behind the break of a file" if lost else ""
        return (
            f"{self.count} damaged records in {files} files were skipped{behind} "
            f"(--max_bad_records={self.limit})"
        )
