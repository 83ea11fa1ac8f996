"""Vector shapes: outlines as points [N, 2] (x to the right, y down) with the way they are filled.

An object is a list of shapes in its own frame, painted in order; `place` moves it into a scene.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np

from tfrecords_tools.scenes.colors import Color


@dataclass(frozen=True, eq=False)
class Shape:
    """One filled outline.

    points: float [N, 2]. shading: 0 is flat, 0.3 a clear change from lit side to far side.
    fill: "linear" (a slope towards the light) or "radial" (a rounded body, brightest near the
    light). alpha: 0..1. body: part of the object's silhouette (details inside it are not).
    """

    points: np.ndarray
    color: Color
    shading: float = 0.22
    fill: str = "linear"
    alpha: float = 1.0
    body: bool = True


def disc(x, y, rx, ry=None, color=(0, 0, 0), turn=0.0, corners=40, **look) -> Shape:
    """An ellipse with half axes rx, ry (a circle if only rx), turned by `turn` degrees."""
    ellipse = _circle(corners) * (rx, rx if ry is None else ry)
    if turn:
        ellipse = ellipse @ rotation(turn).T
    look.setdefault("fill", "radial")
    return Shape(ellipse + (x, y), color, **look)


@functools.cache
def _circle(corners: int) -> np.ndarray:
    angle = np.linspace(0.0, 2.0 * np.pi, corners, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def dot(x, y, rx, ry=None, color=(0, 0, 0), **look) -> Shape:
    """A small flat ellipse inside the object: an eye, a hub, a spot."""
    look = {"shading": 0.0, "body": False, "corners": 20, "fill": "linear", **look}
    return disc(x, y, rx, ry, color, **look)


def polygon(points, color, **look) -> Shape:
    """Straight edges through the points."""
    return Shape(np.asarray(points, float), color, **look)


def blob(points, color, steps=6, **look) -> Shape:
    """A closed smooth curve through the points (Catmull-Rom)."""
    return Shape(closed_curve(points, steps), color, **look)


def block(x0, y0, x1, y1, color, radius=0.0, **look) -> Shape:
    """An upright rectangle with rounded corners."""
    if not radius:
        return polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], color, **look)
    centers = [(x1, y0, -90), (x1, y1, 0), (x0, y1, 90), (x0, y0, 180)]
    points = []
    for x, y, start in centers:
        angle = np.radians(start + np.linspace(0.0, 90.0, 6))
        inner_x = x - radius if x == x1 else x + radius
        inner_y = y - radius if y == y1 else y + radius
        points += zip(
            inner_x + radius * np.cos(angle), inner_y + radius * np.sin(angle), strict=True
        )
    return polygon(points, color, **look)


def stroke(points, width, color, end_width=None, smooth=True, **look) -> Shape:
    """A line of the given width along the points, with round ends; it may taper to `end_width`."""
    line = open_curve(points) if smooth and len(points) > 2 else np.asarray(points, float)
    half = np.linspace(width, width if end_width is None else end_width, len(line))[:, None] / 2.0
    step = line[1:] - line[:-1]
    along = np.concatenate([step[:1], step[1:] + step[:-1], step[-1:]])
    along /= np.sqrt((along * along).sum(axis=1, keepdims=True))
    across = along[:, ::-1] * (-1.0, 1.0)
    cap_end = line[-1] + half[-1] * (_CAP[:, :1] * across[-1] + _CAP[:, 1:] * along[-1])
    cap_start = line[0] - half[0] * (_CAP[:, :1] * across[0] + _CAP[:, 1:] * along[0])
    outline = [line + half * across, cap_end, (line - half * across)[::-1], cap_start]
    return Shape(np.concatenate(outline), color, **look)


# inner points of a half circle: (across, along) the line at its end
_CAP = _circle(12)[1:6]


def closed_curve(points, steps=6) -> np.ndarray:
    """Catmull-Rom curve through a ring of points: [N, 2] -> [N * steps, 2]."""
    p = np.asarray(points, float)
    return _catmull_rom(np.roll(p, 1, 0), p, np.roll(p, -1, 0), np.roll(p, -2, 0), steps)


def open_curve(points, steps=6) -> np.ndarray:
    """Catmull-Rom curve from the first to the last point: [N, 2] -> [(N - 1) * steps + 1, 2]."""
    p = np.asarray(points, float)
    before = np.concatenate([p[:1], p[:-2]])
    after = np.concatenate([p[2:], p[-1:]])
    curve = _catmull_rom(before, p[:-1], p[1:], after, steps)
    return np.concatenate([curve, p[-1:]])


def _catmull_rom(p0, p1, p2, p3, steps):
    t = (np.arange(steps) / steps)[None, :, None]
    p0, p1, p2, p3 = (p[:, None, :] for p in (p0, p1, p2, p3))
    curve = 0.5 * (
        2.0 * p1
        + (p2 - p0) * t
        + (2.0 * p0 - 5.0 * p1 + 4.0 * p2 - p3) * t**2
        + (3.0 * p1 - p0 - 3.0 * p2 + p3) * t**3
    )
    return curve.reshape(-1, 2)


def rotation(degrees: float) -> np.ndarray:
    """The [2, 2] matrix that turns (x, y-down) points clockwise, as seen, by `degrees`."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


def extent(shapes) -> tuple[float, float, float, float]:
    """The box (x0, y0, x1, y1) around the silhouette."""
    points = np.concatenate([shape.points for shape in shapes if shape.body])
    return (*points.min(axis=0), *points.max(axis=0))


def turn(shapes, degrees: float, mirrored: bool) -> list[Shape]:
    """Mirrors left and right (if asked), then turns about the origin."""
    matrix = rotation(degrees) @ np.diag([-1.0 if mirrored else 1.0, 1.0])
    return [replace(shape, points=shape.points @ matrix.T) for shape in shapes]


def place(shapes, box) -> list[Shape]:
    """Scales evenly and moves the shapes so that their extent's width and centre are the box's."""
    x0, y0, x1, y1 = extent(shapes)
    scale = (box[2] - box[0]) / (x1 - x0)
    middle = np.array([x0 + x1, y0 + y1]) / 2.0
    target = np.array([box[0] + box[2], box[1] + box[3]]) / 2.0
    return [replace(s, points=(s.points - middle) * scale + target) for s in shapes]
