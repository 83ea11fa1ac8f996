"""Draws one character as a hand would: wobble, slant and width differ from drawing to drawing."""

import itertools

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tfrecords_tools.characters.strokes import Stroke, strokes

_SUPERSAMPLING = 4  # pixels of the drawing in one of the image, along each side
_BOX = 20 / 28  # MNIST fits a character into this share of the image
_STEPS = 14  # points of a path between two points of a stroke


def draw(ways: tuple[str, ...], size: int, rng: np.random.Generator) -> np.ndarray:
    """A character in white on black, uint8 [size, size].

    Args:
      ways: to write it, see `strokes`; one is drawn by lot.
      size: pixels a side. As in MNIST the longer side of the character takes about 20 / 28 of it,
        and its center of mass lies near the center.
      rng: all that differs between drawings.
    """
    paths = _paths(strokes(ways[rng.integers(len(ways))]), rng)
    width = size / 28 * rng.triangular(1.1, 1.9, 3.3)
    paths = _placed(_written(paths, rng), width, size, rng)
    return _inked(paths, width, size, rng)


def _paths(parts: list[Stroke], rng: np.random.Generator) -> list[np.ndarray]:
    """The pen's ways [m, 2] over wobbling points."""
    wobble = rng.uniform(0.01, 0.045)
    paths = []
    for points, corners in parts:
        points = points + rng.normal(0, wobble, points.shape)
        points = _other_ends(points, rng)
        path = curve(points, corners)
        paths.append(_rounded(path, rng.uniform(0, 0.09)))
    return paths


def _other_ends(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The first and the last point drawn out, or cut short, along the stroke."""
    points = points.copy()
    for end, before in ((0, 1), (-1, -2)):
        along = points[end] - points[before]
        length = np.hypot(*along)
        if length > 0:
            most = 0.4 * length
            points[end] += along / length * np.clip(rng.normal(0, 0.05), -most, most)
    return points


def curve(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """A curve [m, 2] through points [n, 2], broken at corners: Catmull-Rom splines."""
    breaks = [0, *(np.flatnonzero(corners[1:-1]) + 1), len(points) - 1]
    pieces = [_spline(points[a : b + 1]) for a, b in itertools.pairwise(breaks)]
    return np.concatenate([*(piece[:-1] for piece in pieces), points[-1:]])


def _spline(points: np.ndarray) -> np.ndarray:
    """A centripetal Catmull-Rom spline through points [n, 2], both ends among them."""
    ends = 2 * points[[0, -1]] - points[[1, -2]]
    padded = np.concatenate([ends[:1], points, ends[1:]])
    gaps = np.maximum(np.hypot(*np.diff(padded, axis=0).T), 1e-6) ** 0.5
    knots = np.concatenate([[0], np.cumsum(gaps)])
    pieces = []
    for k in range(1, len(padded) - 2):
        p, t = padded[k - 1 : k + 3], knots[k - 1 : k + 3]
        at = np.linspace(t[1], t[2], _STEPS, endpoint=False)[:, None]
        a = [_line(p[i], p[i + 1], t[i], t[i + 1], at) for i in range(3)]
        b = [_line(a[i], a[i + 1], t[i], t[i + 2], at) for i in range(2)]
        pieces.append(_line(b[0], b[1], t[1], t[2], at))
    return np.concatenate([*pieces, points[-1:]])


def _line(first, second, start, end, at):
    return first + (second - first) * (at - start) / (end - start)


def _rounded(path: np.ndarray, share: float) -> np.ndarray:
    """A path with its corners rounded: each point becomes the mean of a share of the path."""
    reach = int(share * len(path) / 2)
    if reach < 1:
        return path
    # Near the ends fewer are averaged, so that the ends stay.
    sums = np.concatenate([np.zeros((1, 2)), np.cumsum(path, 0)])
    places = np.arange(len(path))
    reaches = np.minimum(reach, np.minimum(places, len(path) - 1 - places))
    first, end = places - reaches, places + reaches + 1
    return (sums[end] - sums[first]) / (end - first)[:, None]


def _written(paths: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """The whole character bent, slanted, turned and stretched."""
    waves = [
        (rng.uniform(0.3, 0.9, 2) * rng.choice((-1, 1), 2), rng.uniform(0, 2 * np.pi), direction)
        for direction in rng.normal(0, 0.027, (3, 2))
    ]
    slant, turn = np.tan(np.radians(rng.normal(6, 12))), np.radians(rng.normal(0, 6))
    cos, sin = np.cos(turn), np.sin(turn)
    stretch = np.diag([np.exp(rng.normal(0.05, 0.22)), 1.0])
    matrix = np.array([[cos, sin], [-sin, cos]]) @ np.array([[1, -slant], [0, 1]]) @ stretch
    weights = np.clip(rng.normal(0, (0.4, 0.35)), -0.9, 0.9)
    written = []
    for path in paths:
        # One half is larger than the other: the loops of an 8, the arms of an F.
        bent = path + weights * path * (1 - path)
        for frequency, phase, direction in waves:
            bent += np.sin(2 * np.pi * path @ frequency + phase)[:, None] * direction
        written.append(bent @ matrix.T)
    return written


def _placed(
    paths: list[np.ndarray], width: float, size: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """In pixels of the image, for a pen of some width."""
    everything = np.concatenate(paths)
    low, high = everything.min(0), everything.max(0)
    scale = (size * _BOX * rng.uniform(0.9, 1.04) - width) / max(high - low)
    center = _center_of_mass(paths)
    shift = size / 2 + rng.normal(0, 0.012 * size, 2)
    placed = [(path - center) * scale + shift for path in paths]
    # Heavy on one side, it may reach over the edge on the other.
    everything, edge = np.concatenate(placed), 0.04 * size + 0.6 * width
    over = np.maximum(edge - everything.min(0), 0) - np.maximum(everything.max(0) - size + edge, 0)
    return [path + over for path in placed]


def _center_of_mass(paths: list[np.ndarray]) -> np.ndarray:
    middles = np.concatenate([(path[1:] + path[:-1]) / 2 for path in paths])
    lengths = np.concatenate([np.hypot(*np.diff(path, axis=0).T) for path in paths])
    return (middles * lengths[:, None]).sum(0) / lengths.sum()


def _inked(
    paths: list[np.ndarray], width: float, size: int, rng: np.random.Generator
) -> np.ndarray:
    """Discs along the paths, whose width swells and thins, made soft and reduced."""
    large = size * _SUPERSAMPLING
    image = Image.new("L", (large, large))
    pen = ImageDraw.Draw(image)
    swelling, fading = rng.uniform(0, 0.22), rng.uniform(0, 0.4)
    for path in paths:
        path = _even(path, width / 5)
        along = np.linspace(0, 1, len(path))
        wave = np.sin(2 * np.pi * (rng.uniform(0.5, 1.5) * along + rng.uniform()))
        radii = width / 2 * (1 + swelling * wave - fading * along**4)
        for (x, y), radius in zip(path * _SUPERSAMPLING, radii * _SUPERSAMPLING, strict=True):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.15, 0.45) * large / 28))
    grey = np.asarray(image.resize((size, size), Image.Resampling.BOX), np.float32)
    return np.clip(np.rint(grey * rng.uniform(1.0, 1.35)), 0, 255).astype(np.uint8)


def _even(path: np.ndarray, gap: float) -> np.ndarray:
    """A path [m, 2] as points at equal distances of about `gap`."""
    lengths = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    at = np.linspace(0, lengths[-1], max(2, int(lengths[-1] / gap) + 1))
    return np.stack([np.interp(at, lengths, path[:, axis]) for axis in range(2)], 1)
