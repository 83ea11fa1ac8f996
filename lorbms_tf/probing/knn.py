"""Classification by the nearest neighbours in feature space (Wu et al. 2018)."""

import faiss
import numpy as np

from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.finite import check_finite


def scores(
    train: np.ndarray,
    labels: np.ndarray,
    test: np.ndarray,
    k: int,
    temperature: float,
    classes: int,
) -> np.ndarray:
    """How much the neighbours of each image speak for each class.

    The k training images of highest cosine vote for their classes, each with exp(cosine /
    temperature).

    Args:
      train: features float32 [N, D].
      labels: [N], or [N, classes] of 1, 0 and negative for what is not known (no vote).
      test: features float32 [M, D].
      k: neighbours, at most N.
      temperature: above 0.
      classes: how many there are.

    Returns float64 [M, classes]; each row sums to 1 where all neighbours have one class.

    Raises UserError where k is above N, and where features are not finite.
    """
    if k > len(train):
        raise UserError(f"--k={k} is more than there are images to learn from: {len(train)}")
    for what, features in (("learned from", train), ("tested", test)):
        check_finite(features, f"features of images {what}", UserError)
    votes = (labels == 1 if labels.ndim == 2 else np.eye(classes)[labels]).astype(np.float32)
    index = faiss.IndexFlatIP(train.shape[1])
    index.add(_unit_length(train))
    cosines, places = index.search(_unit_length(test), k)  # [M, k]
    # Relative to the nearest, so that nothing overflows at a low temperature.
    weights = np.exp((cosines.astype(np.float64) - cosines[:, :1]) / temperature)
    weights /= weights.sum(axis=1, keepdims=True)
    # One neighbour after another: the votes of all at once would be [M, k, classes].
    return sum(weights[:, [n]] * votes[places[:, n]] for n in range(k))


def _unit_length(features: np.ndarray) -> np.ndarray:
    features = np.array(features, np.float32, order="C")  # a copy
    # The largest number first comes to 1: squares of 1e20 overflow, those of 1e-30 vanish.
    largest = np.abs(features).max(axis=1, keepdims=True)
    features /= np.where(largest > 0, largest, np.float32(1))
    faiss.normalize_L2(features)
    return features
