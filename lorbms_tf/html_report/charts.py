"""Charts of the report on a run; each function returns one `<svg>`."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lorbms_tf.html_report import formats, svg
from lorbms_tf.html_report.svg import WIDTH

_MOST_POINTS = 240
_PEAK = 2.5  # a range this many times that of 98 % of the points is cut
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 16, 40  # room for the axes


class Curve(NamedTuple):
    """Values over steps: its name, a CSS class that colours it, and n points."""

    name: str
    style: str
    steps: np.ndarray
    values: np.ndarray


def curves(
    lines: Sequence[Curve], title: str, last_step: int, mark: tuple[str, int] | None = None
) -> str:
    """Curves over training steps from 0 to `last_step`; long ones as means of neighbours.

    mark: words and the step of a vertical line. Peaks far beyond all else are cut at the top.
    """
    height = 210
    lines = [
        line._replace(**dict(zip(("steps", "values"), thinned(line), strict=True)))
        for line in lines
    ]
    low, high = _range(np.concatenate([line.values for line in lines]))

    def x(step: float) -> float:
        return _LEFT + step / max(1, last_step) * (WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return _TOP + (1 - share) * (height - _TOP - _BOTTOM)

    parts = []
    for tick in formats.ticks(low, high, 4):
        parts.append(svg.line(_LEFT, y(tick), WIDTH - _RIGHT, y(tick), "grid"))
        parts.append(svg.text(_LEFT - 6, y(tick) + 3.5, formats.tick(tick), "end", "tick"))
    for tick in formats.ticks(0, last_step, 5):
        parts.append(svg.text(x(tick), height - _BOTTOM + 15, formats.count(tick), style="tick"))
    if mark:
        parts.append(svg.line(x(mark[1]), _TOP - 4, x(mark[1]), height - _BOTTOM, "tau"))
        parts.append(svg.text(x(mark[1]), _TOP - 6, mark[0], style="mark"))
    parts.append(svg.line(_LEFT, height - _BOTTOM, WIDTH - _RIGHT, height - _BOTTOM, "axis"))
    parts.append(svg.text((_LEFT + WIDTH) / 2, height - 8, "step", style="unit"))
    for line in lines:
        points = [(x(s), y(v)) for s, v in zip(line.steps, line.values, strict=True)]
        parts.append(svg.path(points, f"curve {line.style}"))
        if len(points) <= 12:
            parts += [svg.dot(px, py, line.style) for px, py in points]
    return svg.chart(WIDTH, height, title, parts)


def thinned(line: Curve, most: int = _MOST_POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of a curve of at most `most` points: means of as many neighbours each."""
    if len(line.steps) <= most:
        return line.steps, line.values
    groups = np.array_split(np.arange(len(line.steps)), most)
    return tuple(np.array([x[group].mean() for group in groups]) for x in line[2:])


def _range(values: np.ndarray) -> tuple[float, float]:
    """What the axis shows: zero where it is not far off, and no lonely peaks."""
    low, high = float(values.min()), float(values.max())
    usual = float(np.quantile(values, 0.98))
    if high - low > _PEAK * (usual - low) > 0:
        high = low + 1.2 * (usual - low)
    if 0 <= low < 0.5 * high:
        low = 0.0
    if high <= low:
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    return low, high + 0.04 * (high - low)


def matrix(values: np.ndarray, rows: Sequence[str], columns: Sequence[str], title: str) -> str:
    """A matrix as cells, the darker the nearer to 1 (or beyond), each with its number."""
    cell, left, top = 84, 104, 26
    parts = []
    for j, name in enumerate(columns):
        parts.append(svg.text(left + (j + 0.5) * cell, top - 9, name, style="tick"))
    for i, name in enumerate(rows):
        y = top + i * cell
        parts.append(svg.text(left - 10, y + cell / 2 + 4, name, "end", "tick"))
        for j, value in enumerate(values[i]):
            x, share = left + j * cell, float(np.clip(np.nan_to_num(value), 0, 1))
            parts.append(svg.box(x + 1, y + 1, cell - 2, cell - 2, "heat", opacity=0.85 * share))
            number = f"{value:.3f}" if np.isfinite(value) else "–"
            parts.append(svg.text(x + cell / 2, y + cell / 2 + 5, number, style="label"))
    return svg.chart(left + len(columns) * cell + 12, top + len(rows) * cell + 8, title, parts)
