import numpy as np
import pytest

from lorbms_tf.lorbms import chunk_paths


def chunks(*vectors):
    return np.array(vectors, np.float32)


@pytest.mark.parametrize("path", chunk_paths.PATHS.values(), ids=chunk_paths.PATHS)
def test_both_ends_are_reached(path):
    rng = np.random.default_rng(0)
    start, end = rng.standard_normal((2, 3, 4, 8)).astype(np.float32)
    np.testing.assert_allclose(path(start, end, 0.0), start, atol=1e-6)
    np.testing.assert_allclose(path(start, end, 1.0), end, atol=1e-6)


def test_a_right_angle_by_hand():
    start, end = chunks([1, 0]), chunks([0, 1])
    np.testing.assert_allclose(chunk_paths.linear(start, end, 0.25), [[0.75, 0.25]])
    third = chunk_paths.spherical(start, end, 1 / 3)
    np.testing.assert_allclose(third, [[np.cos(np.pi / 6), np.sin(np.pi / 6)]], rtol=1e-5)


def test_the_circle_keeps_the_length_and_goes_at_even_angles():
    rng = np.random.default_rng(1)
    start, end = (v / np.linalg.norm(v) for v in rng.standard_normal((2, 1, 16)))
    steps = [np.asarray(chunk_paths.spherical(start, end, t))[0] for t in np.linspace(0, 1, 6)]
    np.testing.assert_allclose(np.linalg.norm(steps, axis=1), 1.0, rtol=1e-5)
    cosines = [one @ two for one, two in zip(steps[:-1], steps[1:], strict=True)]
    np.testing.assert_allclose(cosines, cosines[0], rtol=1e-5)


@pytest.mark.parametrize("end", [[2, 4], [-1, -2], [0, 0]], ids=["same", "opposite", "zero"])
def test_where_there_is_no_circle_it_is_the_line(end):
    start, end = chunks([1, 2]), chunks(end)
    for t in (0.0, 0.3, 1.0):
        expected = chunk_paths.linear(start, end, t)
        np.testing.assert_allclose(chunk_paths.spherical(start, end, t), expected, atol=1e-3)


def test_opposite_chunks_of_many_channels_take_the_line():
    start = np.random.default_rng(3).standard_normal((500, 192)).astype(np.float32)
    half_way = chunk_paths.spherical(start, -start, 0.25)
    np.testing.assert_allclose(half_way, 0.5 * start, atol=1e-2)


def test_only_masked_chunks_move():
    rng = np.random.default_rng(2)
    start, end = rng.standard_normal((2, 1, 2, 2, 4)).astype(np.float32)
    mask = np.array([[False, False, True, False]])
    made = np.array(chunk_paths.between(start, end, mask, 0.5))
    np.testing.assert_allclose(made[0, 1, 0], (start[0, 1, 0] + end[0, 1, 0]) / 2, rtol=1e-6)
    made[0, 1, 0] = start[0, 1, 0]
    np.testing.assert_array_equal(made, start)
