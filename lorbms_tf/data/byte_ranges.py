"""Five of the 41 images of any records, read from their shards by an index."""

import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from lorbms_tf.data import storage
from lorbms_tf.data.damage import CHECKSUM_REASON, HEADER, read_record
from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.data.record_index import BAD_CHECKSUM, GOOD, RecordIndex
from lorbms_tf.data.records import NUM_CANDIDATES, deserialize

_OPEN_FILES = 256  # more are opened at each use: a process may have some 1024
_COLUMNS = NUM_CANDIDATES * np.arange(NUM_QUADRANTS) + 1  # of each quadrant's first candidate


class ImageReader:
    """Reads images of records by their numbers, in any number of threads."""

    def __init__(self, index: RecordIndex):
        self.index = index
        self.bytes_read = 0  # of all images so far; for measurements, not exact among threads
        self._open: dict[int, int] = {}  # descriptor by shard
        self._lock = threading.Lock()

    def read(self, numbers: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The reference and one candidate a quadrant of some records.

        Args:
          numbers: int [B], of records.
          draws: int [B, 4], which of the ten candidates of each quadrant.

        Returns:
          JPEG bytes [B, 5], empty where they are not those that were indexed; distances float32
          [B, 4].

        Raises ValueError, naming the shard, where it cannot be read any more.
        """
        shards, rows = self.index.take(numbers)
        chosen = np.concatenate([np.zeros_like(draws[:, :1]), draws + _COLUMNS], axis=1)  # [B, 5]
        starts = np.take_along_axis(rows["start"], chosen, 1)
        offsets = (rows["offset"] + HEADER)[:, None] + starts
        sizes = np.take_along_axis(rows["size"], chosen, 1)
        crcs = np.take_along_axis(rows["crc"], chosen, 1)
        images = np.empty(chosen.shape, object)
        spans = zip(offsets.tolist(), sizes.tolist(), strict=True)
        for i, (begins, lengths) in enumerate(spans):
            if rows["state"][i] != GOOD:
                images[i] = b""
                continue
            found = self._spans(int(shards[i]), begins, lengths)
            images[i] = [
                image if zlib.crc32(image) == crc else b""
                for image, crc in zip(found, crcs[i].tolist(), strict=True)
            ]
        self.bytes_read += int(sizes.sum())
        return images, np.take_along_axis(rows["distance"], chosen[:, 1:] - 1, 1)

    def fault(self, number: int) -> str:
        """Why the images of a record are not to be had; "" where nothing is known against it."""
        _, rows = self.index.take(np.array([number]))
        state = int(rows["state"][0])
        if state == GOOD:
            return "its bytes are not those that were indexed"
        if state == BAD_CHECKSUM:
            return CHECKSUM_REASON
        path, _ = self.index.place(number)
        try:
            deserialize(read_record(path, int(rows["offset"][0])))
        except ValueError as error:
            return str(error)
        return "not a record of this schema"

    def _spans(self, shard: int, offsets: list[int], sizes: list[int]) -> list[bytes]:
        path = self.index.shards[shard]
        try:
            if storage.is_remote(path):
                return _remote_spans(path, offsets, sizes)
            with self._descriptor(shard) as file:
                pread = os.pread
                return [pread(file, size, at) for at, size in zip(offsets, sizes, strict=True)]
        except (OSError, tf.errors.OpError) as error:
            reason = getattr(error, "strerror", None) or getattr(error, "message", error)
            raise ValueError(  # TensorFlow hands on no other kind of error with its text
                f"record file {path} cannot be read any more: {reason}; put it back"
            ) from error

    @contextmanager
    def _descriptor(self, shard: int) -> Iterator[int]:
        if (kept := self._open.get(shard)) is not None:
            yield kept
            return
        file = os.open(self.index.shards[shard], os.O_RDONLY | os.O_CLOEXEC)
        with self._lock:
            keep = shard not in self._open and len(self._open) < _OPEN_FILES
            if keep:
                self._open[shard] = file
        try:
            yield file
        finally:
            if not keep:
                os.close(file)

    def __del__(self):
        for file in self._open.values():
            os.close(file)


def _remote_spans(path: str, offsets: list[int], sizes: list[int]) -> list[bytes]:
    """In ascending order from one opening: what is read ahead for the first serves the others."""
    found = [b""] * len(offsets)
    with storage.open_binary(path) as file:
        for i in np.argsort(offsets):
            file.seek(offsets[i])
            found[i] = file.read(sizes[i])
    return found
