import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from lorbms_tf.latent import slerp

PATHS = {"line": slerp.line, "great circle": slerp.great_circle}


def codes(*vectors):
    return np.array(vectors, np.float32)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_both_ends_are_reached(path):
    rng = np.random.default_rng(0)
    start, end = rng.standard_normal((2, 3, 4, 8)).astype(np.float32)
    np.testing.assert_allclose(path(start, end, 0.0), start, atol=1e-6)
    np.testing.assert_allclose(path(start, end, 1.0), end, atol=1e-6)


def test_a_right_angle_by_hand():
    start, end = codes([1, 0]), codes([0, 1])
    np.testing.assert_allclose(slerp.line(start, end, 0.25), [[0.75, 0.25]])
    third = slerp.great_circle(start, end, 1 / 3)
    np.testing.assert_allclose(third, [[np.cos(np.pi / 6), np.sin(np.pi / 6)]], rtol=1e-5)


def test_the_circle_keeps_the_length_and_goes_at_even_angles():
    rng = np.random.default_rng(1)
    start, end = (v / np.linalg.norm(v) for v in rng.standard_normal((2, 1, 16)))
    steps = [np.asarray(slerp.great_circle(start, end, t))[0] for t in np.linspace(0, 1, 6)]
    np.testing.assert_allclose(np.linalg.norm(steps, axis=1), 1.0, rtol=1e-5)
    cosines = [one @ two for one, two in zip(steps[:-1], steps[1:], strict=True)]
    np.testing.assert_allclose(cosines, cosines[0], rtol=1e-5)


@pytest.mark.parametrize("end", [[2, 4], [-1, -2], [0, 0]], ids=["same", "opposite", "zero"])
def test_where_there_is_no_circle_it_is_the_line(end):
    start, end = codes([1, 2]), codes(end)
    for t in (0.0, 0.3, 1.0):
        expected = slerp.line(start, end, t)
        np.testing.assert_allclose(slerp.great_circle(start, end, t), expected, atol=1e-3)


def test_opposite_codes_of_many_channels_take_the_line():
    start = np.random.default_rng(3).standard_normal((500, 192)).astype(np.float32)
    half_way = slerp.great_circle(start, -start, 0.25)
    np.testing.assert_allclose(half_way, 0.5 * start, atol=1e-2)


def directions(count, size=16, seed=0):
    drawn = np.random.default_rng(seed).standard_normal((2, count, size)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=-1, keepdims=True)


def test_codes_of_any_length_become_a_path_of_length_one():
    start, end = directions(6)
    shares = np.linspace(0, 1, 6, dtype=np.float32)
    between = slerp.slerp(3 * start, 0.1 * end, shares)  # one place a code
    np.testing.assert_allclose(np.linalg.norm(between, axis=-1), 1.0, rtol=1e-5)
    expected = [slerp.great_circle(start[i], end[i], float(t)) for i, t in enumerate(shares)]
    np.testing.assert_allclose(between, np.stack(expected), atol=1e-5)


def test_the_way_back_passes_the_same_codes():
    start, end = directions(50)
    for t in (0.0, 0.2, 0.5):
        back = slerp.slerp(end, start, 1 - t)
        np.testing.assert_allclose(slerp.slerp(start, end, t), back, atol=1e-6)


def test_a_tenth_of_the_angle_at_each_tenth_of_the_way():
    start, end = directions(1)
    angle = np.arccos(np.sum(start * end))
    for t in (0.1, 0.3, 0.9):
        cosine = np.sum(start * np.asarray(slerp.slerp(start, end, t)))
        np.testing.assert_allclose(np.arccos(cosine), t * angle, rtol=1e-4)


@pytest.mark.parametrize("nearness", [0.0, 1e-8, 1e-5, 1e-3])
def test_near_and_parallel_codes_pass_smoothly_with_finite_gradients(nearness):
    start, other = directions(4)
    end = start + nearness * other
    middle = np.asarray(slerp.slerp(start, end, 0.5))
    np.testing.assert_allclose(middle, start + nearness / 2 * other, atol=2 * nearness + 1e-6)
    first, second = tf.constant(start), tf.constant(end)
    with tf.GradientTape() as tape:
        tape.watch([first, second])
        total = ops.sum(slerp.slerp(first, second, 0.3)[:, 0])
    gradients = tape.gradient(total, [first, second])
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert np.abs(gradients[0]).max() > 0.1


@pytest.mark.parametrize("case", ["zero", "opposite"])
def test_gradients_are_finite_where_there_is_no_circle(case):
    start = tf.constant(directions(3)[0])
    end = tf.zeros_like(start) if case == "zero" else -start
    with tf.GradientTape() as tape:
        tape.watch([start, end])
        total = ops.sum(slerp.great_circle(start, end, 0.5, unit=True) * [[1.0] + 15 * [0.5]])
    assert all(np.isfinite(g).all() for g in tape.gradient(total, [start, end]))


def test_opposite_codes_are_named():
    start, end = directions(3)
    end[1] = -2 * start[1]
    with pytest.raises(slerp.AntipodalCodes, match="1 of 3 pairs of codes are exactly opposite"):
        slerp.slerp(start, end, 0.5)
    in_a_graph = tf.function(lambda a, b: slerp.slerp(a, b, 0.25))(start, end)
    assert np.isfinite(in_a_graph).all()


def test_zeros_have_no_direction():
    np.testing.assert_array_equal(slerp.unit_norm(np.zeros((2, 3), np.float32)), 0.0)
    np.testing.assert_allclose(slerp.unit_norm(codes([3, 4])), [[0.6, 0.8]], rtol=1e-6)
