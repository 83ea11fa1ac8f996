"""What builds of records cost, from a few measured ones, and what larger ones will cost.

`tfrecords_tools.build` leaves build_cost.json beside dataset.json. Each stage does a known number
of operations, some a constant number of times, some for each image, some for each pair that it
compares (`operations`). Fitted are the seconds that one of them takes, none negative.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lorbms_tf.data import dataset_file, records
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json

IMAGES_A_CLUSTER = 500  # as the build has it, where it chooses the number of clusters
KMEANS_ITERATIONS, KMEANS_SAMPLE = 20, 256  # the sample: images a cluster
KMEANS_BYTES = 8 * 2**30  # the most that the sample takes
HASH_BITS, LONGEST_PART = 256, 32  # of perceptual hashes, and of what is looked up at once
_LEAST_SECONDS = 0.5  # of a stage: shorter ones are measured as badly as this one

FIXED, IMAGES, PRODUCTS, PAIRS = "fixed", "images", "products", "pairs"
# What each stage does. The stages are those that a build announces.
STAGES = {
    "feature network": (FIXED,),
    "photos": (FIXED, IMAGES),
    "images and features": (FIXED, IMAGES),
    "duplicates": (IMAGES, PAIRS),
    "clusters": (IMAGES, PRODUCTS),
    "neighbours": (IMAGES, PRODUCTS),
    "records": (FIXED, IMAGES),
}


class Sizes(NamedTuple):
    """What decides how much a build has to do.

    dimension: numbers a quadrant. bytes: of one of them in the file of features. clusters: a
    quadrant. near_duplicates: as --near_duplicates.
    """

    images: int
    dimension: int
    bytes: int
    clusters: int
    near_duplicates: int


@dataclass(frozen=True)
class Build:
    """One measured build; record_bytes: of all shards."""

    path: str
    sizes: Sizes
    seconds: dict[str, float]
    memory_bytes: float
    record_bytes: float


class Model(NamedTuple):
    """Seconds an operation, by stage and kind of operation; memory by kind; bytes of a record."""

    seconds: dict[str, dict[str, float]]
    memory_bytes: dict[str, float]
    bytes_a_record: float


def read(path: str, clock: str) -> Build:
    """The build that a dataset.json, or the folder that holds it, is of.

    clock: "seconds", or "cpu_seconds" that the processor worked.

    Raises UserError where there is none, its costs are not recorded, it went on where an earlier
    start had stopped, or other processes did the work.
    """
    folder = Path(path).parent if Path(path).name == records.DATASET_FILE else Path(path)
    dataset, cost = (read_json(folder / name) for name in (records.DATASET_FILE, _costs(folder)))
    try:
        if cost["engine"] != "local":
            raise UserError(f"{folder}: a build by --engine={cost['engine']} hides what it costs")
        if cost["continued"]:
            raise UserError(f"{folder}: an earlier start had done some stages; build it in one go")
        settings = dataset["settings"]
        sizes = Sizes(
            images=dataset["num_records"],
            dimension=dataset["features"]["compared_dimension"],
            bytes=np.dtype(settings["feature_dtype"]).itemsize,
            clusters=dataset["clusters"]["num_clusters"],
            near_duplicates=settings["near_duplicates"],
        )
        seconds = {name: float(cost[clock].get(name, 0.0)) for name in STAGES}
        size = sum(shard["bytes"] for shard in dataset["shards"])
        return Build(str(folder), sizes, seconds, float(cost["peak_memory_bytes"]), float(size))
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{folder} is not what tfrecords_tools.build writes: {error}") from error


def _costs(folder: Path) -> str:
    if not (folder / dataset_file.COST_FILE).is_file():
        raise UserError(
            f"{folder} holds no {dataset_file.COST_FILE}, which tfrecords_tools.build writes "
            "beside the records: build anew"
        )
    return dataset_file.COST_FILE


def operations(stage: str, sizes: Sizes) -> dict[str, float]:
    """How many operations of each kind a stage does.

    Products are multiply-adds, of four quadrants. Clusters are taken to be equally large.
    """
    counts = {FIXED: 1.0, IMAGES: float(sizes.images), PRODUCTS: 0.0, PAIRS: 0.0}
    width = 4.0 * sizes.dimension
    if stage == "clusters":
        most = max(sizes.clusters, KMEANS_BYTES // (4 * sizes.dimension))
        sample = min(sizes.images, sizes.clusters * KMEANS_SAMPLE, most)
        looks = KMEANS_ITERATIONS * sample + sizes.images  # the last one assigns all
        counts[PRODUCTS] = 0.0 if sizes.clusters == 1 else looks * sizes.clusters * width
    if stage == "neighbours":
        counts[PRODUCTS] = sizes.images**2 / sizes.clusters * width
    if stage == "duplicates" and sizes.near_duplicates >= 0:
        parts = sizes.near_duplicates + 1
        alike = 2.0 ** -min(HASH_BITS // parts, LONGEST_PART)  # share with an equal part
        counts[PAIRS] = sizes.images**2 * parts * alike
    return {kind: counts[kind] for kind in STAGES[stage]}


def fit(builds: Sequence[Build]) -> Model:
    """The model of some builds. Raises UserError where they are of fewer than two sizes."""
    if len({build.sizes.images for build in builds}) < 2:
        raise UserError("--builds: builds of at least two sizes are needed")
    seconds = {}
    for stage, kinds in STAGES.items():
        counts = [operations(stage, build.sizes) for build in builds]
        taken = np.array([build.seconds[stage] for build in builds])
        table = np.array([[row[kind] for kind in kinds] for row in counts])
        found = not_negative(table, taken, 1.0 / np.maximum(taken, _LEAST_SECONDS))
        seconds[stage] = dict(zip(kinds, found.tolist(), strict=True))
    memory = np.array([build.memory_bytes for build in builds])
    table = np.array([[1.0, build.sizes.images] for build in builds])
    most = not_negative(table, memory, 1.0 / memory)
    largest = max(builds, key=lambda build: build.sizes.images)
    return Model(
        seconds,
        dict(zip((FIXED, IMAGES), most.tolist(), strict=True)),
        largest.record_bytes / largest.sizes.images,
    )


def not_negative(table: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Least squares of table [N, k] times x [k] against values [N], no x below 0.

    With the few columns there are, each choice of those that are not 0 is tried.
    """
    scale = np.maximum(np.abs(table).max(axis=0), 1e-300)  # columns differ by many powers of ten
    left, right = table / scale * weights[:, None], values * weights
    best, least = np.zeros(table.shape[1]), float(np.sum(right**2))
    for count in range(1, min(table.shape) + 1):
        for chosen in itertools.combinations(range(table.shape[1]), count):
            found = np.linalg.lstsq(left[:, chosen], right, rcond=None)[0]
            error = float(np.sum((left[:, chosen] @ found - right) ** 2))
            if found.min() >= 0 and error < least * (1 - 1e-9):
                best, least = np.zeros(table.shape[1]), error
                best[list(chosen)] = found
    return best / scale


def predicted(model: Model, sizes: Sizes) -> dict[str, Any]:
    """Seconds of each stage and of all, most memory, and bytes on disk of a build."""
    seconds = {
        stage: sum(model.seconds[stage][kind] * n for kind, n in operations(stage, sizes).items())
        for stage in STAGES
    }
    return {
        "clusters": sizes.clusters,
        "seconds": {**seconds, "all": sum(seconds.values())},
        "memory_bytes": model.memory_bytes[FIXED] + model.memory_bytes[IMAGES] * sizes.images,
        "record_bytes": model.bytes_a_record * sizes.images,
        "feature_bytes": 4.0 * sizes.images * sizes.dimension * sizes.bytes,
    }


def clusters_by_rule(images: int) -> dict[str, int]:
    """Numbers of clusters: as a build has it, and the square root of the images."""
    return {
        "of_500": max(1, round(images / IMAGES_A_CLUSTER)),
        "square_root": max(1, math.isqrt(images)),
    }


def measure(paths: Sequence[str], checks: Sequence[str], images: Sequence[int], clock: str) -> dict:
    """The fields of the JSON line of `benchmark scale`. UserError as `read` and `fit`."""
    builds = [read(path, clock) for path in paths]
    model = fit(builds)
    like = max(builds, key=lambda build: build.sizes.images).sizes
    checked = {}
    for build in (read(path, clock) for path in checks):
        made = predicted(model, build.sizes)
        total = sum(build.seconds.values())
        checked[build.path] = {
            "images": build.sizes.images,
            "measured": {
                "seconds": {**build.seconds, "all": total},
                "memory_bytes": build.memory_bytes,
                "record_bytes": build.record_bytes,
            },
            "predicted": made,
            "seconds_ratio": made["seconds"]["all"] / total if total else math.inf,
        }
    return {
        "benchmark": "scale",
        "clock": clock,
        "fitted_on": [build.sizes.images for build in builds],
        "model": model._asdict(),
        "checked": checked,
        "predicted": {
            str(count): {
                rule: predicted(model, like._replace(images=count, clusters=clusters))
                for rule, clusters in clusters_by_rule(count).items()
            }
            for count in images
        },
    }
