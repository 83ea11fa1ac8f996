"""Truths are plausible and varied, and pictures keep to them."""

from collections import Counter

import numpy as np
import pytest

from tfrecords_tools.scenes import backgrounds
from tfrecords_tools.scenes.colors import NAMED, contrast
from tfrecords_tools.scenes.objects import BY_NAME, CATEGORIES
from tfrecords_tools.scenes.scene import render, sample
from tfrecords_tools.scenes.shapes import extent

SIZE = 96


@pytest.fixture(scope="module")
def truths():
    return [sample(5, index) for index in range(300)]


def objects(truths):
    return [thing for truth in truths for thing in truth.objects]


def test_truth_depends_on_seed_and_index_alone():
    assert sample(3, 7) == sample(3, 7)
    assert sample(3, 7) != sample(3, 8)
    assert sample(3, 7) != sample(4, 7)


def test_every_category_and_background_appears(truths):
    assert len(CATEGORIES) >= 10 and len(backgrounds.KINDS) >= 6
    counts = Counter(thing.category for thing in objects(truths))
    kinds = Counter(truth.background.kind for truth in truths)
    assert min(counts[c.name] for c in CATEGORIES) >= 30
    assert min(kinds[kind] for kind in backgrounds.KINDS) >= 15


def test_one_object_a_quadrant_inside_it(truths):
    for truth in truths:
        assert [thing.quadrant for thing in truth.objects] == [1, 2, 3, 4]
        for thing in truth.objects:
            left, top = 0.5 * ((thing.quadrant - 1) % 2), 0.5 * ((thing.quadrant - 1) // 2)
            x0, y0, x1, y1 = thing.box
            assert left < x0 < x1 < left + 0.5
            assert top < y0 < y1 < top + 0.5
            assert 0.5 < thing.size < 0.9
            np.testing.assert_allclose(extent(thing.shapes()), thing.box, atol=2e-5)


def test_place_size_colour_and_rotation_vary(truths):
    for name in BY_NAME:
        same = [thing for thing in objects(truths) if thing.category == name]
        assert len({thing.color for thing in same}) >= 3
        assert len({thing.center for thing in same}) == len(same)
        assert len({thing.rotation for thing in same}) > 0.8 * len(same)
        assert np.std([thing.size for thing in same]) > 0.02
        assert {thing.mirrored for thing in same} == {True, False}


def test_flying_things_prefer_the_upper_quadrants_but_none_is_barred(truths):
    for category in CATEGORIES:
        same = [thing.quadrant <= 2 for thing in objects(truths) if thing.category == category.name]
        assert 0 < sum(same) < len(same)
        if category.flies:
            assert np.mean(same) > 0.6


def test_objects_stand_out_from_what_is_behind_them(truths):
    seen = []
    for truth in truths:
        view = truth.background.view()
        for thing in truth.objects:
            behind = backgrounds.behind(view, thing.quadrant <= 2)
            seen.append(contrast(NAMED[thing.color], behind))
    assert min(seen) > 120
    assert np.mean(np.array(seen) > 190) > 0.97


def test_picture_is_repeatable():
    truth = sample(1, 0)
    picture = render(truth, SIZE)
    assert picture.shape == (SIZE, SIZE, 3) and picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, render(truth, SIZE))


@pytest.mark.parametrize("kind", backgrounds.KINDS)
def test_every_background_draws_at_any_size(kind, truths):
    truth = next(truth for truth in truths if truth.background.kind == kind)
    small, large = render(truth, 32), render(truth, 64)
    assert large.std() > 15
    shrunk = large.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
    assert abs(shrunk - small).mean() < 6  # the same picture, but for grain and edges


@pytest.mark.parametrize("category", [c.name for c in CATEGORIES])
def test_object_pixels_lie_in_the_box(category, truths):
    """Against the same scene without the object: what changes strongly lies in the box."""
    truth, thing = next(
        (truth, thing) for truth in truths for thing in truth.objects if thing.category == category
    )
    changed = render(truth, SIZE).astype(int) - render(truth, SIZE, omit=(thing.quadrant,))
    changed = abs(changed).max(axis=2)  # [H, W]
    row, column = divmod(thing.quadrant - 1, 2)
    outside = changed.copy()
    half = SIZE // 2
    outside[row * half : (row + 1) * half, column * half : (column + 1) * half] = 0
    assert outside.max() == 0  # not even the shadow leaves the quadrant
    x0, y0, x1, y1 = (v * SIZE for v in thing.box)
    inside = changed[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1]
    assert (inside > 40).sum() > 0.9 * (changed > 40).sum()
    assert (inside > 25).mean() > 0.2  # and it is no thin thing
