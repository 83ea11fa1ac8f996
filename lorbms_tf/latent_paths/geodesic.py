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

from lorbms_tf.latent.slerp import check_not_antipodal, line, slerp, unit_norm
from lorbms_tf.latent_paths.energy import PathMetric
from lorbms_tf.latent_paths.slope import energies_and_gradient


class NotFinite(ValueError):
    """The metric is not a number on some path."""


class Search(NamedTuple):
    """How a path is looked for.

    segments: at the end, a power of two.
    steps: of Adam at 2 and at 4 segments, at most; half as many after each further subdivision,
      whose points begin near their places, but never less than a sixth.
    rate: of Adam in the first step, as a share of the distance of the ends in the code; it falls to
      a hundredth on a half cosine.
    tolerance: in the second half of a level's steps a path rests from where its energy has fallen
      by less than this share in ten steps; 0: never.
    sphere: codes have length one; points lie on the great circle at first, and stay on the sphere.
    """

    segments: int = 32
    steps: int = 40
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
    slope = energies_and_gradient(decode, metric, codes[:, 0], codes[:, 1])
    energies = {}
    while codes.shape[1] - 1 < search.segments:
        codes = subdivided(codes, search.sphere)
        level = _Level(codes, search, free)
        try:
            _run(slope, level, told)
        except KeyboardInterrupt:
            return Paths(level.best, energies, whole=False)
        codes, energies[codes.shape[1] - 1] = level.best, level.least
    return Paths(codes, energies, whole=True)


def subdivided(codes: np.ndarray, sphere: bool) -> np.ndarray:
    """Codes [P, K, D] with a point in the middle of each segment: [P, 2 K - 1, D]."""
    middle = slerp if sphere else line
    between = np.asarray(middle(codes[:, :-1], codes[:, 1:], 0.5))
    made = np.empty((codes.shape[0], 2 * codes.shape[1] - 1, codes.shape[2]), codes.dtype)
    made[:, ::2], made[:, 1::2] = codes, between
    return made


def steps_of(search: Search, segments: int) -> int:
    """Adam's steps at a level, see `Search`."""
    return max(search.steps * 4 // max(4, segments), -(-search.steps // 6))


class _Level:
    """The points of one level, moved by Adam (Kingma and Ba) on arrays: they are no model's.

    Each path has its own history, so that it does not depend on those beside it.
    """

    def __init__(self, codes: np.ndarray, search: Search, free: np.ndarray | None):
        self.codes, self.search, self.free = codes, search, free
        self.steps = steps_of(search, codes.shape[1] - 1)
        self.best, self.least = codes.copy(), np.full(len(codes), np.inf)
        self._history: list[np.ndarray] = []
        self._first, self._second = np.zeros_like(codes), np.zeros_like(codes)
        span = np.linalg.norm(codes[:, -1] - codes[:, 0], axis=-1)[:, None, None]
        # Each level has half as far to go as the one before.
        self._scale = span / math.sqrt(codes.shape[2]) * 2 / (codes.shape[1] - 1)
        self._moves = np.ones(len(codes), bool)

    def note(self, energies: np.ndarray) -> bool:
        """Remembers the energies of the present points; whether any path still moves."""
        better = (energies < self.least) & self._moves
        self.best[better], self.least[better] = self.codes[better], energies[better]
        self._history.append(self.least.copy())
        step = len(self._history) - 1
        if self.search.tolerance and step >= max(_LOOKED_BACK, self.steps / 2):
            past = self._history[-1 - _LOOKED_BACK]
            self._moves &= past - self.least > self.search.tolerance * past
        return bool(self._moves.any()) and step < self.steps

    def move(self, gradient: np.ndarray) -> None:
        """One step of Adam for the paths that still move; the ends stay."""
        step = len(self._history)
        self._first = 0.9 * self._first + 0.1 * gradient
        self._second = 0.999 * self._second + 0.001 * gradient**2
        deviation = np.sqrt(self._second / (1 - 0.999**step))
        fall = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - 1) / self.steps))
        move = self._first / (1 - 0.9**step) / np.maximum(deviation, 1e-30)
        move *= self.search.rate * fall * self._scale * self._moves[:, None, None]
        move = move if self.free is None else move * self.free
        self.codes = self.codes.copy()
        self.codes[:, 1:-1] -= move[:, 1:-1]
        if self.search.sphere:
            self.codes[:, 1:-1] = np.asarray(unit_norm(self.codes[:, 1:-1]))


def _run(slope: Callable, level: _Level, told: Callable) -> None:
    """Moves a level's points until they rest. Raises NotFinite."""
    step = 0
    while True:
        told(level.codes.shape[1] - 1, step)
        energies, gradient = slope(level.codes)
        finite = np.isfinite(energies) & np.isfinite(gradient).all(axis=(1, 2))
        if not finite.all():
            raise NotFinite(f"the metric is not a number on path {int(np.argmin(finite))}")
        if not level.note(energies):
            return
        level.move(gradient)
        step += 1
