import numpy as np
import pytest

from lorbms_tf.evaluation.disentanglement import dci, gap


def test_every_chunk_its_own_factor_is_perfect():
    assert gap(np.eye(4)) == 1.0
    assert dci(np.eye(4)) == (1.0, 1.0)


def test_everything_everywhere_is_worth_nothing():
    assert gap(np.ones((4, 4))) == 0.0
    assert dci(np.ones((4, 4))) == pytest.approx((0.0, 0.0))


def test_everything_in_one_chunk_is_complete_but_not_disentangled():
    matrix = np.zeros((4, 4))
    matrix[2] = 0.7
    assert gap(matrix) == pytest.approx(0.7)
    assert dci(matrix) == pytest.approx((0.0, 1.0))


def test_a_factor_in_two_chunks_by_hand():
    matrix = np.eye(4)
    matrix[1, 0] = 0.5  # column 0: 1, .5; row 1: .5, 1
    assert gap(matrix) == pytest.approx((0.5 + 3) / 4)
    entropy = -(1 / 3 * np.log(1 / 3) + 2 / 3 * np.log(2 / 3)) / np.log(4)
    expected = (3 + 1.5 * (1 - entropy)) / 4.5  # of the rows and of the columns alike
    assert dci(matrix) == pytest.approx((expected, expected))


def test_nothing_told():
    assert gap(np.zeros((4, 4))) == 0.0
    assert dci(np.zeros((4, 4))) == (0.0, 0.0)
