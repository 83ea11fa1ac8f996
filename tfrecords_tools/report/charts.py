"""Charts of the report on records; each function returns one `<svg>`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lorbms_tf.html_report import formats, svg
from lorbms_tf.html_report.svg import WIDTH

_LEFT, _RIGHT = 46, 12  # room for the axis


@dataclass(frozen=True)
class Line:
    """One curve over ranks: its name, a CSS class that colours it, values [k], and a level."""

    name: str
    style: str
    values: Sequence[float]
    level: float  # of random choice, drawn dashed


def histogram(
    values: np.ndarray,
    nearest: np.ndarray,
    edges: np.ndarray,
    marks: Sequence[tuple[str, float]],
    highest: float,
    title: str,
) -> str:
    """Distances of one quadrant.

    Args:
      values: all of them, any shape; bars.
      nearest: those of the nearest candidates; a stepped line.
      edges: [bins + 1] of the bins; what lies beyond is counted in the last.
      marks: vertical lines, label and place.
      highest: share of a bin at the top of the chart (the same for charts to be compared).
      title: for those who do not see it.
    """
    height, top, bottom = 190, 26, 40
    least, greatest = float(edges[0]), float(edges[-1])

    def x(value: float) -> float:
        place = (min(max(value, least), greatest) - least) / (greatest - least)
        return _LEFT + place * (WIDTH - _LEFT - _RIGHT)

    def y(share: float) -> float:
        return top + (1 - share / highest) * (height - top - bottom)

    parts = []
    for share in formats.ticks(0, highest, 4):
        parts.append(svg.line(_LEFT, y(share), WIDTH - _RIGHT, y(share), "grid"))
        parts.append(svg.text(_LEFT - 6, y(share) + 3.5, f"{100 * share:g} %", "end", "tick"))
    for n, share in enumerate(shares(values, edges)):
        left, right = x(edges[n]), x(edges[n + 1])
        note = f"{formats.short(edges[n])} to {formats.short(edges[n + 1])}: {share:.1%}"
        parts.append(
            svg.box(left + 0.4, y(share), right - left - 0.8, y(0) - y(share), "bar", note)
        )
    steps = []
    for n, share in enumerate(shares(nearest, edges)):
        steps += [(x(edges[n]), y(share)), (x(edges[n + 1]), y(share))]
    parts.append(svg.path(steps, "nearest"))
    free = -1e9  # labels of marks that lie close to each other move down a line
    for label, place in marks:
        low = x(place) - free < 32
        free = x(place) if not low else free
        parts.append(svg.line(x(place), top - (2 if low else 12), x(place), y(0), "tau"))
        parts.append(svg.text(x(place), top - (4 if low else 14), label, "middle", "mark"))
    parts.append(svg.line(_LEFT, y(0), WIDTH - _RIGHT, y(0), "axis"))
    for tick in formats.ticks(least, greatest, 6):
        parts.append(svg.text(x(tick), y(0) + 14, formats.tick(tick), "middle", "tick"))
    parts.append(svg.text((_LEFT + WIDTH) / 2, height - 8, "squared distance", "middle", "unit"))
    return svg.chart(WIDTH, height, title, parts)


def shares(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Share of the values in each bin, those beyond the ends in the outermost: [bins], sum 1."""
    inside = np.clip(np.asarray(values, np.float64).reshape(-1), edges[0], edges[-1])
    counts = np.histogram(inside, edges)[0]
    return counts / max(1, counts.sum())


def stacked(rows: Sequence[tuple[str, Sequence[float]]], styles: Sequence[str], title: str) -> str:
    """Horizontal bars of shares that sum to 1, each part in the style of its place."""
    width, line, left = 2 * WIDTH, 30, 200
    parts = []
    for n, (label, values) in enumerate(rows):
        start, y = float(left), n * line + 4
        parts.append(svg.text(left - 10, y + 15, label, "end", "label"))
        for style, share in zip(styles, values, strict=True):
            length = share * (width - left - _RIGHT)
            parts.append(svg.box(start, y, length, 22, style, formats.percent(share)))
            if share >= 0.05:
                text = formats.percent(share)
                parts.append(svg.text(start + length / 2, y + 15, text, "middle", "inside"))
            start += length
    return svg.chart(width, len(rows) * line + 4, title, parts)


def bars(rows: Sequence[tuple[str, float]], title: str) -> str:
    """Horizontal bars of counts on one scale, each with its number."""
    width, line, left = 2 * WIDTH, 30, 330
    greatest = max((value for _, value in rows), default=0) or 1
    parts = []
    for n, (label, value) in enumerate(rows):
        y = n * line + 4
        length = value / greatest * (width - left - 110)
        parts.append(svg.text(left - 10, y + 15, label, "end", "label"))
        parts.append(svg.box(left, y, max(length, 1), 22, "bar"))
        parts.append(svg.text(left + length + 8, y + 15, formats.count(value), "start", "label"))
    return svg.chart(width, len(rows) * line + 4, title, parts)


def spans(rows: Sequence[tuple[str, float, float, float]], unit: str, title: str) -> str:
    """From the least to the greatest with the median between, one line for each row."""
    width, line, left, bottom = 2 * WIDTH, 34, 60, 44
    greatest = max(row[3] for row in rows) or 1
    base = len(rows) * line

    def x(value: float) -> float:
        return left + value / greatest * (width - left - 60)

    parts = []
    for tick in formats.ticks(0, greatest, 8):
        parts.append(svg.line(x(tick), 0, x(tick), base, "grid"))
        parts.append(svg.text(x(tick), base + 16, formats.count(tick), "middle", "tick"))
    parts.append(svg.text((left + width) / 2, base + 36, unit, "middle", "unit"))
    for n, (label, least, median, most) in enumerate(rows):
        y = n * line + line / 2
        parts.append(svg.text(left - 12, y + 4, label, "end", "label"))
        parts.append(svg.box(x(least), y - 6, max(2, x(most) - x(least)), 12, "bar"))
        parts.append(svg.line(x(median), y - 10, x(median), y + 10, "median"))
    return svg.chart(width, base + bottom, title, parts)


def ranks(lines: Sequence[Line], title: str, as_percent: bool) -> str:
    """Scores by rank of the candidate, each with the level of random choice dashed."""
    height, top, bottom = 230, 12, 44
    numbers = [v for line in lines for v in (*line.values, line.level) if np.isfinite(v)]
    count = max(len(line.values) for line in lines)
    greatest = 1.08 * max(numbers, default=1.0) or 1.0

    def x(rank: float) -> float:
        return _LEFT + (rank + 0.5) / count * (WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return top + (1 - value / greatest) * (height - top - bottom)

    parts = []
    for tick in formats.ticks(0, greatest, 5):
        text = f"{100 * tick:g} %" if as_percent else formats.tick(tick)
        parts.append(svg.line(_LEFT, y(tick), WIDTH - _RIGHT, y(tick), "grid"))
        parts.append(svg.text(_LEFT - 6, y(tick) + 3.5, text, "end", "tick"))
    for rank in range(count):
        parts.append(svg.text(x(rank), height - bottom + 16, str(rank + 1), "middle", "tick"))
    middle = (_LEFT + WIDTH) / 2
    parts.append(svg.text(middle, height - 8, "candidate, nearest first", "middle", "unit"))
    parts.append(svg.line(_LEFT, y(0), WIDTH - _RIGHT, y(0), "axis"))
    for line in lines:
        points = [(x(n), y(value)) for n, value in enumerate(line.values) if np.isfinite(value)]
        parts.append(svg.path(points, f"curve {line.style}"))
        parts += [svg.dot(px, py, line.style) for px, py in points]
        if np.isfinite(line.level):
            level = y(line.level)
            parts.append(svg.line(_LEFT, level, WIDTH - _RIGHT, level, f"random {line.style}"))
    return svg.chart(WIDTH, height, title, parts)
