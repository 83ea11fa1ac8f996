"""What `tfrecords_tools.build` says: the plan, dataset.json, and the summary at the end."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from lorbms_tf.cli import command
from lorbms_tf.data import records
from lorbms_tf.data.images import BadImage, encode_jpeg, read_photo
from lorbms_tf.data.quadrants import NAMES, NUM_QUADRANTS
from lorbms_tf.features import registry
from lorbms_tf.features.network import FeatureNetwork
from tfrecords_tools import assemble, neighbours, sources, versions
from tfrecords_tools.assemble import Item
from tfrecords_tools.build_config import BuildConfig
from tfrecords_tools.neighbours import Neighbours
from tfrecords_tools.notes import note_lines

PLAN_SAMPLE = 16  # photos that a dry run reads to guess the size of the records
NAMES_SHOWN = 3  # of the photos dropped for each reason; dataset.json holds some more
_IMAGES = 1 + NUM_QUADRANTS * records.NUM_CANDIDATES  # in one record


def plan(config: BuildConfig) -> str:
    """What a build would do, after a cheap look: photos are counted, a few of them read.

    Raises UserError where the folder or the annotation file cannot be used.
    """
    if config.tfds:
        return f"Plan: unpack {config.tfds} into {config.images}; the rest shows after that"
    photos, counts = sources.find(
        Path(config.images), config.annotations, config.min_boxes, config.source
    )
    paths = [photo.path for photo in photos][: config.sample_photos or None]
    names = config.version_names()
    num_images = len(paths) * len(names)
    size = _guess_image_bytes(paths, names[0], config)
    total = num_images * _IMAGES * (size + 30)  # 30: ids, versions and lengths
    first = records.shard_path(config.out, config.prefix, 0, config.num_shards)
    clusters = neighbours.resolve_num_clusters(config.num_clusters, max(1, num_images))
    boxes = f" with {config.min_boxes} or more boxes" if config.annotations else ""
    weights = f", weights: {_origin(config)}"
    fewer = neighbours.fewer_clusters(config.num_clusters, max(1, num_images))
    return "\n".join(
        [
            "Plan (dry run: nothing is written). Numbers are upper bounds, before photos are read:",
            f"  photos      {len(paths)} in {config.images}{boxes}; unreadable ones and those "
            f"smaller than {config.min_size} px will be dropped{_locked(counts.result(0))}",
            f"  images      {num_images}: {', '.join(names)} of each, {config.image_size} px",
            f"  features    {config.features}{weights}, of each quadrant{_reduction(config)}",
            f"  neighbours  k-means with {clusters} clusters for each quadrant, then the "
            f"{records.NUM_CANDIDATES} nearest of each image",
            *([f"              {fewer}"] if fewer else []),
            f"  records     {num_images} in {config.num_shards} shards, about {megabytes(total)}",
            f"              {first} ... and {records.DATASET_FILE}",
            *annotation_lines(counts.result(0)),
        ]
    )


def _origin(config: BuildConfig) -> str:
    return registry.origin(config.features, config.weights, config.seed)


def _reduction(config: BuildConfig) -> str:
    text = f", {config.pca} principal components of them" if config.pca else ""
    text += ", of length 1" if config.l2_normalize else ""
    return f"{text}, stored as {config.feature_dtype} beside --out while the build works"


def unexpected(num_images: int, expected: int) -> str:
    """A sentence where there are more or fewer images than expected (0: no expectation)."""
    difference = num_images - expected
    if not expected or not difference:
        return ""
    word = "more" if difference > 0 else "fewer"
    return (
        f"{num_images:,} images, {abs(difference):,} {word} than --expect_images={expected} "
        f"({100 * difference / expected:+.2f} %)"
    )


def _guess_image_bytes(paths: list[Path], version: str, config: BuildConfig) -> float:
    """Mean size of a record's JPEGs, from a few photos; 0 where none of them can be read."""
    sizes = []
    for path in paths[:: max(1, len(paths) // PLAN_SAMPLE)]:
        try:
            photo = read_photo(path)
        except BadImage:
            continue
        image = versions.make(photo, version, path.name, config.seed, config.image_size)
        sizes.append(len(encode_jpeg(image)))
    return float(np.mean(sizes)) if sizes else 0.0


def describe(
    config: BuildConfig,
    photo_counts: dict[str, Any],
    skipped: list[BadImage],
    items: list[Item],
    network: FeatureNetwork,
    found: Neighbours,
    shards: list[dict[str, Any]],
) -> dict[str, Any]:
    """The content of dataset.json: how the records came about, and what training asks of them.

    It holds nothing that differs between two runs of the same settings, such as the time.
    """
    seeds = ("crops", "feature_weights", "order")
    return {
        "schema_version": records.SCHEMA_VERSION,
        "image_size": config.image_size,
        "num_records": len(items),
        "num_candidates": records.NUM_CANDIDATES,
        "versions": dict(Counter(item.version for item in items)),
        "photos": {
            **photo_counts,
            "kept": photo_counts["kept"] - len(skipped),
            "skipped_later": [str(error) for error in skipped],
        },
        **_expected(len(items), config.expect_images),
        "features": {
            "network": network.name,
            "weights": _origin(config),
            "weights_sha256": network.weights_hash,
            "dimension": network.dimension,
            "input_size": network.side,
        },
        "clusters": {
            "num_clusters": len(found.cluster_sizes[0]),
            "sizes": {
                name: dict(zip(("min", "median", "max"), _spread(sizes), strict=True))
                for name, sizes in zip(NAMES, found.cluster_sizes, strict=True)
            },
            "share_that_left_its_cluster": dict(
                zip(NAMES, found.left_cluster.tolist(), strict=True)
            ),
        },
        "distance_quantiles": assemble.distance_quantiles(found.distances),
        "distance_quantiles_per_quadrant": assemble.quantiles_by_quadrant(found.distances),
        "seeds": {**dict.fromkeys(seeds, config.seed), "clusters": _cluster_seeds(config.seed)},
        "settings": config.recorded(),
        "shards": shards,
    }


def _expected(num_images: int, expected: int) -> dict[str, Any]:
    if not expected:
        return {}
    return {"expected": {"images": expected, "difference": num_images - expected}}


def _cluster_seeds(seed: int) -> list[int]:
    return [seed + q for q in range(NUM_QUADRANTS)]


def _spread(sizes: list[int]) -> tuple[int, float, int]:
    return min(sizes), float(np.median(sizes)), max(sizes)


def summary(dataset: dict[str, Any], out: str, seconds: dict[str, float]) -> str:
    """The lines at the end of a build. seconds: of each stage, by name."""
    photos, quantiles = dataset["photos"], dataset["distance_quantiles"]
    lines = [f"Records of {dataset['num_records']} images in {out}"]
    lines += [f"  {line}" for line in photo_lines(photos)]
    lines += [f"  skipped: {reason}" for reason in photos["skipped_later"]]
    lines += annotation_lines(photos)
    versions_text = ", ".join(f"{count} {name}" for name, count in dataset["versions"].items())
    lines.append(f"  images: {versions_text}, {dataset['image_size']} px")
    if told := unexpected(dataset["num_records"], dataset.get("expected", {}).get("images", 0)):
        lines.append(f"  expected otherwise: {told}")
    lines += _duplicate_lines(dataset.get("duplicates", {}))
    features, clusters = dataset["features"], dataset["clusters"]
    lines.append(
        f"  features: {features['network']}, weights: {features['weights']}; "
        f"{features['compared_dimension']} numbers for each quadrant"
    )
    wanted = dataset["settings"]["num_clusters"]
    if fewer := neighbours.fewer_clusters(wanted, dataset["num_records"]):
        lines.append(f"  {fewer}")
    for name, sizes in clusters["sizes"].items():
        left = clusters["share_that_left_its_cluster"][name]
        lines.append(
            f"  {name}: {clusters['num_clusters']} clusters of {sizes['min']} to {sizes['max']} "
            f"images, median {sizes['median']:g}; {left:.1%} of the searches left their cluster"
        )
    lines.append(
        f"  squared distances: median {quantiles['0.5']:.4g}, 5 % below {quantiles['0.05']:.4g}, "
        f"5 % above {quantiles['0.95']:.4g}"
    )
    size = sum(shard["bytes"] for shard in dataset["shards"])
    lines.append(f"  {len(dataset['shards'])} shards, {megabytes(size)}")
    stages = ", ".join(f"{name} {duration:.1f} s" for name, duration in seconds.items())
    total = sum(seconds.values())
    lines.append(f"  time: {stages}; {total:.1f} s in all")
    lines.append(f"  {dataset['num_records'] / max(total, 1e-9):.1f} images/s over all stages")
    prefix = dataset["settings"]["prefix"]
    glob = f"{out}/{prefix}.tfrecord-*"
    lines.append(command.next_step("tfrecords_tools.inspect", records=glob, sheet="neighbours.png"))
    return "\n".join(lines)


def _duplicate_lines(duplicates: dict[str, Any]) -> list[str]:
    lines = []
    for rule, found in duplicates.items():
        if found["groups"]:
            pair = ", ".join(found["examples"][0])
            lines.append(
                f"  {rule.replace('_', ' ')}: {found['photos']} in {found['groups']} groups, "
                f"the largest of {found['largest_group']} (for example {pair})"
            )
    return lines


def annotation_lines(counts: dict[str, Any]) -> list[str]:
    """What was odd in the annotations, one line each; none where nothing was."""
    return [f"  annotations: {line}" for line in note_lines(counts.get("annotations", {}))]


def photo_line(counts: dict[str, Any]) -> str:
    """ "2100 photos found, 2066 kept; dropped: 34 smaller than 128 px (a.jpg, ...)" """
    dropped = []
    for reason, number in counts["dropped"].items():
        names = _some(counts["examples"][reason], number)
        dropped.append(f"{number} {reason} ({names})")
    text = f"{counts['read']} photos found, {counts['kept']} kept"
    text += f"; dropped: {', '.join(dropped)}" if dropped else ""
    return text + _locked(counts)


def _locked(counts: dict[str, Any]) -> str:
    if "locked" not in counts:
        return ""
    locked = counts["locked"]
    return f"; folders that may not be read: {_some(locked['examples'], locked['folders'])}"


def photo_lines(counts: dict[str, Any]) -> list[str]:
    """`photo_line`, and one for each reason why photos are unreadable."""
    lines = [photo_line(counts)]
    for reason, found in counts.get("unreadable", {}).items():
        names = _some(found["examples"], found["photos"])
        lines.append(f"  unreadable: {found['photos']} {reason}: {names}")
    return lines


def _some(names: list[str], number: int) -> str:
    """The first few names of so many."""
    shown = names[:NAMES_SHOWN]
    return ", ".join(shown + (["..."] if number > len(shown) else []))


def megabytes(size: float) -> str:
    """A number of bytes as text: "12.3 MB", "4.56 GB"."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
