"""Geometry with truths known by hand."""

import numpy as np
import pytest

from tfrecords_tools.scenes import shapes

RED = (255, 0, 0)


def test_block_spans_its_corners():
    for radius in (0.0, 0.3):
        box = shapes.extent([shapes.block(-1, -2, 3, 4, RED, radius=radius)])
        np.testing.assert_allclose(box, (-1, -2, 3, 4), atol=1e-9)


def test_disc_lies_on_its_ellipse():
    unit = (shapes.disc(1.0, 2.0, 3.0, 0.5, RED).points - (1.0, 2.0)) / (3.0, 0.5)
    np.testing.assert_allclose((unit**2).sum(axis=1), 1.0)


def test_turned_disc_swaps_its_axes():
    box = shapes.extent([shapes.disc(0, 0, 2.0, 1.0, RED, turn=90)])
    np.testing.assert_allclose(box, (-1, -2, 1, 2), atol=1e-9)


def test_stroke_has_the_width_and_round_ends():
    straight = shapes.stroke([(0, 0), (10, 0)], 2.0, RED)
    x0, y0, x1, y1 = shapes.extent([straight])
    assert (y0, y1) == pytest.approx((-1, 1))
    assert (x0, x1) == pytest.approx((-1, 11), abs=0.05)


def test_curves_pass_through_their_points():
    ring = [(0, 0), (1, 0), (1, 1), (0, 1)]
    closed = shapes.closed_curve(ring, steps=5)
    assert closed.shape == (20, 2)
    np.testing.assert_allclose(closed[::5], ring)
    line = shapes.open_curve(ring, steps=5)
    assert line.shape == (16, 2)
    np.testing.assert_allclose(line[::5], ring)


def test_rotation_is_clockwise_as_seen():
    np.testing.assert_allclose(shapes.rotation(90) @ (1, 0), (0, 1), atol=1e-12)  # y is down


def test_turn_mirrors_before_it_rotates():
    (turned,) = shapes.turn([shapes.polygon([(1, 0), (2, 0), (2, 1)], RED)], 90, True)
    np.testing.assert_allclose(turned.points, [(0, -1), (0, -2), (-1, -2)], atol=1e-12)


def test_place_fits_the_silhouette_and_takes_details_along():
    body = shapes.block(0, 0, 4, 2, RED)
    detail = shapes.block(3, 0, 9, 1, RED, body=False)
    placed = shapes.place([body, detail], (10, 20, 12, 21))
    np.testing.assert_allclose(shapes.extent(placed), (10, 20, 12, 21))
    np.testing.assert_allclose(placed[1].points[0], (11.5, 20))
