"""The ways to write each character: all there, read as they are meant."""

import numpy as np
import pytest

from tfrecords_tools.characters.strokes import DIGITS, LETTERS, SETS, strokes


def test_ten_digits_and_all_letters():
    assert "".join(DIGITS) == "0123456789"
    assert "".join(LETTERS) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert "".join(SETS["lowercase"]) == "".join(LETTERS).lower()


def test_points_are_hundredths_and_exclamation_marks_are_corners():
    first, second = strokes("0,0 50,100! 20,30 / 10,10 40,50")
    np.testing.assert_allclose(first.points, [[0, 0], [0.5, 1], [0.2, 0.3]])
    np.testing.assert_array_equal(first.corners, [False, True, False])
    np.testing.assert_allclose(second.points, [[0.1, 0.1], [0.4, 0.5]])
    assert not second.corners.any()


WAYS = [(name, way) for ways in SETS.values() for name in ways for way in ways[name]]


@pytest.mark.parametrize("name, way", WAYS, ids=[name for name, _ in WAYS])
def test_every_way_fills_the_height(name, way):
    parts = strokes(way)
    assert all(len(part.points) >= 2 for part in parts)
    points = np.concatenate([part.points for part in parts])
    assert points[:, 1].min() < 0.06 and points[:, 1].max() > 0.94
    assert points.min() >= 0 and points[:, 0].max() <= 0.8
