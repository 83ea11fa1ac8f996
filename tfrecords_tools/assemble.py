"""Images and neighbours to sharded records, and the numbers about them that training needs."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from lorbms_tf.data import index_making, records
from lorbms_tf.data.quadrants import NAMES
from lorbms_tf.errors import UserError
from lorbms_tf.files import sha256_file
from lorbms_tf.progress import track

QUANTILES = tuple(round(0.05 * step, 2) for step in range(21))  # 0, 0.05, ..., 1


@dataclass(frozen=True)
class Item:
    """One version of a photo, as records hold it; `image` is a JPEG."""

    photo_id: str
    version: str
    image: bytes


def check_shards(num_records: int, num_shards: int) -> None:
    """Raises UserError where some shards would be empty."""
    if num_shards > num_records:
        raise UserError(
            f"--num_shards={num_shards} is more than the {num_records} records: "
            f"1 to {num_records} are valid"
        )


def make_record(
    items: Sequence[Item] | Mapping[int, Item],
    i: int,
    indices: np.ndarray,
    distances: np.ndarray,
    image_size: int,
) -> records.Record:
    """The record of image i; indices int [4, 10] and distances float32 [4, 10] are its own."""
    candidates = [[items[j] for j in row] for row in indices]
    return records.Record(
        photo_id=items[i].photo_id,
        version=items[i].version,
        image=items[i].image,
        image_size=image_size,
        candidate_ids=[[item.photo_id for item in row] for row in candidates],
        candidate_versions=[[item.version for item in row] for row in candidates],
        candidate_images=[[item.image for item in row] for row in candidates],
        distances=distances,
    )


def write_shards(
    folder: Path,
    prefix: str,
    num_shards: int,
    items: Sequence[Item],
    indices: np.ndarray,
    distances: np.ndarray,
    image_size: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Writes one record for each image, in one random order, so that every shard is a sample.

    Args:
      folder: where the shards go; exists.
      prefix: shards are named PREFIX.tfrecord-00000-of-00008.
      num_shards: how many; their sizes differ by at most one record.
      items: N images.
      indices: int [N, 4, 10], the neighbours of each, nearest first.
      distances: float32 [N, 4, 10], squared L2, ascending.
      image_size: side of the images, pixels.
      seed: of the order. The same arguments give the same bytes.

    Returns a list of {"file", "records", "bytes", "sha256"}, one for each shard.
    Raises UserError where there are more shards than images, or the folder cannot be written.
    """
    parts = shares(len(items), num_shards, seed)
    paths = [records.shard_path(folder, prefix, s, num_shards) for s in range(num_shards)]

    def make(i: int) -> bytes:
        return records.serialize(make_record(items, i, indices[i], distances[i], image_size))

    written = _write_all(paths, parts, make)
    with told_plainly(folder):
        for _ in track(written, total=len(items), label="writing records", unit="record"):
            pass
    shards = [(path, len(part)) for path, part in zip(paths, parts, strict=True)]
    return [describe(*shard) for shard in track(shards, label="indexing records", unit="file")]


@contextlib.contextmanager
def told_plainly(folder: Path) -> Iterator[None]:
    """Makes UserErrors of what TensorFlow raises where records cannot be written to a folder."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise UserError(f"cannot write records to {folder}: the disk is full") from error
    except tf.errors.OpError as error:
        raise UserError(f"cannot write records to {folder}: {error.message}") from error


def shares(num_records: int, num_shards: int, seed: int) -> list[np.ndarray]:
    """Which records each shard holds, in their order. UserError where some would be empty."""
    check_shards(num_records, num_shards)
    return np.array_split(np.random.default_rng(seed).permutation(num_records), num_shards)


def describe(path: Path, num_records: int) -> dict[str, Any]:
    """What dataset.json tells of a shard that is written, and whose index this writes beside it."""
    size, digest = path.stat().st_size, sha256_file(path)
    index_making.write_beside(path, digest)
    return {"file": path.name, "records": num_records, "bytes": size, "sha256": digest}


def _write_all(paths, parts, make: Callable[[int], bytes]) -> Iterator[None]:
    """Writes each part's records to its file, one at a step."""
    for path, part in zip(paths, parts, strict=True):
        with tf.io.TFRecordWriter(str(path)) as writer:
            for i in part:
                writer.write(make(i))
                yield


def distance_quantiles(distances: np.ndarray) -> dict[str, float]:
    """Quantiles of squared distances of any shape: {"0": least, "0.05": ..., "1": greatest}."""
    values = np.quantile(np.asarray(distances, np.float64), QUANTILES)
    return {f"{q:g}": float(value) for q, value in zip(QUANTILES, values, strict=True)}


def quantiles_by_quadrant(distances: np.ndarray) -> dict[str, dict[str, float]]:
    """`distance_quantiles` of each quadrant of [N, 4, k], by its name q1 to q4."""
    return {name: distance_quantiles(distances[:, q]) for q, name in enumerate(NAMES)}
