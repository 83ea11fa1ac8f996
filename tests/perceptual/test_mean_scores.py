import numpy as np
import pytest

from lorbms_tf.perceptual import mean_scores
from lorbms_tf.perceptual.mean_scores import Estimate


def pictures(seed, count=4, side=16):
    return np.random.default_rng(seed).uniform(-1, 1, (count, side, side, 3)).astype(np.float32)


def test_draws_are_balanced_and_none_comes_twice():
    numbered = [np.arange(7, dtype=float).reshape(7, 1, 1, 1) + 10 * n for n in range(3)]
    made = mean_scores.draws(numbered, seed=0, count=5)
    assert len(made) == 5 and made[0].shape == (3, 1, 1, 1)
    values = np.stack(made).reshape(5, 3)
    np.testing.assert_array_equal(values // 10, [[0, 1, 2]] * 5)
    assert all(len(set(column)) == 5 for column in values.T)


def test_sharp_means_are_nearer_than_smooth_ones():
    real = [pictures(n) for n in range(2)]
    smooth = pictures(5).reshape(4, 4, 4, 4, 4, 3).mean(axis=(2, 4)).repeat(4, 1).repeat(4, 2)
    absolute, more = mean_scores.distances(
        {"smooth": smooth, "sharp": pictures(9)}, real, baseline="smooth"
    )
    assert list(absolute) == ["smooth", "sharp"] and list(more) == ["sharp"]
    for level, found in more["sharp"].items():
        assert found.value == pytest.approx(
            absolute["sharp"][level].value - absolute["smooth"][level].value
        )
    assert more["sharp"][16].value < -2 * more["sharp"][16].error < 0


def test_equal_means_differ_by_nothing():
    means = {"a": pictures(0), "b": pictures(0)}
    _, more = mean_scores.distances(means, [pictures(1)], baseline="a")
    assert set(more["b"].values()) == {Estimate(0.0, 0.0)}


def test_errors_are_those_of_the_jackknife():
    # The mean of 1, 2, 3, 6, of which one is left out at a time: its error is that of a mean.
    numbers = np.array([1.0, 2.0, 3.0, 6.0])
    without = [{8: float(np.delete(numbers, n).mean())} for n in range(4)]
    found = mean_scores._estimates([{8: float(numbers.mean())}, *without])
    assert found[8].value == 3.0
    assert found[8].error == pytest.approx(numbers.std(ddof=1) / 2)


def test_one_problem_has_no_error():
    with pytest.raises(ValueError, match="at least 2 problems"):
        mean_scores.distances({"a": pictures(0, 1)}, [pictures(1, 1)])


def test_the_table_names_all_and_shows_errors():
    absolute = {"l2": {32: Estimate(9.0, 1.0), 16: Estimate(7.0, 0.5)}}
    absolute["mmd"] = {32: Estimate(5.0, 0.25), 16: Estimate(6.0, 0.5)}
    more = {"mmd": {32: Estimate(-4.0, 0.5), 16: Estimate(-1.0, 0.25)}}
    lines = mean_scores.table(absolute, more, "l2").splitlines()
    assert lines[0].split() == ["distance", "32", "px", "16", "px", "mean", "of", "levels"]
    assert lines[1].split() == ["l2", "9.0", "+-", "1.0", "7.0", "+-", "0.5", "8.0"]
    assert lines[3].strip() == "more than l2:"
    assert lines[4].split() == ["mmd", "-4.0", "+-", "0.5", "-1.0", "+-", "0.2", "-2.5"]
