import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.probing import scores


def test_accuracy():
    found = np.array([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0]])
    assert scores.score(found, np.array([1, 0, 0])) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("ranked", "expected"),
    [
        ((1, 1, 0, 0), 1.0),
        ((0, 0, 0, 1), 0.25),
        ((1, 0, 1, 0), (1 + 2 / 3) / 2),
        # At the second positive the precision is 2/4, but 3/5 is reached at a higher recall.
        ((1, 0, 0, 1, 1), (1 + 3 / 5 + 3 / 5) / 3),
    ],
)
def test_average_precision(ranked, expected):
    order = np.random.default_rng(0).permutation(len(ranked))
    found = -np.arange(len(ranked), dtype=float)[order]
    assert scores.average_precision(found, np.array(ranked, bool)[order]) == pytest.approx(expected)


def test_mean_average_precision_leaves_out_the_unknown_and_classes_without_positives():
    found = np.array([[0.9, 0.9, 0.1], [0.8, 0.1, 0.2], [0.7, 0.5, 0.3]])
    labels = np.array([[-1, 0, 0], [1, 1, 0], [0, 0, 0]], np.int8)
    assert scores.score(found, labels) == pytest.approx((1 + 1 / 3) / 2)
    assert np.isnan(scores.mean_average_precision(found, np.zeros((3, 3))))


def test_equal_scores_are_found_together_whatever_their_order():
    found = np.array([0.9, 0.5, 0.5, 0.5, 0.1])
    # 1/1 at the first positive, 2/4 at the second, with all that score 0.5.
    for truth in ([1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [1, 0, 0, 1, 0]):
        assert scores.average_precision(found, np.array(truth, bool)) == 0.75
    assert scores.average_precision(np.zeros(4), np.array([1, 0, 0, 0], bool)) == 0.25


@pytest.mark.parametrize("labels", [np.array([0, 1]), np.array([[1, 0], [0, 1]])])
def test_scores_that_are_not_finite(labels):
    with pytest.raises(UserError, match="1 of 2 .*scores.* not finite"):
        scores.score(np.array([[np.nan, 1.0], [0.0, 1.0]]), labels)
