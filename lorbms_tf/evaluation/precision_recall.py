"""Precision and recall of generated samples (Kynkaanniemi et al., 2019).

A set of features stands for the union of balls around its members, each reaching to the k-th
nearest other member. Precision: the share of generated samples inside the balls of the real ones;
recall: the share of real samples inside the balls of the generated ones.
"""

from typing import NamedTuple

import numpy as np

from lorbms_tf.evaluation.frechet import check_features

NEIGHBOURS = 3  # as published
_ROWS = 1024  # of the distance matrix at a time


class PrecisionRecall(NamedTuple):
    """Shares, 0 to 1."""

    precision: float
    recall: float


def precision_recall(
    real: np.ndarray, generated: np.ndarray, k: int = NEIGHBOURS
) -> PrecisionRecall:
    """Precision and recall with balls that reach to the k-th nearest other member.

    Args:
      real: [N, D].
      generated: [M, D]; N and M should be alike, since more members make smaller balls.
      k: at least 1 (as published: 3).

    Raises:
      ValueError: other shapes, values that are not finite, or a set of k or fewer samples.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    real, generated = check_features(real, generated, fewest=k + 1)
    return PrecisionRecall(
        _share_inside(generated, real, _radii(real, k)),
        _share_inside(real, generated, _radii(generated, k)),
    )


def _squared_distances(rows: np.ndarray, others: np.ndarray, slack: float = 0.0) -> np.ndarray:
    """[R, D], [N, D] -> [R, N]; about a common centre, so that products lose few digits.

    slack: the distances come out shorter by this share of what they are the small difference of.
    """
    centre = others.mean(axis=0)
    rows, others = rows - centre, others - centre
    squared = np.square(rows).sum(axis=1)[:, None] + np.square(others).sum(axis=1)[None, :]
    return np.maximum((1.0 - slack) * squared - 2.0 * (rows @ others.T), 0.0)


def _radii(members: np.ndarray, k: int) -> np.ndarray:
    """Squared distance of each member to its k-th nearest other. [N, D] -> [N]."""
    radii = np.empty(len(members))
    for start in range(0, len(members), _ROWS):
        near = _squared_distances(members[start : start + _ROWS], members)
        rows = np.arange(len(near))
        near[rows, start + rows] = np.inf  # not itself
        radii[start : start + _ROWS] = np.partition(near, k - 1, axis=1)[:, k - 1]
    return radii


def _share_inside(samples: np.ndarray, members: np.ndarray, radii: np.ndarray) -> float:
    """Share of the samples in any ball, its surface included.

    A sum of D products of doubles is off by up to D last digits. Without so much slack rounding
    would put a sample outside that lies on the surface: a copy of a member that stands in its set
    more than k times, whose ball has the radius 0. Features in single precision are less exact.
    """
    slack = 4.0 * samples.shape[1] * np.finfo(np.float64).eps  # of both sides of the comparison
    inside = 0
    for start in range(0, len(samples), _ROWS):
        near = _squared_distances(samples[start : start + _ROWS], members, slack)
        inside += int(np.any(near <= radii, axis=1).sum())
    return inside / len(samples)
