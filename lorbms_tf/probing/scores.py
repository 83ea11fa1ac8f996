"""How good the scores of classes are: accuracy, and VOC's mean average precision. Arrays only."""

import numpy as np

from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.finite import check_finite


def accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """Share of the N images whose highest score [N, classes] is that of the label [N].

    Raises UserError where scores are not finite.
    """
    check_finite(scores, "rows of scores", UserError)
    return float(np.mean(scores.argmax(axis=1) == labels))


def average_precision(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area under precision over recall, as VOC reckons since 2010, for scores [N], bool [N].

    Precision counts as the best that is reached at that recall or a higher one. Images of equal
    scores are found together, so that their order means nothing. NaN without positives. Raises
    UserError where scores are not finite.
    """
    check_finite(scores, "scores of images", UserError)
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(positive[order])
    if not positive.any():
        return float("nan")
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # of each group of equals
    precision = hits[last] / (last + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best @ np.diff(hits[last], prepend=0) / hits[-1])


def mean_average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean of `average_precision` over the classes that have positives.

    Scores [N, classes]; labels [N, classes] of 1, 0 and negative for images that are left out.
    """
    found = [
        average_precision(column[label >= 0], label[label >= 0] == 1)
        for column, label in zip(scores.T, labels.T, strict=True)
    ]
    return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")


def score(scores: np.ndarray, labels: np.ndarray) -> float:
    """Accuracy for labels [N], mean average precision for labels [N, classes]; 0 to 1."""
    return (mean_average_precision if labels.ndim == 2 else accuracy)(scores, labels)
