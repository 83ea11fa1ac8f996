"""Photos to records: `python -m tfrecords_tools.build --flagfile=configs/data/NAME.cfg`.

Filter, fixed versions, features of all quadrants, k-means and in-cluster nearest neighbours of each
quadrant, sharded records, and a dataset.json beside them (thesis, 3.4, 4.1 and algorithm 2). The
same settings give the same bytes.
"""

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lorbms_tf import command, flags
from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_directory, read_json, write_json
from tfrecords_tools import (
    assemble,
    build_report,
    feature_networks,
    items,
    neighbours,
    provenance,
    quadrant_features,
    sources,
    tfds_source,
)
from tfrecords_tools.build_config import BuildConfig
from tfrecords_tools.quadrant_features import FeatureNetwork


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


def build(config: BuildConfig) -> dict[str, Any]:
    """Builds the records and returns the content of dataset.json.

    Raises UserError, with one message that names the flag or file, for whatever the user can
    mend; --out then is as it was before.
    """
    check(config)
    stages = Stages()
    with stages("feature network"):
        network = quadrant_features.extractor(
            config.features, config.weights, config.seed, config.feature_size
        )
    with stages("photos"):
        photos, photo_counts = _load(config)
    with stages("images and features"):
        collected, features = _compute(config, photos, network)
    with stages("neighbours"):
        found = neighbours.search(
            features,
            [item.photo_id for item in collected.items],
            collected.content_hashes,
            config.num_clusters,
            config.seed,
            records.NUM_CANDIDATES,
            image_hashes=collected.image_hashes,
        )
    with stages("records"), _output(config) as folder:
        shards = assemble.write_shards(
            folder,
            config.prefix,
            config.num_shards,
            collected.items,
            found.indices,
            found.distances,
            config.image_size,
            config.seed,
        )
        dataset = build_report.describe(
            config, photo_counts, collected.skipped, collected.items, network, found, shards
        )
        pixels = zip(
            (item.photo_id for item in collected.items), collected.content_hashes, strict=True
        )
        dataset |= provenance.chain(dataset, provenance.source_hash(pixels))
        write_json(folder / records.DATASET_FILE, dataset)
    print(build_report.summary(dataset, config.out, stages.seconds))
    return dataset


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
    elif any(out.iterdir()):
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


def _compute(config: BuildConfig, photos: list[sources.Photo], network: FeatureNetwork):
    """The images of the records (`items.Collected`) and their features [N, 4, D]."""
    names = config.version_names()
    collected = items.Collected()
    squares = items.cut_all(
        photos,
        names,
        config.seed,
        config.image_size,
        2 * network.input_size,  # a quadrant then fills the network's input
        config.num_workers,
        collected,
    )
    features = quadrant_features.compute(squares, network, total=len(photos) * len(names))
    return collected, _compact(features, collected.kept)


def _compact(features: np.ndarray, kept: Sequence[bool]) -> np.ndarray:
    """The kept rows of `features`, moved to its front: a copy would double the memory."""
    places = np.flatnonzero(kept)
    if len(places) < len(features):
        for place, row in enumerate(places):
            features[place] = features[row]
    return features[: len(places)]


@contextlib.contextmanager
def _output(config: BuildConfig) -> Iterator[Path]:
    """Yields a folder to write in that becomes --out, or replaces it, once the block ended well."""
    out = Path(config.out).absolute()
    if not (out.is_dir() and any(out.iterdir())):
        with atomic_directory(out) as folder:
            yield folder
        return
    if not config.overwrite:
        raise UserError(f"--out={config.out} exists already: somebody made it meanwhile")
    fresh = out.with_name(f".{out.name}.{os.getpid()}.new")
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    with atomic_directory(fresh) as folder:
        yield folder
    _exchange(out, fresh, old)


def _exchange(out: Path, fresh: Path, old: Path) -> None:
    """Puts the folder `fresh` in place of `out`, by way of `old`.

    Raises UserError where a folder cannot be renamed; `out` then is as it was, and `fresh`,
    which may be hours of work, stays.
    """
    try:
        os.replace(out, old)
        try:
            os.replace(fresh, out)
        except OSError:
            os.replace(old, out)
            raise
    except OSError as error:
        raise UserError(
            f"--out={out} cannot be replaced ({error.strerror}); the new records lie in {fresh}"
        ) from error
    try:
        shutil.rmtree(old)
    except OSError as error:
        print(f"the older records in {old} cannot be removed ({error.strerror})", file=sys.stderr)


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
