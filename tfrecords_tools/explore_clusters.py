"""How many clusters?

python -m tfrecords_tools.explore_clusters --images=my_photos --out=data/mine --num_clusters=1,4,16

Takes the flags of `tfrecords_tools.build` and does its stages up to the features, once. Then, for
each number of clusters: k-means, the neighbours of a sample of images, and how those compare with
the exact ones among all images. The features stay in the work folder beside --out, so that a build
with the number you choose goes on from there. Records that are at --out already stay as they are.
"""

import csv
import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_path
from tfrecords_tools import (
    build,
    engines,
    neighbours,
    preparation,
    quadrant_features,
    work_folder,
)
from tfrecords_tools.build_config import BuildConfig
from tfrecords_tools.neighbours import Neighbours
from tfrecords_tools.scoring import appearance

_GOOD_RECALL = 0.9  # of a number of clusters that is proposed
COLUMNS = {
    "num_clusters": "clusters",
    "smallest": "smallest",
    "median": "median",
    "largest": "largest",
    "left_cluster": "left cluster",
    "mean_distance": "mean distance",
    "distance_ratio": "over exact",
    "recall": "recall",
    "alike": "alike",
    "kmeans_seconds": "k-means s",
    "search_seconds": "search s",
}
LEGEND = """\
smallest, median, largest: images in a cluster
left cluster: share of the searches that found too few in their own
mean distance: of what is found; lower is better
over exact: that over the mean distance of the true ten nearest; lower is better, 1 at least
recall: share of the true ten nearest that is found; higher is better, 1 at most
alike: in colour, of a quadrant and its candidates; 1 for equal, {chance:.3g} for random images"""


@dataclass(frozen=True, kw_only=True)
class ExploreConfig(BuildConfig):
    """A build whose number of clusters is not decided yet."""

    num_clusters: tuple[int, ...] = setting((1, 4, 16, 64), "Numbers of clusters to compare.")
    sample: int = setting(1000, "Images whose neighbours are looked for; 0: all.")
    table: str = setting("", "CSV file to write the table to.")
    html: str = setting("", "Page to write: recall and likeness by the number of clusters.")

    def validate(self) -> None:
        """Raises UserError for the first bad setting."""
        self.for_build().validate()
        for count in self.num_clusters:
            require("num_clusters", count, minimum=1)
        if not self.num_clusters:
            raise UserError("--num_clusters is empty: name some numbers, such as 1,4,16")
        require("sample", self.sample, minimum=0)

    def for_build(self) -> BuildConfig:
        """The same build, with the automatic number of clusters."""
        names = {field.name for field in dataclasses.fields(BuildConfig)} - {"num_clusters"}
        return BuildConfig(**{name: getattr(self, name) for name in names})


def explore(config: ExploreConfig) -> list[dict[str, Any]]:
    """The rows of the table, by number of clusters; prints it and writes --table.

    left_cluster, mean_distance, recall, alike: of the sample. recall: the share of the ten nearest
    of all images that is found. distance_ratio: the mean distance over that of the ten nearest.
    alike: see `likeness`. Raises UserError as `build.build`.
    """
    base = config.for_build()
    work_folder.recover(base.out)
    build.check(base, replaces_out=False)
    engine = engines.of(base)
    stages = preparation.Stages()
    with stages("feature network"):
        network = quadrant_features.network_of(base)
    places = preparation.places_of(base)
    with preparation.hold(base, network, places) as work:
        prepared = preparation.prepare(base, places, work, network, stages, engine)
        num_images = len(prepared.features)
        for count in config.num_clusters:
            if fewer := neighbours.fewer_clusters(count, num_images):
                print(fewer)
        queries = _sample(num_images, config.sample, base.seed)
        exact, rows, shown = None, [], []
        for count in sorted({1, *(min(n, num_images) for n in config.num_clusters)}):
            with stages(f"{count} clusters"):
                nearest, times = _search(prepared, count, base.seed, queries, work.keep)
            exact = exact or nearest
            if count in config.num_clusters or count == num_images:
                rows.append(measure(count, nearest, exact, queries, times))
                shown.append(nearest.indices[queries])
        *alike, chance = likeness(prepared.collected.items, queries, shown, base.seed)
    rows = [{**row, "alike": value} for row, value in zip(rows, alike, strict=True)]
    print(as_text(rows, chance))
    for line in cautions(rows, num_images):
        print(line)
    if config.table:
        _write(config.table, rows)
    if config.html:
        from tfrecords_tools.report import clusters_page  # loads matplotlib

        clusters_page.write(config.html, rows, chance)
    print(f"{work.path} keeps the features for the build: remove it if you build none")
    print(_next(base, rows))
    return rows


def _search(
    prepared: preparation.Prepared, count: int, seed: int, queries: np.ndarray, keep: Any
) -> tuple[Neighbours, tuple[float, float]]:
    """Candidates with `count` clusters, and the seconds of clustering and of searching."""
    start = time.monotonic()
    clustered = neighbours.cluster_all(prepared.features, count, seed, keep)
    middle = time.monotonic()
    nearest = neighbours.search_all(
        prepared.features, clustered, prepared.identity, records.NUM_CANDIDATES, queries=queries
    )
    return nearest, (middle - start, time.monotonic() - middle)


def _next(base: BuildConfig, rows: list[dict[str, Any]]) -> str:
    """The build with the most clusters that find nearly all neighbours, or else with the fewest.

    Where most searches leave their cluster, recall says nothing of the clusters.
    """
    good = [
        row["num_clusters"]
        for row in rows
        if row["recall"] >= _GOOD_RECALL and row["left_cluster"] < MANY_LEFT
    ]
    count = max(good, default=rows[0]["num_clusters"])
    return command.next_step("tfrecords_tools.build", **flags.changed(base, num_clusters=count))


def _sample(num_images: int, wanted: int, seed: int) -> np.ndarray:
    """bool [N], True for `wanted` of the images, or for all."""
    queries = np.zeros(num_images, bool)
    count = min(wanted or num_images, num_images)
    queries[np.random.default_rng([seed, 30]).choice(num_images, count, replace=False)] = True
    return queries


def measure(
    count: int,
    found: Neighbours,
    exact: Neighbours,
    queries: np.ndarray,
    times: tuple[float, float],
) -> dict[str, Any]:
    """One row of the table: `found` with `count` clusters against `exact` with one."""
    sizes = np.array(found.cluster_sizes)  # [4, C]
    indices, best = found.indices[queries], exact.indices[queries]  # [S, 4, k]
    common = (indices[..., :, None] == best[..., None, :]).any(axis=-1)
    mean = float(found.distances[queries].mean(dtype=np.float64))
    least = float(exact.distances[queries].mean(dtype=np.float64))
    return {
        "num_clusters": count,
        "smallest": int(sizes.min()),
        "median": float(np.median(sizes)),
        "largest": int(sizes.max()),
        "left_cluster": float(found.left_cluster.mean()),
        "mean_distance": mean,
        "distance_ratio": mean / least if least else 1.0,
        "recall": float(common.mean()),
        "kmeans_seconds": times[0],
        "search_seconds": times[1],
    }


def likeness(
    images: Sequence[Any], queries: np.ndarray, shown: Sequence[np.ndarray], seed: int
) -> list[float]:
    """How alike in colour quadrants are to others: a number for each of `shown`, and by chance.

    1 less the mean Hellinger distance of their colours: a look that the features had no part in.

    Args:
      images: [N], with JPEGs as `image`.
      queries: bool [N], whose quadrants are compared; S of them.
      shown: int [S, 4, k] each, images.
      seed: of the random images.
    """
    asked = np.flatnonzero(queries)
    random = np.random.default_rng([seed, 31]).integers(0, len(images), (len(asked), 4, 1))
    others = [*shown, random]
    wanted = np.unique(np.concatenate([asked, *(one.reshape(-1) for one in others)]))
    looks = appearance.describe({i: images[i].image for i in wanted.tolist()}, len(images))
    return [1.0 - float(appearance.distances(looks, "colour", asked, one).mean()) for one in others]


def as_text(rows: list[dict[str, Any]], chance: float) -> str:
    """The table for a terminal; chance: how alike random images are."""
    lines = ["  ".join(f"{title:>13}" for title in COLUMNS.values())]
    lines += ["  ".join(f"{row[name]:>13.5g}" for name in COLUMNS) for row in rows]
    return "\n".join([*lines, LEGEND.format(chance=chance)])


def _write(path: str, rows: list[dict[str, Any]]) -> None:
    with atomic_path(Path(path)) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


MANY_LEFT = 0.5  # share of the searches that left their cluster


def cautions(rows: list[dict[str, Any]], num_images: int) -> list[str]:
    """What to know before choosing by the table of so many images; none where all is well."""
    lines = []
    if neighbours.automatic_num_clusters(num_images) == 1:
        lines.append(
            f"caution: {num_images} images need one cluster only, whose search is exact; a recall "
            "of 1 or near it here says nothing of larger sets"
        )
    for row in rows:
        if row["left_cluster"] >= MANY_LEFT:
            lines.append(
                f"caution: with {row['num_clusters']} clusters (median {row['median']:g} images) "
                f"{row['left_cluster']:.0%} of the searches left their own: the recall is that of "
                "several clusters searched one after the other"
            )
    return lines


def main(argv: Sequence[str]) -> None:
    """The command: reads the flags, prints them, and compares."""
    command.refuse_arguments(argv)
    config = flags.read(ExploreConfig)
    print(flags.as_text(config))
    explore(config)


def console_main() -> None:
    """The entry point of the console script."""
    flags.define(ExploreConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
