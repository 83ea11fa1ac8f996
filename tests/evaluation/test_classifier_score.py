import numpy as np
import pytest

from lorbms_tf.evaluation.classifier_score import classifier_score


def test_sure_and_varied_is_the_number_of_classes():
    logits = 1000.0 * np.eye(5)[np.arange(50) % 5]
    assert classifier_score(logits).value == pytest.approx(5.0)


def test_always_the_same_verdict_or_none_is_one():
    assert classifier_score(np.tile([900.0, 0.0, -900.0], (9, 1))).value == pytest.approx(1.0)
    assert classifier_score(np.zeros((9, 3))).value == pytest.approx(1.0)


def test_two_samples_by_hand():
    p = np.array([[0.5, 0.5], [0.9, 0.1]])
    marginal = p.mean(axis=0)
    expected = np.exp(np.mean(np.sum(p * np.log(p / marginal), axis=1)))
    assert classifier_score(np.log(p) + 7.0).value == pytest.approx(expected, rel=1e-12)


def test_splits_are_scored_apart():
    logits = np.random.default_rng(0).standard_normal((10, 4)) * 3
    found = classifier_score(logits, splits=2)
    parts = [classifier_score(logits[:5]).value, classifier_score(logits[5:]).value]
    assert found.value == pytest.approx(np.mean(parts))
    assert found.deviation == pytest.approx(np.std(parts))


@pytest.mark.parametrize(
    "logits, splits, message",
    [
        (np.zeros((3, 2)), 4, "3 samples cannot be cut into 4"),
        (np.zeros(3), 1, "must be"),
        (np.full((3, 2), np.inf), 1, "3 of 3 rows of logits are not finite"),
    ],
)
def test_bad_input(logits, splits, message):
    with pytest.raises(ValueError, match=message):
        classifier_score(logits, splits)
