"""The stage from photos to images and features, in chunks that a killed build need not repeat.

A chunk's features are in the feature file before its images are: the file of its images tells
that it is finished.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lorbms_tf.data.images import BadImage
from lorbms_tf.features.network import FeatureNetwork
from lorbms_tf.files import atomic_file, read_arrays
from lorbms_tf.progress import track
from tfrecords_tools import items, quadrant_features, reduction
from tfrecords_tools.assemble import Item
from tfrecords_tools.build_config import BuildConfig
from tfrecords_tools.feature_store import FeatureFile
from tfrecords_tools.items import Collected
from tfrecords_tools.sources import Photo

# The network's batches are those of an uninterrupted build whatever the number of versions, as a
# chunk is a multiple of this many photos.
PHOTO_MULTIPLE = quadrant_features.ITEMS_AT_A_TIME
CHUNK_IMAGES = 512


def photos_in_chunk(num_versions: int) -> int:
    """How many photos one chunk holds: about 512 images."""
    return max(1, CHUNK_IMAGES // num_versions // PHOTO_MULTIPLE) * PHOTO_MULTIPLE


def path_of(folder: Path, number: int) -> Path:
    """The file of a chunk's images."""
    return folder / f"{number:06d}.npz"


def squares(
    config: BuildConfig, network: FeatureNetwork, photos: Sequence[Photo], collected: Collected
) -> Iterator[np.ndarray]:
    """What the network reads of photos, all versions, in order; see `items.cut_all`."""
    return items.cut_all(
        photos,
        config.version_names(),
        config.seed,
        config.image_size,
        2 * network.side,  # a quadrant then fills the network's input
        config.num_workers,
        collected,
        config.near_duplicates >= 0,
    )


def vectors(
    config: BuildConfig, network: FeatureNetwork, count: int, images: Iterator[np.ndarray]
) -> Iterator[np.ndarray]:
    """Features of the next `count` squares, as they are stored, by blocks: float32 [B, 4, D]."""
    normalize = config.l2_normalize and not config.pca  # else once they are reduced
    for block in quadrant_features.blocks(images, count, network):
        yield reduction.transform(block, None, normalize)


def compute(
    config: BuildConfig,
    folder: Path,
    features: FeatureFile,
    photos: Sequence[Photo],
    network: FeatureNetwork,
) -> Collected:
    """Fills `features` with a row for each version of each photo; gives the images.

    Args:
      config: see there.
      folder: holds the finished chunks; made where it is not there.
      features: a row for each photo and version; those of finished chunks hold already.
      photos: in the order of the rows.
      network: see there.

    Raises UserError where features are not finite.
    """
    folder.mkdir(exist_ok=True)
    num_versions = len(config.version_names())
    step = photos_in_chunk(num_versions)
    starts = list(range(0, len(photos), step))
    collected, finished = Collected(), 0
    for number in range(len(starts)):
        path = path_of(folder, number)
        if not path.exists():
            break
        collected.extend(read(path))
        finished += 1
    if finished:
        print(f"{len(collected.kept)} images and their features are there already")
    todo = photos[finished * step :]
    fresh = Collected()
    total = len(todo) * num_versions
    images = track(squares(config, network, todo, fresh), total=total, label="quadrant features")
    for number in range(finished, len(starts)):
        count = min(step, len(photos) - starts[number]) * num_versions
        done = starts[number] * num_versions
        for block in vectors(config, network, count, images):
            features.write(done, block)
            done += len(block)
        features.flush()
        rows = fresh.drain()
        write(path_of(folder, number), rows)
        collected.extend(rows)
    for _ in images:  # the line that says that all are done
        raise ValueError("more images than photos and versions")
    return collected


def write(path: Path, rows: Collected) -> None:
    """The file of a chunk's images."""
    described = {
        "items": [[item.photo_id, item.version] for item in rows.items],
        "content_hashes": rows.content_hashes,
        "image_hashes": rows.image_hashes,
        "perceptual_hashes": [value.hex() for value in rows.perceptual_hashes],
        "kept": rows.kept,
        "skipped": [[str(error.path), error.reason] for error in rows.skipped],
    }
    jpegs = [item.image for item in rows.items]
    with atomic_file(path) as file:
        np.savez(
            file,
            described=np.frombuffer(json.dumps(described).encode(), np.uint8),
            lengths=np.array([len(jpeg) for jpeg in jpegs], np.int64),
            jpegs=np.frombuffer(b"".join(jpegs), np.uint8),
        )


def read(path: Path, jpegs: bool = True) -> Collected:
    """What `write` has written; without `jpegs` the images of the items are empty.

    Raises UserError where the file is damaged.
    """
    stored = read_arrays(path, "described", "lengths", *(["jpegs"] if jpegs else []))
    described = json.loads(stored["described"].tobytes())
    ends = np.cumsum(stored["lengths"]).tolist()
    content = stored["jpegs"].tobytes() if jpegs else b""
    begins = [0, *ends[:-1]]
    return Collected(
        items=[
            Item(photo_id, version, content[begin:end])
            for (photo_id, version), begin, end in zip(
                described["items"], begins, ends, strict=False
            )
        ],
        content_hashes=described["content_hashes"],
        image_hashes=described["image_hashes"],
        perceptual_hashes=list(map(bytes.fromhex, described["perceptual_hashes"])),
        kept=described["kept"],
        skipped=[BadImage(path, reason) for path, reason in described["skipped"]],
    )
