"""Exact nearest neighbours against all distances."""

import numpy as np
import pytest

from lorbms_tf.evaluation.neighbours import nearest


def test_they_are_those_of_all_distances():
    random = np.random.default_rng(0)
    known, queries = random.normal(size=(30, 2, 3)), random.normal(size=(7, 2, 3))
    distances = np.sum((queries[:, None] - known[None]) ** 2, axis=(2, 3))
    expected = np.argsort(distances, axis=1)[:, :4]
    np.testing.assert_array_equal(nearest(known, queries, 4), expected)


def test_far_from_zero_near_ones_are_told_apart():
    known = 1e4 + np.array([[0.0], [0.5], [2.0]])
    np.testing.assert_array_equal(nearest(known, 1e4 + np.array([[0.4], [1.5]])), [[1], [2]])


def test_too_few_and_endless_are_refused():
    with pytest.raises(ValueError, match="3 neighbours of 2"):
        nearest(np.zeros((2, 3)), np.zeros((1, 3)), 3)
    with pytest.raises(ValueError, match="queries"):
        nearest(np.zeros((2, 3)), np.full((1, 3), np.nan))
