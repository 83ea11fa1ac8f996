"""The report on records as one HTML file that loads nothing: pictures and charts are inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lorbms_tf.data.records import Record
from lorbms_tf.files import atomic_path
from lorbms_tf.pages import formats, html
from tfrecords_tools.record_checks import Checked
from tfrecords_tools.report import score_section, sections, sheets
from tfrecords_tools.scoring.scorecard import Scorecard

_FAR_QUANTILE = 0.95


@dataclass
class Described:
    """What is known of one dataset: the folder of its shards and what was found in it.

    dataset: the content of dataset.json, {} where there is none.
    random, worst: records for the sheets. card: None where it was not scored.
    """

    folder: str
    checked: Checked
    dataset: Any = field(default_factory=dict)
    random: Sequence[Record] = ()
    worst: Sequence[Record] = ()
    card: Scorecard | None = None


def write(path: str | Path, described: Sequence[Described], seed: int = 0) -> None:
    """Writes the report on some datasets. Raises UserError where the file cannot be written."""
    bodies = [_dataset(one, seed) for one in described]
    names = ", ".join(Path(one.folder).name for one in described)
    footer = "<footer>Written by tfrecords_tools.inspect; this page loads nothing.</footer>"
    with atomic_path(path) as temporary:
        temporary.write_text(html.page(f"Records {names}", "".join(bodies) + footer), "utf-8")


def _dataset(one: Described, seed: int) -> str:
    checked = one.checked
    values = np.stack(checked.distances) if checked.distances else np.empty((0, 4, 10), np.float32)
    usable = len(values) and np.isfinite(values).all()
    parts = [_head(one, values)]
    if checked.failures:
        parts.append(sections.faults(checked.failures))
    parts.append(sections.stages(one.dataset, checked))
    if usable:
        parts += [sections.distances(values), sections.replaced(values, seed)]
    if one.card:
        parts.append(score_section.scores(one.card))
    far = float(np.quantile(values[:, :, 0], _FAR_QUANTILE)) if usable else np.inf
    parts += _sheets(one, far)
    parts += [sections.clusters(one.dataset), sections.duplicates(one.dataset, checked)]
    parts.append(_provenance(one))
    return "".join(parts)


def _head(one: Described, values: np.ndarray) -> str:
    checked = one.checked
    sizes = ", ".join(f"{size} px" for size in sorted(checked.image_sizes)) or "–"
    good = not checked.failures
    word = "all checks passed" if good else f"{formats.count(len(checked.failures))} faults"
    network = sections.part(one.dataset, "features", "network")
    taken = f"compared by {network}" if network else "no dataset.json beside the shards"
    line = f'<p class="soft">{html.escape(str(one.folder))} · {html.escape(taken)} </p>'
    badge = f'<span class="badge {"good" if good else "bad"}">{html.escape(word)}</span>'
    bytes_in_all = sum(Path(path).stat().st_size for path in checked.records_per_shard)
    photos = len({photo_id for photo_id, _ in checked.images})
    tiles = [
        (formats.count(checked.num_records), "records"),
        (formats.count(photos), "photos in them"),
        (sizes, "side of the images"),
        (formats.count(len(checked.records_per_shard)), "shards"),
        (formats.size(bytes_in_all), "in all"),
    ]
    if len(values) and np.isfinite(values).all():
        tiles.append((formats.short(float(np.median(values))), "median squared distance"))
    title = f"<h1>Dataset {html.escape(Path(one.folder).resolve().name)}</h1>"
    return f"<header>{title}{line}<p>{badge}</p>{html.tiles(tiles)}</header>"


def _sheets(one: Described, far: float) -> list[str]:
    marked = (
        f"Distances in colour lie above {formats.short(far)}, the 95 % quantile of the nearest."
    )
    kinds = [
        (
            "Neighbours of random references",
            "Each row shows a quadrant of the reference (framed) and the same quadrant of its ten "
            "candidates, nearest first, with the squared distance.",
            one.random,
        ),
        (
            "Neighbours of the worst references",
            "The references whose nearest candidates are farthest, in the mean over the four "
            "quadrants, the worst first; of each photo the worst version.",
            one.worst,
        ),
    ]
    return [
        html.section(title, f"{note} {marked}", sheets.draw(picked, far))
        for title, note, picked in kinds
        if picked
    ]


_SHOWN_ELSEWHERE = ("photos", "clusters", "distance_quantiles", "distance_quantiles_per_quadrant")


def _provenance(one: Described) -> str:
    """Settings and hashes as tables; the keys of dataset.json that have no chart."""
    stored = one.dataset if isinstance(one.dataset, Mapping) else {}
    kept = {
        key: value
        for key, value in stored.items()
        if key not in (*_SHOWN_ELSEWHERE, "shards", "duplicates")
    }
    rows = [[name, text] for name, text in formats.flatten(kept)]
    parts = []
    if rows:
        parts.append(html.table(["setting", "value"], rows))
    else:
        parts.append(html.paragraph("There is no dataset.json beside the shards.", "soft"))
    told = {s.get("file"): s for s in stored.get("shards", []) if isinstance(s, Mapping)}
    shards = []
    for path, number in one.checked.records_per_shard.items():
        digest = str(told.get(Path(path).name, {}).get("sha256", "–"))
        size = formats.size(Path(path).stat().st_size)
        shards.append([Path(path).name, formats.count(number), size, digest])
    table = html.table(["file", "records", "size", "sha256 in dataset.json"], shards, [1, 2])
    return html.section("Settings and provenance", "", *parts, html.heading("Shards"), table)
