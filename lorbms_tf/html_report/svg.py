"""Parts of charts as inline SVG, coloured by the page's style, so that they fit light and dark.

Lengths are in a chart's own units: it is as wide as its place.
"""

from collections.abc import Sequence
from html import escape

WIDTH = 520


def chart(width: float, height: float, label: str, parts: list[str]) -> str:
    """All parts as one picture; label: for those who do not see it."""
    return (
        f'<svg viewBox="0 0 {width} {height:g}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def text(x: float, y: float, words: str, anchor: str = "middle", style: str = "") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} class="{style}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    style: str,
    title: str = "",
    opacity: float | None = None,
) -> str:
    inside = f"<title>{escape(title)}</title>" if title else ""
    faint = "" if opacity is None else f' fill-opacity="{opacity:.3f}"'
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" '
        f'height="{max(height, 0):.1f}" class="{style}"{faint}>{inside}</rect>'
    )


def dot(x: float, y: float, style: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="dot {style}"/>'


def path(points: Sequence[tuple[float, float]], style: str) -> str:
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{corners}" class="{style}"/>'
