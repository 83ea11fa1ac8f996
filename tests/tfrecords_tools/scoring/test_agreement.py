"""Boxed areas in common: places, not sizes."""

import numpy as np
import pytest

from tfrecords_tools import versions
from tfrecords_tools.scoring import agreement, truth

CATEGORIES = ["cat", "dog", "cow"]


def overlap(photos, names, references, others):
    """`area_overlap` of all images of photos given as (boxes, categories) of 100 x 100 pixels."""
    known = {
        str(number): truth.PhotoTruth(100, 100, boxes, categories)
        for number, (boxes, categories) in enumerate(photos)
    }
    found = truth.Truth(known, CATEGORIES, [], [])
    labels = truth.labels(found, names, np.arange(len(names)), 0)
    return agreement.area_overlap(labels, np.array(references), np.array(others))


def pair(one, other):
    """The score of one photo beside another, quadrant by quadrant."""
    names = [("0", "original"), ("1", "original")]
    return overlap([one, other], names, [0], np.ones((1, 4, 1), int))[0, :, 0]


def test_equal_places_score_one_however_often_a_box_stands_there():
    box = (0, 0, 50, 20)
    assert pair(([box], [0]), ([box, box], [0, 0]))[0] == 1
    third = (1.1, 2.3, 33.7, 17.9)  # no round numbers
    assert pair(([third, box], [0, 1]), ([box, third], [1, 0]))[0] == pytest.approx(1, abs=1e-12)


def test_equal_sizes_at_other_places_score_nothing():
    assert pair(([(0, 0, 20, 20)], [0]), ([(30, 30, 20, 20)], [0]))[0] == 0


def test_half_a_box():
    # 20 x 20 each, 10 x 20 in common: 200 of 600.
    assert pair(([(0, 0, 20, 20)], [0]), ([(10, 0, 20, 20)], [0]))[0] == pytest.approx(1 / 3)


def test_categories_are_not_mixed_up_and_summed():
    assert pair(([(0, 0, 20, 20)], [0]), ([(0, 0, 20, 20)], [1]))[0] == 0
    one = ([(0, 0, 20, 20), (0, 30, 10, 10)], [0, 1])
    other = ([(0, 0, 20, 20), (0, 30, 10, 10)], [0, 2])
    assert pair(one, other)[0] == pytest.approx(400 / 600)


def test_quadrants_are_laid_over_each_other():
    score = pair(([(0, 0, 100, 100)], [0]), ([(50, 0, 25, 50)], [0]))
    assert score == pytest.approx([0, 0.5, 0, 0])


def test_nothing_to_find_and_nobody_known():
    score = pair(([(0, 0, 50, 50)], [0]), ([], []))
    assert score[0] == 0 and np.isnan(score[1:]).all()
    names = [("0", "original"), ("unknown", "original")]
    photos = [([(0, 0, 50, 50)], [0])]
    assert np.isnan(overlap(photos, names, [0], np.ones((1, 4, 1), int))).all()
    assert np.isnan(overlap(photos, names, [1], np.zeros((1, 4, 1), int))).all()


def test_it_is_what_painted_boxes_share_in_all_versions():
    """The independent way: paint every category of every version, and count pixels."""
    rng = np.random.default_rng(0)
    photos = []
    for count in (5, 1, 9, 0):
        corners = rng.integers(0, 80, (count, 2))
        boxes = np.concatenate([corners, rng.integers(5, 60, (count, 2))], axis=1)
        photos.append((list(map(tuple, boxes.tolist())), rng.integers(0, 3, count).tolist()))
    names = [(str(photo), version) for photo in range(4) for version in versions.VERSIONS]
    references, others = np.arange(20), rng.integers(0, 20, (20, 4, 7))
    score = overlap(photos, names, references, others)

    size, half = 600, 300
    painted = np.zeros((20, len(CATEGORIES), size, size), bool)
    for image, (photo, version) in enumerate(names):
        for (x, y, w, h), category in zip(*photos[int(photo)], strict=True):
            pixels = np.zeros((100, 100, 3), np.uint8)
            pixels[y : y + h, x : x + w] = 255
            painted[image, category] |= versions.make(pixels, version, photo, 0, size)[..., 0] > 127
    quads = painted.reshape(20, 3, 2, half, 2, half).transpose(0, 2, 4, 1, 3, 5)
    quads = quads.reshape(20, 4, -1)
    for reference, q, rank in np.ndindex(score.shape):
        own, theirs = quads[reference, q], quads[others[reference, q, rank], q]
        if own.sum() < 100:  # pixels
            continue
        expected = (own & theirs).sum() / (own | theirs).sum()
        assert score[reference, q, rank] == pytest.approx(expected, abs=0.02)
