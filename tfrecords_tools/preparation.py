"""The stages of a build before the clusters: photos, their images and features, their duplicates.

What is finished lies in a work folder beside --out (`work_folder`) and is not done again.
"""

import contextlib
import functools
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from lorbms_tf.features.network import FeatureNetwork
from lorbms_tf.files import read_json
from tfrecords_tools import (
    assemble,
    build_report,
    duplicates,
    items,
    neighbours,
    reduction,
    sources,
    tfds_source,
    work_folder,
)
from tfrecords_tools.build_config import BuildConfig
from tfrecords_tools.engines import Engine
from tfrecords_tools.feature_store import FeatureFile
from tfrecords_tools.work_folder import WorkFolder

# What is decided after the features: a work folder serves all values of these.
_LATE = ("num_clusters", "prefix", "num_shards")

Places = tuple[Path, str | Path]  # the folder of photos, and the annotation file or ""


class Stages:
    """Announces the stages of a build and keeps how long each took.

    seconds: by the clock, by name. cpu_seconds: of processor time, of all threads of this process.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        print(f"== {name}", flush=True)
        start, worked = time.monotonic(), time.process_time()
        yield
        self.seconds[name] = time.monotonic() - start
        self.cpu_seconds[name] = time.process_time() - worked


@dataclass(frozen=True)
class Prepared:
    """All that the search needs, and dataset.json tells; N images.

    identity: int64 [labels, N], see `neighbours.identify`. duplicates: counts and examples.
    explained: share of the features' variance that --pca has left.
    """

    photo_counts: dict[str, Any]
    collected: items.Collected
    features: FeatureFile
    identity: np.ndarray
    duplicates: dict[str, Any]
    explained: float


def places_of(config: BuildConfig) -> Places:
    """The folder of photos and the annotation file, unpacked before where --tfds asks for it."""
    if not config.tfds:
        return Path(config.images), config.annotations
    found = tfds_source.unpack(config.tfds, Path(config.images))
    return found.parent / tfds_source.IMAGES, found


def hold(config: BuildConfig, network: FeatureNetwork, places: Places):
    """The work folder of a build, locked: a context manager (`work_folder.hold`)."""
    settings = {
        **{name: value for name, value in config.recorded().items() if name not in _LATE},
        "weights_sha256": network.weights_hash,
        "network": [network.name, network.side, network.dimension],
        "source": work_folder.fingerprint(*places),
        "schema_version": records.SCHEMA_VERSION,
    }
    return work_folder.hold(config.out, work_folder.key_of(settings), settings)


def prepare(
    config: BuildConfig,
    places: Places,
    work: WorkFolder,
    network: FeatureNetwork,
    stages: Stages,
    engine: Engine,
) -> Prepared:
    """The stages before the clusters; what is finished in the work folder is not done again."""
    work_folder.name_leftovers(config.out, work)
    with stages("photos"):
        stored = work.keep_json("photos", lambda: _as_json(*_load(config, places, work, engine)))
        photos = [sources.Photo(name, Path(path)) for name, path in stored["photos"]]
        num_images = len(photos) * len(config.version_names())
        assemble.check_shards(num_images, config.num_shards)
        _check_number(config, num_images)
    with stages("images and features"):
        collected, features, explained = _compute(config, work, photos, network, engine)
    with stages("duplicates"):
        labels, counted = duplicates.find(collected, config.near_duplicates)
        identity = neighbours.identify(labels, records.NUM_CANDIDATES)
    return Prepared(stored["counts"], collected, features, identity, counted, explained)


def _as_json(photos: list[sources.Photo], counts: dict[str, Any]) -> dict[str, Any]:
    named = [[photo.photo_id, str(photo.path)] for photo in photos]
    return {"photos": named, "counts": counts}


def _load(
    config: BuildConfig, places: Places, work: WorkFolder, engine: Engine
) -> tuple[list[sources.Photo], dict[str, Any]]:
    min_boxes = config.min_boxes
    if config.tfds and not read_json(places[1])["annotations"]:
        min_boxes = 0  # the dataset has no boxes: its file only lists the photos
    photos, counts = sources.load(
        *places,
        config.min_size,
        min_boxes,
        config.num_workers,
        config.source,
        config.sample_photos,
        config.seed,
        functools.partial(engine.check, work),
    )
    print("\n".join(build_report.photo_lines(counts)))
    needed = records.NUM_CANDIDATES + 1
    for line in build_report.annotation_lines(counts):
        print(line)
    if len(photos) < needed:
        raise UserError(
            f"too few photos: {build_report.photo_line(counts)}; at least {needed} are needed, "
            f"{records.NUM_CANDIDATES} candidates and the reference itself (see --min_size and "
            "--min_boxes)"
        )
    assemble.check_shards(len(photos) * len(config.version_names()), config.num_shards)
    return photos, counts


def _check_number(config: BuildConfig, num_images: int) -> None:
    """Warns, or raises UserError as --unexpected has it, where --expect_images is another."""
    if told := build_report.unexpected(num_images, config.expect_images):
        if config.unexpected == "fail":
            raise UserError(told)
        print(f"warning: {told}", file=sys.stderr)


def _compute(
    config: BuildConfig,
    work: WorkFolder,
    photos: list[sources.Photo],
    network: FeatureNetwork,
    engine: Engine,
) -> tuple[items.Collected, FeatureFile, float]:
    """The images of the records, their features, and the share of variance left by --pca."""
    plain, reduced = work.path / "features.npy", work.path / "reduced.npy"
    is_reduced = (work.path / "reduction.npz").exists()
    file = reduced if is_reduced else plain
    if file.exists():
        features = FeatureFile.open(file)
    else:
        work.forget_images()
        is_reduced = False
        rows = len(photos) * len(config.version_names())
        features = FeatureFile.create(plain, rows, network.dimension, config.feature_dtype)
    collected = engine.images(config, work, features, photos, network)
    if not is_reduced and not all(collected.kept):
        features = features.take(np.flatnonzero(collected.kept))
    if not config.pca:
        return collected, features, 1.0
    explained = work.keep("reduction", lambda: _reduce(config, features, reduced))["explained"]
    plain.unlink(missing_ok=True)
    return collected, FeatureFile.open(reduced), float(explained)


def _reduce(config: BuildConfig, features: FeatureFile, path: Path) -> dict[str, np.ndarray]:
    explained = reduction.reduce(
        features,
        lambda dimension: FeatureFile.create(path, len(features), dimension, config.feature_dtype),
        config.pca,
        config.l2_normalize,
        config.seed,
    )
    return {"explained": np.array(explained)}
