"""The sections of the report on one dataset: each a function from what is known to HTML.

What dataset.json does not tell is left out; it may come from an older build, or be absent.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lorbms_tf.data.quadrants import NAMES, PLACES
from lorbms_tf.pages import formats, html
from lorbms_tf.pages.charts import svg_text
from tfrecords_tools import distance_tables
from tfrecords_tools.record_checks import Checked
from tfrecords_tools.report import charts

_BINS = 40
_SHOWN_FAILURES = 50
_SHOWN_PAIRS = 12


def part(dataset: Any, *keys: str) -> Any:
    """dataset[key][key]..., or None where something is missing or no object."""
    for key in keys:
        if not isinstance(dataset, Mapping) or key not in dataset:
            return None
        dataset = dataset[key]
    return dataset


def faults(failures: list[str]) -> str:
    """The faults that the checks have found, the first of them in full."""
    rows = [[text] for text in failures[:_SHOWN_FAILURES]]
    more = len(failures) - len(rows)
    rest = html.paragraph(f"... and {formats.count(more)} more", "soft") if more else ""
    note = f"{formats.count(len(failures))} faults. Neighbour sheets and scores are left out."
    return html.section("Faults", note, html.table([], rows), rest)


def _why(photos: Mapping[str, Any]) -> list[list[str]]:
    """Rows on why photos are unreadable, and on folders that may not be read."""
    rows = [
        [f"unreadable: {reason}", formats.count(found["photos"]), ", ".join(found["examples"])]
        for reason, found in (photos.get("unreadable") or {}).items()
    ]
    if locked := photos.get("locked"):
        names = ", ".join(locked["examples"])
        rows.append(["folders that may not be read", formats.count(locked["folders"]), names])
    return rows


def stages(dataset: Any, checked: Checked) -> str:
    """Counts from the photos found to the records written, and what was dropped and why."""
    rows: list[tuple[str, float]] = []
    photos = part(dataset, "photos")
    dropped = []
    if isinstance(photos, Mapping):
        skipped = photos.get("skipped_later") or []
        rows = [("photos found", photos.get("read", 0)), ("photos kept", photos.get("kept", 0))]
        examples = photos.get("examples") or {}
        for reason, number in sorted((photos.get("dropped") or {}).items(), key=lambda p: -p[1]):
            names = ", ".join(examples.get(reason, [])) or "–"
            dropped.append([reason, formats.count(number), names])
        dropped += _why(photos)
        if skipped:
            dropped.append(["not readable later", formats.count(len(skipped)), skipped[0]])
    for version, number in sorted(checked.versions.items()):
        rows.append((f"images, version {version}", number))
    rows.append(("different images in the records", len(checked.images)))
    rows.append(("records", checked.num_records))
    if dropped:
        header = ["reason", "photos", "examples"]
        table = html.heading("Photos that were dropped") + html.table(header, dropped, [1])
    else:
        told = (
            "No photo was dropped." if photos else "There is no dataset.json that tells of photos."
        )
        table = html.paragraph(told, "soft")
    note = "From the photos that were found to the records that were written."
    return html.section(
        "Counts by stage", note, svg_text(charts.bars(rows), "Counts by stage"), table
    )


def distances(values: np.ndarray) -> str:
    """Histograms by quadrant, [N, 4, 10], with tau at quantiles of all distances."""
    taus = distance_tables.taus(values)
    low, high = np.quantile(values.astype(np.float64), [0.0, 0.995])
    low = 0.0 if low < 0.35 * high else float(low)  # zero is on the axis where it is not far off
    if high <= low:
        high = low + 1.0
    edges = np.linspace(low, high, _BINS + 1)
    kinds = [charts.shares(values[:, q], edges).max() for q in range(len(NAMES))]
    kinds += [charts.shares(values[:, q, 0], edges).max() for q in range(len(NAMES))]
    marks = [(f"{100 * q:g} %", tau) for q, tau in taus]
    panels = []
    for q, (name, place) in enumerate(zip(NAMES, PLACES, strict=True)):
        title = f"{name}, {place}"
        chart = charts.histogram(values[:, q], values[:, q, 0], edges, marks, 1.05 * max(kinds))
        svg = svg_text(chart, f"Distances of {title}")
        median = formats.short(float(np.median(values[:, q])))
        panels.append(f"<div>{html.heading(f'{title} · median {median}')}{svg}</div>")
    legend = html.legend(
        [
            ("bar", "all ten candidates", False),
            ("accent", "nearest candidate", True),
            ("tau", "tau at this quantile of all distances", True),
        ]
    )
    note = (
        "Squared L2 distance between the features of a reference's quadrant and of its candidates, "
        "in the unit of the feature network. The last bin holds everything beyond the axis."
    )
    return html.section(
        "Distances", note, legend, f'<div class="two">{"".join(panels)}</div>', _table(values)
    )


def _table(values: np.ndarray) -> str:
    header = ["quadrant", *(f"{100 * q:g} %" for q in distance_tables.SHOWN_QUANTILES)]
    rows = [
        [name, *(formats.short(value) for value in shown)]
        for name, shown in distance_tables.quantiles(values)
    ]
    table = html.table(header, rows, range(1, len(header)))
    return html.heading("Quantiles over all ten candidates") + table


def replaced(values: np.ndarray, seed: int) -> str:
    """How many quadrants algorithm 1 replaces for tau at quantiles of the distances [N, 4, 10]."""
    taus, rows = distance_tables.taus(values), []
    for quantile, tau in taus:
        label = f"tau {formats.short(tau)} ({100 * quantile:g} %)"
        rows.append((label, distance_tables.replaced_shares(values, tau, seed)))
    legend = html.legend(
        [
            ("line", "none", False),
            ("one", "one quadrant", False),
            ("two", "two", False),
            ("three", "three quadrants", False),
        ]
    )
    note = (
        "Share of the references of which so many quadrants are replaced, one of ten candidates "
        "drawn for each quadrant. Algorithm 1 always replaces the nearest and always keeps the "
        "farthest of the four, so it is never none and never all."
    )
    chart = svg_text(
        charts.stacked(rows, ["line", "one", "two", "three"]), "Replaced quadrants by tau"
    )
    header = ["tau", "quantile", "none", "one", "two", "three", "mean"]
    table = [
        [
            formats.short(tau),
            f"{100 * quantile:g} %",
            *(formats.percent(share) for share in shares),
            f"{sum(n * share for n, share in enumerate(shares)):.2f}",
        ]
        for (quantile, tau), (_, shares) in zip(taus, rows, strict=True)
    ]
    return html.section(
        "What tau does", note, legend, chart, html.table(header, table, range(len(header)))
    )


def clusters(dataset: Any) -> str:
    """Sizes of the k-means clusters and how many searches left theirs; "" where not known."""
    sizes = part(dataset, "clusters", "sizes")
    if not isinstance(sizes, Mapping):
        return ""
    rows, table = [], []
    left = part(dataset, "clusters", "share_that_left_its_cluster") or {}
    for name in (name for name in NAMES if name in sizes):
        spread = [float(sizes[name].get(key, 0)) for key in ("min", "median", "max")]
        rows.append((name, *spread))
        share = formats.percent(left[name], 2) if name in left else "–"
        table.append([name, *(formats.count(value) for value in spread), share])
    if not rows:
        return ""
    number = part(dataset, "clusters", "num_clusters")
    told = f"{number} clusters for each quadrant: from the smallest to the largest, and the median"
    note = (
        f"{'One cluster for each quadrant' if number == 1 else told}. A search leaves its cluster "
        "where that holds fewer than ten admissible images."
    )
    header = ["quadrant", "smallest", "median", "largest", "searches that left their cluster"]
    chart = ""
    if number != 1:
        chart = svg_text(charts.spans(rows, "images in a cluster"), "Cluster sizes")
    return html.section("Clusters", note, chart, html.table(header, table, range(1, 5)))


def duplicates(dataset: Any, checked: Checked) -> str:
    """What the build found to be copies, and images that are the same to the byte."""
    groups: dict[bytes, list[str]] = {}
    for (photo_id, version), digest in checked.images.items():
        groups.setdefault(digest, []).append(f"{photo_id} ({version})")
    same = [names for names in groups.values() if len(names) > 1]
    rows = []
    for rule, number, examples in _told(part(dataset, "duplicates")):
        rows.append([rule, number, examples])
    examples = "; ".join(" = ".join(names) for names in same[:_SHOWN_PAIRS]) or "–"
    rows.append(["the same JPEG to the byte (found here)", formats.count(len(same)), examples])
    note = "Copies are never candidates of each other."
    return html.section("Duplicates", note, html.table(["rule", "found", "examples"], rows, [1]))


def _told(stored: Any) -> list[list[str]]:
    """Rule, number and examples of dataset.json's "duplicates", however deep they stand."""
    if not isinstance(stored, Mapping):
        return []
    examples = stored.get("examples", {})
    rows = []
    for rule, value in stored.items():
        inner = value if isinstance(value, Mapping) else {}
        number = inner.get("groups", inner.get("count", value))
        if rule == "examples" or not isinstance(number, int | float):
            continue
        told = formats.count(number)
        if "groups" in inner and "photos" in inner:
            told = f"{formats.count(inner['photos'])} photos in {told} groups"
        pairs = inner.get("examples") or (
            examples.get(rule) if isinstance(examples, Mapping) else None
        )
        rows.append([rule.replace("_", " "), told, _pairs(pairs)])
    if isinstance(examples, list) and examples:
        rows.append(["examples of all rules", "", _pairs(examples)])
    return rows


def _pairs(pairs: Any) -> str:
    if not isinstance(pairs, list):
        return "–"
    shown = [" = ".join(map(str, p)) if isinstance(p, list) else str(p) for p in pairs]
    return "; ".join(shown[:_SHOWN_PAIRS]) or "–"
