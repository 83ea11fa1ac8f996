"""Discs on photos: where inversions that are known put them, and in which colour."""

import numpy as np
import pytest

from lorbms_tf.deepsim import preservation


@pytest.fixture(scope="module")
def photos():
    return np.random.default_rng(0).uniform(-0.3, 0.3, (40, 32, 32, 3)).astype("float32")


@pytest.fixture(scope="module")
def marks(photos):
    return preservation.marked(photos)


def test_discs_have_their_size_hue_and_nothing_else_changes(photos, marks):
    share = np.pi / 4 * preservation.DIAMETER**2
    np.testing.assert_allclose(marks.masks.mean(axis=(1, 2)), share, rtol=0.2)
    outside = marks.masks == 0
    np.testing.assert_array_equal(marks.images[outside], photos[outside])
    np.testing.assert_array_equal(preservation.marked(photos).images, marks.images)
    red = preservation.hue_errors([[1, -1, -1], [-1, 1, -1]], [0, 120])
    np.testing.assert_allclose(red, 0, atol=1e-9)


def test_a_perfect_inversion_loses_nothing(photos, marks):
    lost = preservation.errors(marks, photos, marks.images, photos)
    np.testing.assert_allclose(lost.place, 0, atol=1e-6)
    np.testing.assert_allclose(lost.hue, 0, atol=1e-3)


def test_a_shifted_one_loses_the_place_by_as_much(photos, marks):
    shifted = [np.roll(one, 4, axis=2) for one in (marks.images, photos)]
    lost = preservation.errors(marks, photos, *shifted)
    near = marks.masks[:, :, -4:].sum(axis=(1, 2)) == 0  # not rolled over the edge
    np.testing.assert_allclose(lost.place[near], 4 / 32, atol=1e-5)


def test_a_grey_one_loses_the_hue_and_keeps_the_place(photos, marks):
    grey = [np.repeat(one.mean(-1, keepdims=True), 3, axis=-1) for one in (marks.images, photos)]
    lost = preservation.errors(marks, photos, *grey)
    assert lost.hue.mean() == pytest.approx(90) and lost.place.mean() < 0.1


def test_one_that_never_changes_knows_the_middle_alone(photos, marks):
    flat = np.zeros_like(photos)
    lost = preservation.errors(marks, photos, flat, flat)
    truth = preservation.centres(np.sum((marks.images - photos) ** 2, axis=-1))
    np.testing.assert_allclose(lost.place, np.linalg.norm(truth - 0.5, axis=1))
    assert lost.place.mean() > 0.1


def test_hues_differ_the_short_way_round():
    found = preservation.hue_errors([[1, -1, -1], [-1, -1, 1], [0, 0, 0]], [350, 60, 10])
    np.testing.assert_allclose(found, [10, 180, 90])
