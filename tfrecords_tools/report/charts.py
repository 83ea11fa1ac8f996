"""Charts of the report on records; each function returns a matplotlib Figure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lorbms_tf.pages import charts, formats
from lorbms_tf.pages.charts import COLOURS, WIDTH

_THICK = 0.73  # of a row, the rest is the gap to the next
_ROW = 30  # height, in the charts' units
_MARGINS = 13  # above and below all rows
_LABEL = 14  # size of a row's label
_MARK = 0.075  # share of the axis that the label of a mark takes
_MARK_LINE = 0.1  # height of a line of such labels, of the axes' height


@dataclass(frozen=True)
class Line:
    """One curve over ranks: its name, one of COLOURS, values [k], and a level."""

    name: str
    colour: str
    values: Sequence[float]
    level: float  # of random choice, drawn dashed


@charts.themed
def histogram(
    values: np.ndarray,
    nearest: np.ndarray,
    edges: np.ndarray,
    marks: Sequence[tuple[str, float]],
    highest: float,
) -> Figure:
    """Distances of one quadrant.

    Args:
      values: all of them, any shape; bars.
      nearest: those of the nearest candidates; a stepped line.
      edges: [bins + 1] of the bins; what lies beyond is counted in the last.
      marks: vertical lines, label and place.
      highest: share of a bin at the top of the chart (the same for charts to be compared).
    """
    chart, axes = charts.figure(WIDTH, 190)
    least, greatest = float(edges[0]), float(edges[-1])
    axes.set(xlim=(least, greatest), ylim=(0, highest or 1), xlabel="squared distance")
    axes.grid(axis="y")
    charts.ticks(axes.yaxis, 4, _percent)
    charts.ticks(axes.xaxis, 6, formats.tick)
    heights, middles = shares(values, edges), (edges[:-1] + edges[1:]) / 2
    bars = axes.bar(middles, heights, 0.93 * np.diff(edges), color=COLOURS["bar"])
    for bar, start, end, share in zip(bars, edges[:-1], edges[1:], heights, strict=True):
        charts.hover(bar, f"{formats.short(start)} to {formats.short(end)}: {share:.1%}")
    steps = shares(nearest, edges)
    axes.stairs(steps, edges, baseline=None, color=COLOURS["accent"], linewidth=2)
    ends: list[float] = []  # of the labels above the axes, line by line
    for words, place in marks:
        place = min(max(place, least), greatest)
        share = (place - least) / (greatest - least)
        line = next((n for n, end in enumerate(ends) if share >= end), len(ends))
        ends[line : line + 1] = [share + _MARK]
        charts.vertical(axes, words, place, 1 + _MARK_LINE * line)
    return chart


def shares(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Share of the finite values in each bin, those beyond the ends in the outermost.

    Returns [bins], of sum 1, or 0 where there are no values.
    """
    flat = np.asarray(values, np.float64).reshape(-1)
    inside = np.clip(flat[np.isfinite(flat)], edges[0], edges[-1])
    counts = np.histogram(inside, edges)[0]
    return counts / max(1, counts.sum())


@charts.themed
def stacked(rows: Sequence[tuple[str, Sequence[float]]], colours: Sequence[str]) -> Figure:
    """Horizontal bars of shares that sum to 1, each part in the colour of its place."""
    chart, axes = _rows([label for label, _ in rows], _ROW)
    axes.set_xlim(0, 1)
    starts = np.zeros(len(rows))
    for n, colour in enumerate(colours):
        part = np.nan_to_num([values[n] for _, values in rows])
        bars = axes.barh(range(len(rows)), part, _THICK, starts, color=COLOURS[colour])
        words = [formats.percent(share) for share in part]
        for bar, text in zip(bars, words, strict=True):
            charts.hover(bar, text)
        wide = [text if share >= 0.05 else "" for share, text in zip(part, words, strict=True)]
        axes.bar_label(bars, wide, label_type="center", color=COLOURS["inside"], size=13)
        starts += part
    return chart


@charts.themed
def bars(rows: Sequence[tuple[str, float]]) -> Figure:
    """Horizontal bars of counts on one scale, each with its number."""
    chart, axes = _rows([label for label, _ in rows], _ROW)
    counts = np.array([count for _, count in rows], float)
    lengths = np.nan_to_num(counts, posinf=0)
    axes.set_xlim(0, lengths.max(initial=0) or 1)
    drawn = axes.barh(range(len(rows)), lengths, _THICK, color=COLOURS["bar"])
    axes.bar_label(drawn, [formats.count(count) for count in counts], padding=8, size=_LABEL)
    return chart


@charts.themed
def spans(rows: Sequence[tuple[str, float, float, float]], unit: str) -> Figure:
    """From the least to the greatest with the median between, one line for each row."""
    chart, axes = _rows([row[0] for row in rows], 34, below=31)
    least, median, most = np.array([row[1:] for row in rows], float).reshape(-1, 3).T
    places = np.arange(len(rows))
    axes.set_xlim(0, np.nanmax(most, initial=0) or 1)
    axes.xaxis.set_visible(True)
    axes.set_xlabel(unit)
    axes.grid(axis="x")
    charts.ticks(axes.xaxis, 8, formats.count, whole=True)
    # The edge shows a span of nothing, too.
    colour = COLOURS["bar"]
    axes.barh(places, most - least, 0.35, least, color=colour, edgecolor=colour, linewidth=2)
    axes.vlines(median, places - 0.3, places + 0.3, COLOURS["ink"], linewidth=3)
    return chart


def _rows(labels: Sequence[str], height: float, below: float = 0) -> tuple[Figure, Axes]:
    """A chart as wide as the page, of a row for each label, the first at the top."""
    chart, axes = charts.figure(2 * WIDTH, height * max(1, len(labels)) + below + _MARGINS)
    axes.set_ylim(max(1, len(labels)) - 0.5, -0.5)
    axes.set_yticks(range(len(labels)), labels, size=_LABEL, color=COLOURS["ink"])
    axes.xaxis.set_visible(False)
    axes.spines.bottom.set_visible(False)
    return chart, axes


@charts.themed
def ranks(lines: Sequence[Line], as_percent: bool) -> Figure:
    """Scores by rank of the candidate, each with the level of random choice dashed.

    Values that are not finite are left out.
    """
    chart, axes = charts.figure(WIDTH, 230)
    numbers = [v for line in lines for v in (*line.values, line.level) if np.isfinite(v)]
    count = max([1, *(len(line.values) for line in lines)])
    axes.set(xlim=(0.5, count + 0.5), ylim=(0, 1.08 * max(numbers, default=1.0) or 1.0))
    axes.set_xlabel("candidate, nearest first")
    axes.grid(axis="y")
    charts.ticks(axes.yaxis, 5, _percent if as_percent else formats.tick)
    axes.set_xticks(range(1, count + 1))
    for line in lines:
        shown = [(rank, v) for rank, v in enumerate(line.values, start=1) if np.isfinite(v)]
        colour = COLOURS[line.colour]
        axes.plot([rank for rank, _ in shown], [v for _, v in shown], color=colour, marker="o")
        if np.isfinite(line.level):
            axes.axhline(line.level, color=colour, linestyle=(0, (6, 4)), linewidth=1.5)
    return chart


@charts.themed
def by_clusters(counts: Sequence[int], lines: Sequence[Line]) -> Figure:
    """Shares by the number of clusters, on a logarithmic axis; random choice dashed."""
    chart, axes = charts.figure(WIDTH, 230)
    axes.set(ylim=(0, 1.04), xlabel="clusters", xscale="log")
    axes.grid(axis="y")
    charts.ticks(axes.yaxis, 5, _percent)
    axes.set_xticks(counts, [formats.count(count) for count in counts])
    axes.minorticks_off()
    for line in lines:
        colour = COLOURS[line.colour]
        axes.plot(counts, line.values, color=colour, marker="o")
        if np.isfinite(line.level):
            axes.axhline(line.level, color=colour, linestyle=(0, (6, 4)), linewidth=1.5)
    return chart


def _percent(share: float) -> str:
    return f"{100 * share:g} %"
