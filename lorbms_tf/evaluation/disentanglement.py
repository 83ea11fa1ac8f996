"""MIG, SAP and DCI over chunks, from matrices of what each chunk tells of each known factor.

As published they look at single dimensions of a code; LORBMS puts a quadrant into a chunk, so here
the chunks take the dimensions' part. All three are 1 at best and 0 at worst.
"""

from typing import NamedTuple

import numpy as np


class DCI(NamedTuple):
    """disentanglement: each row (chunk) tells of few columns. completeness: each column (factor)
    is told by few rows. Both are weighted by how much there is in the row or column."""

    disentanglement: float
    completeness: float


def gap(matrix: np.ndarray) -> float:
    """Mean over the columns of the largest entry less the second largest.

    Of shares of entropy [chunks, factors]: the mutual information gap, MIG (Chen et al. 2018). Of
    accuracies: SAP (Kumar et al. 2018). It does not mind where the factors are found: it is also
    large where ONE chunk holds everything, which `dci(...).disentanglement` punishes.
    """
    ordered = np.sort(matrix, axis=0)
    return float(np.mean(ordered[-1] - ordered[-2]))


def dci(importance: np.ndarray) -> DCI:
    """Disentanglement and completeness (Eastwood & Williams 2018).

    Args:
      importance: [chunks, groups of factors], at least 0. A chunk is MEANT to hold all factors of
        its quadrant, so the groups are the quadrants: sum the factors of each.

    Returns:
      Zeros where nothing tells anything.
    """
    total = importance.sum()
    if total <= 0:
        return DCI(0.0, 0.0)
    return DCI(_purity(importance, total), _purity(importance.T, total))


def _purity(matrix: np.ndarray, total: float) -> float:
    """1 less the entropy of each row over its columns, weighted by the rows' sums."""
    sums = matrix.sum(axis=1)
    shares = matrix / np.where(sums > 0, sums, 1.0)[:, None]
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropies = -np.sum(shares * logs, axis=1) / np.log(matrix.shape[1])
    return float(np.sum(sums / total * (1 - entropies)))
