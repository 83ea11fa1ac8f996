"""Areas of unions, by hand and against paint on a grid of pixels."""

import numpy as np
import pytest

from tfrecords_tools.scoring import regions
from tfrecords_tools.scoring.regions import Regions


def area(rectangles):
    return np.prod(rectangles[:, 2:] - rectangles[:, :2], axis=1).sum()


@pytest.mark.parametrize(
    ("boxes", "expected", "pieces"),
    [
        ([], 0, 0),
        ([[1, 2, 4, 6]], 12, 1),
        ([[0, 0, 5, 2]] * 3, 10, 1),  # copies
        ([[0, 0, 5, 5], [1, 1, 2, 2]], 25, 1),  # one inside the other
        ([[0, 0, 2, 2], [2, 0, 4, 2]], 8, 1),  # side by side
        ([[0, 0, 2, 2], [0, 2, 2, 4]], 8, 1),  # one above the other
        ([[0, 0, 2, 2], [2, 2, 4, 4]], 8, 2),  # they touch at a corner
        ([[0, 1, 3, 2], [1, 0, 2, 3]], 5, 3),  # a cross
        ([[0, 0, 1, 1], [5, 7, 6, 9]], 3, 2),
    ],
)
def test_unions_by_hand(boxes, expected, pieces):
    union = regions.disjoint(np.array(boxes, float).reshape(-1, 4))
    assert area(union) == expected and len(union) == pieces


def random_boxes(rng, count, size):
    low, high = np.sort(rng.integers(0, size + 1, (2, count, 2)), axis=0)
    return np.concatenate([low, np.maximum(high, low + 1)], axis=1)


def paint(boxes, size):
    canvas = np.zeros((size, size), int)
    for x0, y0, x1, y1 in boxes.astype(int):
        canvas[y0:y1, x0:x1] += 1
    return canvas


def test_unions_cover_what_the_boxes_cover_and_once():
    rng = np.random.default_rng(0)
    for count in (2, 3, 5, 9, 40):
        boxes = random_boxes(rng, count, 20)
        np.testing.assert_array_equal(
            paint(regions.disjoint(boxes), 21), paint(boxes, 21) > 0, str(boxes)
        )


@pytest.mark.parametrize("at_once", [1, 50, 1 << 20])
def test_what_places_share_is_what_the_paint_shares(monkeypatch, at_once):
    monkeypatch.setattr(regions, "_PAIRS_AT_ONCE", at_once)
    rng = np.random.default_rng(1)
    boxes = [random_boxes(rng, count, 12) for count in (4, 0, 1, 7, 3)]
    kinds = [rng.integers(0, 2, len(some)) for some in boxes]
    places = Regions.of(
        [regions.disjoint_by_kind(*part) for part in zip(boxes, kinds, strict=True)]
    )
    painted = np.array(
        [
            [paint(some[kind == k], 13) > 0 for k in (0, 1)]
            for some, kind in zip(boxes, kinds, strict=True)
        ]
    )
    np.testing.assert_array_equal(places.areas(), painted.sum(axis=(1, 2, 3)))
    a, b = (grid.ravel() for grid in np.meshgrid(np.arange(5), np.arange(5)))
    np.testing.assert_array_equal(
        places.common(a, b), (painted[a] & painted[b]).sum(axis=(1, 2, 3))
    )


def test_empty_rectangles_and_nothing_at_all():
    flat = np.array([[0.0, 0, 0, 5], [1, 1, 0, 3], [0, 0, 1, 1]])
    places = Regions.of([(flat, np.array([0, 0, 0])), (np.empty((0, 4)), np.empty(0, int))])
    assert places.areas().tolist() == [1, 0]
    assert places.common(np.array([0, 0, 1]), np.array([0, 1, 1])).tolist() == [1, 0, 0]
    assert places.common(np.empty(0, int), np.empty(0, int)).tolist() == []
    assert Regions.of([]).areas().tolist() == []
