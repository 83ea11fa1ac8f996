"""The shortest path between codes in what a metric sees, by progressive subdivision (seed 002).

It begins with the two ends and the point in the middle; when that has found its place, a point is
put in the middle of each segment, and so on. All pairs and points move together: one pass of the
decoder a step.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from lorbms_tf.latent.slerp import check_not_antipodal, line, slerp, unit_norm
from lorbms_tf.paths.energy import PathMetric


class NotFinite(ValueError):
    """The metric is not a number on some path."""


class Search(NamedTuple):
    """How a path is looked for.

    segments: at the end, a power of two.
    steps: of Adam after each subdivision, at most.
    rate: of Adam in the first step, as a share of the distance of the ends in the code; it falls to
      a hundredth on a half cosine.
    tolerance: a level ends where the energies have fallen by less than this share in ten steps; 0:
      it never does.
    sphere: codes have length one; points lie on the great circle at first, and stay on the sphere.
    """

    segments: int = 32
    steps: int = 60
    rate: float = 0.05
    tolerance: float = 1e-3
    sphere: bool = False


class Paths(NamedTuple):
    """What was found.

    codes: float32 [P, segments + 1, D]; fewer segments where the search was stopped.
    energies: [P] after each level, by its number of segments.
    whole: False where it was stopped before the last level.
    """

    codes: np.ndarray
    energies: dict[int, np.ndarray]
    whole: bool


_LOOKED_BACK = 10  # steps


def shortest(
    decode: Callable[[Any], Any],
    metric: PathMetric,
    starts: np.ndarray,
    ends: np.ndarray,
    search: Search,
    free: np.ndarray | None = None,
    told: Callable[[int, int], None] = lambda segments, step: None,
) -> Paths:
    """The shortest paths between pairs of codes. Ctrl-C ends the search with the best so far.

    Args:
      decode: codes [M, D] -> pictures [M, H, W, C], with gradients.
      metric: what is made short.
      starts: codes [P, D].
      ends: codes [P, D].
      search: see `Search`.
      free: bool [D], which numbers of a code may move; None: all. The others must be equal at both
        ends, and stay.
      told: called before each step with the segments of the level and the step's number.

    Raises:
      AntipodalCodes: two ends lie opposite each other on the sphere.
      NotFinite: the metric is not a number on a path.
      ValueError: `segments` is no power of two.
    """
    if search.segments < 2 or search.segments & (search.segments - 1):
        raise ValueError(f"segments must be a power of two from 2 on, not {search.segments}")
    if search.sphere:
        check_not_antipodal(starts, ends)
    codes = np.stack([starts, ends], axis=1).astype(keras.config.floatx())
    slope = _slope(decode, metric, codes.dtype)
    energies = {}
    while codes.shape[1] - 1 < search.segments:
        codes = subdivided(codes, search.sphere)
        segments = codes.shape[1] - 1
        try:
            codes, energies[segments] = _level(slope, codes, search, free, told)
        except _StoppedAt as stop:
            return Paths(stop.codes, energies, whole=False)
    return Paths(codes, energies, whole=True)


class _StoppedAt(Exception):
    def __init__(self, codes: np.ndarray):
        super().__init__()
        self.codes = codes


def subdivided(codes: np.ndarray, sphere: bool) -> np.ndarray:
    """Codes [P, K, D] with a point in the middle of each segment: [P, 2 K - 1, D]."""
    middle = slerp if sphere else line
    between = np.asarray(middle(codes[:, :-1], codes[:, 1:], 0.5))
    made = np.empty((codes.shape[0], 2 * codes.shape[1] - 1, codes.shape[2]), codes.dtype)
    made[:, ::2], made[:, 1::2] = codes, between
    return made


def _slope(decode: Callable, metric: PathMetric, dtype: np.dtype) -> Callable:
    """(codes [P, K, D]) -> energies [P], and their gradient [P, K, D]; traced once."""

    def both(codes):
        shape = tf.shape(codes)
        with tf.GradientTape() as tape:
            tape.watch(codes)
            pictures = decode(tf.reshape(codes, (-1, codes.shape[-1])))
            pictures = tf.reshape(pictures, tf.concat([shape[:2], tf.shape(pictures)[1:]], 0))
            energies = metric.energies(pictures)
        return energies, tape.gradient(energies, codes)

    graph = tf.function(both)  # one a level: how many pictures there are is known inside
    return lambda codes: tuple(map(np.asarray, graph(tf.constant(codes, dtype))))


def _level(
    slope: Callable, codes: np.ndarray, search: Search, free: np.ndarray | None, told: Callable
) -> tuple:
    """Moves the inner points; the best codes and their energies.

    Adam by Kingma and Ba, on arrays: the points are no variables of a model.
    """
    span = np.linalg.norm(codes[:, -1] - codes[:, 0], axis=-1)[:, None, None]
    # Each level has half as far to go as the one before.
    scale = span / math.sqrt(codes.shape[2]) * 2 / (codes.shape[1] - 1)
    first, second = np.zeros_like(codes), np.zeros_like(codes)
    best, least = codes.copy(), np.full(len(codes), np.inf)
    history = []
    for step in range(search.steps + 1):
        told(codes.shape[1] - 1, step)
        try:
            energies, gradient = slope(codes)
        except KeyboardInterrupt:
            raise _StoppedAt(best) from None
        if not np.isfinite(energies).all() or not np.isfinite(gradient).all():
            raise NotFinite(f"the metric is not a number on path {_first_bad(energies, gradient)}")
        better = energies < least
        best[better], least[better] = codes[better], energies[better]
        history.append(least.sum())
        if step == search.steps or _is_still(history, search.tolerance):
            break
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        corrected = first / (1 - 0.9 ** (step + 1))
        deviation = np.sqrt(second / (1 - 0.999 ** (step + 1)))
        fall = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / search.steps))
        move = search.rate * fall * scale * corrected / np.maximum(deviation, 1e-30)
        move = move if free is None else move * free
        codes = _moved(codes, move, search.sphere)
    return best, least


def _is_still(history: list[float], tolerance: float) -> bool:
    """Whether the least energies of the last steps hardly fall any more; never at tolerance 0."""
    if not tolerance or len(history) <= _LOOKED_BACK:
        return False
    past = history[-1 - _LOOKED_BACK]
    return past - history[-1] <= tolerance * past


def _moved(codes: np.ndarray, move: np.ndarray, sphere: bool) -> np.ndarray:
    """Codes after a step; the ends stay, and on a sphere the others stay on it."""
    made = codes.copy()
    made[:, 1:-1] -= move[:, 1:-1]
    if sphere:
        made[:, 1:-1] = np.asarray(unit_norm(made[:, 1:-1]))
    return made


def _first_bad(energies: np.ndarray, gradient: np.ndarray) -> int:
    finite = np.isfinite(energies) & np.isfinite(gradient).all(axis=(1, 2))
    return int(np.argmin(finite))
