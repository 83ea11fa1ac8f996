"""MIG, SAP and DCI over chunks, from matrices of what each chunk tells of each known factor.

As published they look at single dimensions of a code; LORBMS puts a quadrant into a chunk, so here
the chunks take the dimensions' part. All are 0 at worst and 1 at best, but for SAP, whose best is
1 less the accuracy by chance: the second best chunk still guesses.

Probes find a little in noise, too, and DCI weighs only what is found against each other, however
little it is: of noise alone it would often be 1. So DCI counts what exceeds a noise floor, and all
scores have a twin, measured in the same way where labels were permuted.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lorbms_tf.evaluation.finite import check_finite
from lorbms_tf.lorbms.scores.chunk_probes import Told

_MARGIN = 2.0  # times the most that is found in noise


class DCI(NamedTuple):
    """disentanglement: each row (chunk) tells of few columns. completeness: each column (factor)
    is told by few rows. Both are weighted by how much there is in the row or column."""

    disentanglement: float
    completeness: float


def scores(
    told: dict[str, Told], permuted: Sequence[dict[str, Told]], least: float
) -> dict[str, Any]:
    """All scores by name; a factor of a quadrant that has one value there is left out.

    Args:
      told: by factor.
      permuted: the same where labels were permuted, at least two times.
      least: what counts as nothing in any case, in shares of the entropy.

    Returns:
      "mig", "sap", "dci_disentanglement", "dci_completeness", "dci_informativeness" (the mean of
      the best chunks' accuracies); "chance" (accuracy of the most frequent values); "noise_floor"
      (share of the entropy from which on information counts in DCI); and in "permuted" the scores
      of permuted labels, their mean.

    Raises:
      ValueError: no factor has two values.
    """
    if not any(one.varied.any() for one in told.values()):
        raise ValueError("no factor has two values: there is nothing to tell")
    most = [max(float(np.max(one.information)) for one in each.values()) for each in permuted]
    found = _scores(told, max(least, _MARGIN * max(most)))
    twins = [  # each against the others, as the truth is held against all
        _scores(each, max(least, _MARGIN * max(most[:i] + most[i + 1 :])))
        for i, each in enumerate(permuted)
    ]
    chances = [one.chance[one.varied] for one in told.values()]
    return {
        **found,
        "chance": float(np.mean(np.concatenate(chances))),
        "permuted": {name: float(np.mean([twin[name] for twin in twins])) for name in found},
        "noise_floor": max(least, _MARGIN * max(most)),
    }


def _scores(told: dict[str, Told], floor: float) -> dict[str, float]:
    varied = np.concatenate([one.varied for one in told.values()])
    information, accuracy = (
        np.concatenate([getattr(one, of) for one in told.values()], axis=1)[:, varied]
        for of in ("information", "accuracy")
    )
    found = dci(importance(np.stack([one.information for one in told.values()], axis=1), floor))
    return {
        "mig": gap(information),
        "sap": gap(accuracy),
        "dci_disentanglement": found.disentanglement,
        "dci_completeness": found.completeness,
        "dci_informativeness": float(accuracy.max(axis=0).mean()),
    }


def gap(matrix: np.ndarray) -> float:
    """Mean over the columns of the largest entry less the second largest.

    Of shares of entropy [chunks, factors]: the mutual information gap, MIG (Chen et al. 2018). Of
    accuracies: SAP (Kumar et al. 2018). It does not mind where the factors are found: it is also
    large where ONE chunk holds everything, which `dci(...).disentanglement` punishes.
    """
    check_finite(matrix, "rows of the matrix")
    ordered = np.sort(matrix, axis=0)
    return float(np.mean(ordered[-1] - ordered[-2]))


def importance(information: np.ndarray, floor: float = 0.0) -> np.ndarray:
    """What DCI is reckoned from: [chunks, factors, groups] -> [chunks, groups].

    What does not exceed the floor is nothing. Each factor is normalised over the chunks, as
    published: factors that are hard to read weigh as much as easy ones. A chunk is MEANT to hold
    all factors of its quadrant, so these are summed: the groups are the quadrants.
    """
    check_finite(information, "rows of the matrix")
    counted = np.where(information > floor, information, 0.0)
    sums = counted.sum(axis=0)
    return (counted / np.where(sums > 0, sums, 1.0)).sum(axis=1)


def dci(importance: np.ndarray) -> DCI:
    """Disentanglement and completeness (Eastwood & Williams 2018).

    Args:
      importance: [chunks, groups of factors], at least 0.

    Returns:
      Zeros where nothing tells anything.
    """
    check_finite(importance, "rows of the matrix")
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
