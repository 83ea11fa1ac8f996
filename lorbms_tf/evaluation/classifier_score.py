"""How sure and how varied a classifier's verdicts are (Salimans et al., 2016).

With the 2015 Inception graph's logits it is the inception score of the thesis (section 4.2).
"""

from typing import NamedTuple

import numpy as np

from lorbms_tf.evaluation.finite import check_finite


class ClassifierScore(NamedTuple):
    """Between 1 and the number of classes; more is better."""

    value: float  # mean over the splits
    deviation: float  # standard deviation over the splits; 0 with a single one


def classifier_score(logits: np.ndarray, splits: int = 1) -> ClassifierScore:
    """exp of the mean KL divergence from the marginal p(y) to p(y|x).

    Args:
      logits: [N, classes], before the softmax.
      splits: the samples are cut, in order, into so many parts of a score each (thesis and
        original: 10; a small part has too low a score).

    Raises:
      ValueError: another shape, fewer samples than splits, or values that are not finite.
    """
    logits = np.asarray(logits, np.float64)
    if logits.ndim != 2 or not logits.shape[1]:
        raise ValueError(f"logits must be [N, classes], not {list(logits.shape)}")
    if not 1 <= splits <= len(logits):
        raise ValueError(f"{len(logits)} samples cannot be cut into {splits} splits")
    check_finite(logits, "rows of logits")
    scores = [_score(part) for part in np.array_split(logits, splits)]
    return ClassifierScore(float(np.mean(scores)), float(np.std(scores)))


def _score(logits: np.ndarray) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  # [N, classes]
    p = np.exp(log_p)
    marginal = p.mean(axis=0)
    # Where the marginal is 0 every p is, and 0 log 0 counts as 0.
    log_marginal = np.log(np.where(marginal > 0, marginal, 1.0))
    return float(np.exp(np.mean(np.sum(p * (log_p - log_marginal), axis=1))))
