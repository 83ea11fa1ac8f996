"""The record: one reference with its forty candidates. Written and parsed here and nowhere else.

A record embeds the reference image and, for each of the four quadrants, the ten candidate images
in order of distance, all as JPEG, with their photo ids, versions and squared L2 distances
(thesis, section 3.4 and the alternative it names in 3.6). Shards are uncompressed TFRecord files.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from lorbms_tf.data import shard_globs, storage
from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.errors import UserError

SCHEMA_VERSION = 1
NUM_CANDIDATES = 10
DATASET_FILE = "dataset.json"  # lies beside the shards
_GRID = (NUM_QUADRANTS, NUM_CANDIDATES)

_FEATURES = {
    "reference/image": tf.io.FixedLenFeature([], tf.string),
    "reference/id": tf.io.FixedLenFeature([], tf.string),
    "reference/version": tf.io.FixedLenFeature([], tf.string),
    "image_size": tf.io.FixedLenFeature([], tf.int64),
    "candidates/image": tf.io.FixedLenFeature(_GRID, tf.string),
    "candidates/id": tf.io.FixedLenFeature(_GRID, tf.string),
    "candidates/version": tf.io.FixedLenFeature(_GRID, tf.string),
    "candidates/distance": tf.io.FixedLenFeature(_GRID, tf.float32),
}


@dataclass(frozen=True)
class Record:
    """One reference and its candidates; lists are [4 quadrants][10 candidates], nearest first."""

    photo_id: str
    version: str
    image: bytes  # JPEG
    image_size: int  # pixels a side
    candidate_ids: list[list[str]]
    candidate_versions: list[list[str]]
    candidate_images: list[list[bytes]]  # JPEG
    distances: np.ndarray  # float32 [4, 10], squared L2, ascending


def _bytes(values) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def _flat(name: str, grid) -> list[bytes]:
    if len(grid) != NUM_QUADRANTS or any(len(row) != NUM_CANDIDATES for row in grid):
        raise ValueError(f"{name} must be {NUM_QUADRANTS} lists of {NUM_CANDIDATES}")
    return [v.encode() if isinstance(v, str) else v for row in grid for v in row]


def serialize(record: Record) -> bytes:
    """Record -> bytes of a tf.train.Example, the same bytes for the same record.

    Raises ValueError where a list is not [4][10] or the distances are not finite and ascending.
    """
    distances = np.asarray(record.distances, np.float32)
    if distances.shape != _GRID:
        raise ValueError(f"distances must have shape {_GRID}, not {distances.shape}")
    if not np.all(np.isfinite(distances)) or np.any(np.diff(distances, axis=1) < 0):
        raise ValueError("distances must be finite and ascending in each quadrant")
    features = {
        "reference/image": _bytes([record.image]),
        "reference/id": _bytes([record.photo_id.encode()]),
        "reference/version": _bytes([record.version.encode()]),
        "image_size": tf.train.Feature(int64_list=tf.train.Int64List(value=[record.image_size])),
        "candidates/image": _bytes(_flat("candidate_images", record.candidate_images)),
        "candidates/id": _bytes(_flat("candidate_ids", record.candidate_ids)),
        "candidates/version": _bytes(_flat("candidate_versions", record.candidate_versions)),
        "candidates/distance": tf.train.Feature(
            float_list=tf.train.FloatList(value=distances.reshape(-1))
        ),
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)


def parse(serialized, names: Iterable[str] | None = None) -> dict[str, tf.Tensor]:
    """In a graph: scalar string -> tensors by name; images stay JPEG strings.

    Args:
      serialized: a record.
      names: which keys, so that the others cost nothing; None: all of them, reference/image,
        reference/id, reference/version, image_size (scalars) and candidates/image,
        candidates/id, candidates/version, candidates/distance ([4, 10]).
    """
    chosen = _FEATURES if names is None else {name: _FEATURES[name] for name in names}
    return tf.io.parse_single_example(serialized, chosen)


def deserialize(serialized: bytes) -> Record:
    """Bytes -> Record. Raises ValueError where they are not a record of this schema."""
    example = tf.train.Example()
    try:
        example.ParseFromString(serialized)
        found = example.features.feature
        missing = sorted(set(_FEATURES) - set(found))
        if missing:
            raise ValueError(f"not a record of this schema: {', '.join(missing)} missing")

        def scalar(name: str) -> bytes:
            return found[name].bytes_list.value[0]

        def grid(name: str) -> list[list[bytes]]:
            values = list(found[name].bytes_list.value)
            if len(values) != NUM_QUADRANTS * NUM_CANDIDATES:
                raise ValueError(f"{name} holds {len(values)} values, not 40")
            return [values[i : i + NUM_CANDIDATES] for i in range(0, len(values), NUM_CANDIDATES)]

        def text(name: str) -> list[list[str]]:
            return [[value.decode() for value in row] for row in grid(name)]

        return Record(
            photo_id=scalar("reference/id").decode(),
            version=scalar("reference/version").decode(),
            image=scalar("reference/image"),
            image_size=int(found["image_size"].int64_list.value[0]),
            candidate_ids=text("candidates/id"),
            candidate_versions=text("candidates/version"),
            candidate_images=grid("candidates/image"),
            distances=np.array(found["candidates/distance"].float_list.value, np.float32).reshape(
                _GRID
            ),
        )
    except (IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"not a record of this schema: {error}") from error
    except DecodeError as error:
        raise ValueError("not a tf.train.Example") from error


def shard_path(folder, prefix: str, index: int, count: int) -> Path:
    """The shard's file, such as `data.tfrecord-00000-of-00008`."""
    return Path(folder) / f"{prefix}.tfrecord-{index:05d}-of-{count:05d}"


def find_shards(pattern: str) -> list[str]:
    """Files that match a glob (or a comma list of globs), here or remote (gs://...), sorted.

    What a glob stands for: `shard_globs.paths`.

    Raises UserError where a glob matches nothing, or where a set that calls itself "-of-N"
    lacks some of its N shards.
    """
    found = shard_globs.paths(pattern)
    sets: dict[tuple[str, int], set[int]] = {}
    for path in found:
        match = shard_globs.NUMBERED.fullmatch(path)
        if match:
            sets.setdefault((match[1], int(match[3])), set()).add(int(match[2]))
    for (stem, count), present in sets.items():
        absent = sorted(set(range(count)) - present)
        if absent:
            names = ", ".join(f"{stem}-{i:05d}-of-{count:05d}" for i in absent[:3])
            raise UserError(f"{len(absent)} of {count} shards are missing: {names}")
    return sorted(found)


def read_shard(path: str) -> Iterator[bytes]:
    """Yields the records' bytes of one shard file, in order.

    Raises UserError, naming the file and the record's number from 0, where it is cut short or
    its checksums do not fit.
    """
    index = 0
    try:
        for raw in tf.data.TFRecordDataset(path).as_numpy_iterator():
            yield raw
            index += 1
    except tf.errors.NotFoundError as error:
        raise UserError(f"record file {path} does not exist") from error
    except tf.errors.DataLossError as error:
        raise UserError(f"record file {path} is cut short or corrupt at record {index}") from error


def count(path: str) -> int:
    """How many records a shard file holds, from the length headers alone (no data is read).

    Raises UserError where the file is missing or cut short.
    """
    size, _ = storage.size_and_time(path)
    number = position = 0
    with storage.open_binary(path) as file:
        while position < size:
            file.seek(position)
            header = file.read(8)  # length, little-endian; then 4 bytes CRC, data, 4 bytes CRC
            length = struct.unpack("<Q", header)[0] if len(header) == 8 else size
            position += 12 + length + 4
            if position > size:
                raise UserError(f"record file {path} is cut short or corrupt at record {number}")
            number += 1
    return number
