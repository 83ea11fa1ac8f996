"""Unions of boxes, exactly: as rectangles that do not overlap, and what two of them share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_PAIRS_AT_ONCE = 1 << 20  # of rectangles; a pair takes some hundred bytes


def disjoint(boxes: np.ndarray) -> np.ndarray:
    """The union of boxes as rectangles that touch but do not overlap.

    Args:
      boxes: float [n, 4], x0, y0, x1, y1 with x0 < x1 and y0 < y1.

    Returns float [m, 4] in the same form. Its coordinates are those of the boxes, so that no
    rounding is in it.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    if len(boxes) < 2:
        return boxes
    xs, ys = np.unique(boxes[:, 0::2]), np.unique(boxes[:, 1::2])
    left, right = np.searchsorted(xs, boxes[:, 0]), np.searchsorted(xs, boxes[:, 2])
    top, bottom = np.searchsorted(ys, boxes[:, 1]), np.searchsorted(ys, boxes[:, 3])
    # How many boxes lie on each cell of the grid of all edges: corners, summed up both ways.
    corners = np.zeros((len(ys), len(xs) + 1), np.int64)
    np.add.at(corners, (top, left), 1)
    np.add.at(corners, (bottom, right), 1)
    np.add.at(corners, (top, right), -1)
    np.add.at(corners, (bottom, left), -1)
    covered = corners.cumsum(axis=0).cumsum(axis=1) > 0
    # Runs of covered cells in each row; the last column of cells is never covered.
    steps = np.diff(covered.astype(np.int8), axis=1, prepend=0)
    rows, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    # Runs of equal place in rows that follow each other are one rectangle.
    order = np.lexsort((rows, ends, starts))
    rows, starts, ends = rows[order], starts[order], ends[order]
    follows = (np.diff(starts) == 0) & (np.diff(ends) == 0) & (np.diff(rows) == 1)
    first = np.flatnonzero(np.concatenate([[True], ~follows]))
    last = np.concatenate([first[1:] - 1, [len(rows) - 1]])
    return np.stack([xs[starts[first]], ys[rows[first]], xs[ends[first]], ys[rows[last] + 1]], 1)


def disjoint_by_kind(boxes: np.ndarray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`disjoint` of the boxes of each kind int [n] apart: float [m, 4] and int [m]."""
    boxes, kinds = np.asarray(boxes, np.float64).reshape(-1, 4), np.asarray(kinds, np.int64)
    unions = {kind: disjoint(boxes[kinds == kind]) for kind in np.unique(kinds).tolist()}
    if not unions:
        return boxes, kinds
    numbers = np.repeat(list(unions), [len(union) for union in unions.values()])
    return np.concatenate(list(unions.values())), numbers


@dataclass(frozen=True)
class Regions:
    """U places, each with rectangles of several kinds; those of one kind do not overlap.

    rectangles: float64 [m, 4], x0, y0, x1, y1, those of a place beside each other.
    kinds: int [m].
    starts: int [U + 1], where the rectangles of each place begin, and the end.
    """

    rectangles: np.ndarray
    kinds: np.ndarray
    starts: np.ndarray

    @staticmethod
    def of(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> "Regions":
        """From rectangles [n, 4] and kinds [n] of each place; empty rectangles are left out."""
        solid = [(r[:, 2:] > r[:, :2]).all(axis=1) for r, _ in parts]
        rectangles = [r[keep] for (r, _), keep in zip(parts, solid, strict=True)]
        kinds = [k[keep] for (_, k), keep in zip(parts, solid, strict=True)]
        return Regions(
            np.concatenate([np.empty((0, 4)), *rectangles]),
            np.concatenate([np.empty(0, np.int64), *kinds]),
            np.cumsum([0, *map(len, rectangles)]),
        )

    def areas(self) -> np.ndarray:
        """Area of each place, summed over kinds: float64 [U]."""
        sizes = np.prod(self.rectangles[:, 2:] - self.rectangles[:, :2], axis=1)
        places = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        return np.bincount(places, sizes, minlength=len(self.starts) - 1)

    def common(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Area that lies in both of two places, kind by kind, summed over kinds.

        Args:
          a, b: int [p], pairs of places.

        Returns float64 [p].
        """
        pairs = np.diff(self.starts)[a] * np.diff(self.starts)[b]  # of rectangles, [p]
        result = np.zeros(len(a))
        waiting = np.flatnonzero(pairs)
        sums = np.cumsum(pairs[waiting])
        cuts = np.searchsorted(sums, np.arange(_PAIRS_AT_ONCE, sums[-1:].sum(), _PAIRS_AT_ONCE))
        for some in np.split(waiting, cuts):
            result[some] = self._common(a[some], b[some], pairs[some])
        return result

    def _common(self, a: np.ndarray, b: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        which = np.repeat(np.arange(len(a)), pairs)
        number = np.arange(len(which)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
        width = np.diff(self.starts)[b][which]
        one = self.starts[a][which] + number // width
        other = self.starts[b][which] + number % width
        same = self.kinds[one] == self.kinds[other]
        which, one, other = which[same], self.rectangles[one[same]], self.rectangles[other[same]]
        sides = np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])
        return np.bincount(which, np.prod(np.maximum(sides, 0), axis=1), minlength=len(a))
