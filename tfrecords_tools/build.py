"""Photos to records: `python -m tfrecords_tools.build --flagfile=configs/data/NAME.cfg`.

Filter, fixed versions, features of all quadrants, k-means and in-cluster nearest neighbours of each
quadrant, sharded records, and a dataset.json beside them (thesis, 3.4, 4.1 and algorithm 2). The
same settings give the same bytes, also where a build was killed and started again.
"""

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lorbms_tf import command, flags
from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_path, read_json, write_json
from tfrecords_tools import (
    assemble,
    build_report,
    duplicates,
    feature_networks,
    image_chunks,
    items,
    neighbours,
    provenance,
    quadrant_features,
    reduction,
    sources,
    tfds_source,
    work_folder,
)
from tfrecords_tools.build_config import BuildConfig
from tfrecords_tools.feature_store import FeatureFile
from tfrecords_tools.quadrant_features import FeatureNetwork
from tfrecords_tools.work_folder import WorkFolder

# What is decided after the features: a work folder serves all values of these.
_LATE = ("num_clusters", "prefix", "num_shards")


class Stages:
    """Announces the stages of a build and keeps how many seconds each took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        print(f"== {name}", flush=True)
        start = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - start


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


def build(config: BuildConfig) -> dict[str, Any]:
    """Builds the records and returns the content of dataset.json.

    Continues where the same build was killed. Raises UserError, with one message that names the
    flag or file, for whatever the user can mend; --out then is as it was before.
    """
    work_folder.recover(config.out)
    check(config)
    stages = Stages()
    with stages("feature network"):
        network = quadrant_features.extractor(
            config.features, config.weights, config.seed, config.feature_size
        )
    with hold(config, network) as work:
        prepared = prepare(config, work, network, stages)
        with stages("clusters"):
            clustered = neighbours.cluster_all(
                prepared.features, config.num_clusters, config.seed, work.keep
            )
        with stages("neighbours"):
            found = neighbours.search_all(
                prepared.features,
                clustered,
                prepared.identity,
                records.NUM_CANDIDATES,
                work.keep,
            )
        with stages("records"):
            dataset = _write(config, work, network, prepared, found)
            if not config.overwrite and _holds_files(Path(config.out)):
                raise UserError(f"--out={config.out} exists already: somebody made it meanwhile")
            work_folder.publish(work, config.out)
    print(build_report.summary(dataset, config.out, stages.seconds))
    return dataset


def hold(config: BuildConfig, network: FeatureNetwork):
    """The work folder of a build, locked: a context manager (`work_folder.hold`)."""
    settings = {
        **{name: value for name, value in config.recorded().items() if name not in _LATE},
        "weights_sha256": network.weights_hash,
        "network": [network.name, network.input_size, network.dimension],
        "source": work_folder.fingerprint(*_places(config)),
        "schema_version": records.SCHEMA_VERSION,
    }
    return work_folder.hold(config.out, work_folder.key_of(settings), settings)


def prepare(
    config: BuildConfig, work: WorkFolder, network: FeatureNetwork, stages: Stages
) -> Prepared:
    """The stages before the clusters; what is finished in the work folder is not done again."""
    work_folder.name_leftovers(config.out, work)
    with stages("photos"):
        stored = work.keep_json("photos", lambda: _as_json(*_load(config)))
        photos = [sources.Photo(name, Path(path)) for name, path in stored["photos"]]
        assemble.check_shards(len(photos) * len(config.version_names()), config.num_shards)
    with stages("images and features"):
        collected, features, explained = _compute(config, work, photos, network)
    with stages("duplicates"):
        labels, counted = duplicates.find(collected, config.near_duplicates)
        identity = neighbours.identify(labels, records.NUM_CANDIDATES)
    return Prepared(stored["counts"], collected, features, identity, counted, explained)


def _as_json(photos: list[sources.Photo], counts: dict[str, Any]) -> dict[str, Any]:
    named = [[photo.photo_id, str(photo.path)] for photo in photos]
    return {"photos": named, "counts": counts}


def check(config: BuildConfig) -> None:
    """Finds out before the long stages what would fail in them. Raises UserError."""
    if not config.tfds and not Path(config.images).is_dir():
        raise UserError(f"--images: image folder {config.images} does not exist or is not a folder")
    feature_networks.check(config.features, config.weights)
    out = Path(config.out)
    if not out.exists():
        parent = next(folder for folder in out.absolute().parents if folder.exists())
        if not parent.is_dir() or not os.access(parent, os.W_OK):
            raise UserError(f"--out={out} cannot be made: {parent} is no folder to write in")
    elif not out.is_dir():
        raise UserError(f"--out={out} is a file; name a folder")
    elif _holds_files(out):
        if not config.overwrite:
            raise UserError(f"--out={out} exists already: name another folder, or pass --overwrite")
        if not (out / records.DATASET_FILE).is_file():
            raise UserError(
                f"--overwrite replaces folders of records only, and --out={out} holds no "
                f"{records.DATASET_FILE}: name another folder"
            )


def _load(config: BuildConfig) -> tuple[list[sources.Photo], dict[str, Any]]:
    photos, counts = sources.load(
        *_places(config),
        config.min_size,
        config.min_boxes,
        config.num_workers,
        config.source,
        config.sample_photos,
        config.seed,
    )
    print(build_report.photo_line(counts))
    needed = records.NUM_CANDIDATES + 1
    if len(photos) < needed:
        raise UserError(
            f"too few photos: {build_report.photo_line(counts)}; at least {needed} are needed, "
            f"{records.NUM_CANDIDATES} candidates and the reference itself (see --min_size and "
            "--min_boxes)"
        )
    num_images = len(photos) * len(config.version_names())
    assemble.check_shards(num_images, config.num_shards)
    if told := build_report.unexpected(num_images, config.expect_images):
        if config.unexpected == "fail":
            raise UserError(told)
        print(f"warning: {told}", file=sys.stderr)
    return photos, counts


def _places(config: BuildConfig) -> tuple[Path, str | Path]:
    """The folder of photos and the annotation file, unpacked before where --tfds asks for it."""
    if not config.tfds:
        return Path(config.images), config.annotations
    found = tfds_source.unpack(config.tfds, Path(config.images))
    # Without boxes it lists the photos only, of which none could be asked to have some.
    boxes = bool(read_json(found)["annotations"])
    return found.parent / tfds_source.IMAGES, found if boxes else ""


def _holds_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _compute(
    config: BuildConfig, work: WorkFolder, photos: list[sources.Photo], network: FeatureNetwork
) -> tuple[items.Collected, FeatureFile, float]:
    """The images of the records, their features, and the share of variance left by --pca."""
    names = config.version_names()
    plain, reduced = work.path / "features.npy", work.path / "reduced.npy"
    is_reduced = (work.path / "reduction.npz").exists()
    file = reduced if is_reduced else plain
    if file.exists():
        features = FeatureFile.open(file)
    else:
        rows = len(photos) * len(names)
        features = FeatureFile.create(plain, rows, network.dimension, config.feature_dtype)

    def squares_of(todo, collected):
        return items.cut_all(
            todo,
            names,
            config.seed,
            config.image_size,
            2 * network.input_size,  # a quadrant then fills the network's input
            config.num_workers,
            collected,
            config.near_duplicates >= 0,
        )

    normalize = config.l2_normalize and not config.pca
    chunks = work.path / "chunks"
    collected = image_chunks.compute(
        chunks, features, photos, len(names), squares_of, network, normalize
    )
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


def _write(
    config: BuildConfig,
    work: WorkFolder,
    network: FeatureNetwork,
    prepared: Prepared,
    found: neighbours.Neighbours,
) -> dict[str, Any]:
    """Records and dataset.json in the work folder, unless they are there; gives dataset.json."""
    settings = json.dumps(config.recorded(), sort_keys=True)
    if work.complete.exists() and work.complete.read_text() == settings and work.records.exists():
        return read_json(work.records / records.DATASET_FILE)
    work.complete.unlink(missing_ok=True)
    shutil.rmtree(work.records, ignore_errors=True)
    work.records.mkdir()
    collected = prepared.collected
    shards = assemble.write_shards(
        work.records,
        config.prefix,
        config.num_shards,
        collected.items,
        found.indices,
        found.distances,
        config.image_size,
        config.seed,
    )
    dataset = build_report.describe(
        config, prepared.photo_counts, collected.skipped, collected.items, network, found, shards
    )
    dataset["features"] |= {
        "compared_dimension": prepared.features.shape[2],
        "explained_variance": prepared.explained,
    }
    dataset["duplicates"] = prepared.duplicates
    pixels = zip((item.photo_id for item in collected.items), collected.content_hashes, strict=True)
    dataset |= provenance.chain(dataset, provenance.source_hash(pixels))
    write_json(work.records / records.DATASET_FILE, dataset)
    with atomic_path(work.complete) as temporary:
        temporary.write_text(settings)
    return dataset


def main(argv: Sequence[str]) -> None:
    """The command: reads the flags, prints them, and builds or plans."""
    command.refuse_arguments(argv)
    config = flags.read(BuildConfig)
    print(flags.as_text(config))
    if config.dry_run:
        check(config)
        print(build_report.plan(config))
    else:
        build(config)


def console_main() -> None:
    """The entry point of the console script."""
    flags.define(BuildConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
