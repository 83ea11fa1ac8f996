import itertools

import numpy as np
import pytest

from lorbms_tf.evaluation.kernel_distance import kernel_distance


def by_loops(x, y):
    def k(a, b):
        return (a @ b / len(a) + 1) ** 3

    same = [
        np.mean([k(s[i], s[j]) for i, j in itertools.permutations(range(len(s)), 2)])
        for s in (x, y)
    ]
    return sum(same) - 2 * np.mean([k(a, b) for a in x for b in y])


def test_against_loops_over_pairs():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((7, 3)), rng.standard_normal((5, 3)) + 0.5
    found = kernel_distance(x, y)
    assert found.value == pytest.approx(by_loops(x, y), rel=1e-12)
    assert np.isnan(found.standard_error)


def test_blocks_are_cut_in_order_and_averaged():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((7, 3)), rng.standard_normal((9, 3))
    found = kernel_distance(x, y, block_size=5)  # 3 + 4 against 4 + 5
    parts = [by_loops(x[:3], y[:4]), by_loops(x[3:], y[4:])]
    assert found.value == pytest.approx(np.mean(parts))
    assert found.standard_error == pytest.approx(abs(parts[0] - parts[1]) / 2)


def test_unbiased_for_equal_distributions_and_large_for_others():
    rng = np.random.default_rng(2)
    one, two = rng.standard_normal((2, 4000, 8))
    same = kernel_distance(one, two, block_size=200)
    assert abs(same.value) < 4 * same.standard_error
    other = kernel_distance(one, two + 1, block_size=200)
    assert other.value > 50 * other.standard_error


@pytest.mark.parametrize("size, message", [(1, "at least 2"), (2, "do not fill 4 blocks")])
def test_blocks_too_small(size, message):
    with pytest.raises(ValueError, match=message):
        kernel_distance(np.ones((7, 2)), np.ones((7, 2)), size)
