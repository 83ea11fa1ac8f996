"""What the pen draws: curves through their points, white on black, other each time."""

import numpy as np
import pytest

from tfrecords_tools.characters.pen import curve, draw
from tfrecords_tools.characters.strokes import DIGITS, LETTERS, SETS


def rng(*seed):
    return np.random.default_rng(seed)


def test_a_curve_passes_its_points_and_keeps_corners():
    points = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    smooth = curve(points, np.array([False, False, False]))
    sharp = curve(points, np.array([False, True, False]))
    for path in (smooth, sharp):
        for point in points:
            assert np.abs(path - point).sum(1).min() < 1e-9
    # With a corner, two straight lines; without, the pen swings out.
    on_lines = np.isclose(sharp[:, 1], 0) | np.isclose(sharp[:, 0], 1)
    assert on_lines.all()
    assert (
        np.abs(smooth[:, 1]).min() == 0
        and not (np.isclose(smooth[:, 1], 0) | np.isclose(smooth[:, 0], 1)).all()
    )


def test_points_on_a_line_give_the_line():
    path = curve(np.array([[0.0, 0.0], [0.2, 0.2], [1.0, 1.0]]), np.zeros(3, bool))
    np.testing.assert_allclose(path[:, 0], path[:, 1], atol=1e-12)


@pytest.mark.parametrize("name", [*DIGITS, *LETTERS])
def test_white_on_black_within_the_border(name):
    ways = {**DIGITS, **LETTERS}[name]
    for seed in range(5):
        image = draw(ways, 28, rng(seed)).astype(int)
        assert image.shape == (28, 28)
        assert image.max() > 150
        border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert border.max() < 40
        assert 0.02 < image.mean() / 255 < 0.35
        rows = np.flatnonzero((image > 60).any(1))
        columns = np.flatnonzero((image > 60).any(0))
        longest = max(np.ptp(rows), np.ptp(columns)) + 1
        assert 14 <= longest <= 25  # MNIST: 20
    # Smooth edges: grey lies between.
    assert ((image > 30) & (image < 225)).sum() > 10


def test_the_same_numbers_draw_the_same_and_others_another():
    first = draw(DIGITS["3"], 28, rng(1))
    np.testing.assert_array_equal(first, draw(DIGITS["3"], 28, rng(1)))
    assert (first != draw(DIGITS["3"], 28, rng(2))).mean() > 0.05


def test_a_larger_image_shows_the_same_character():
    small, large = (draw(LETTERS["K"], size, rng(4)).astype(float) for size in (28, 56))
    reduced = large.reshape(28, 2, 28, 2).mean((1, 3))
    assert np.abs(reduced - small).mean() < 8


def test_the_nearest_mean_of_a_class_names_most_digits():
    names = list(SETS["digits"])
    train, test = (
        np.stack([[draw(DIGITS[n], 28, rng(s, i)) for i in range(10)] for n in names]) / 255.0
        for s in (1, 2)
    )
    means = train.mean(1).reshape(10, -1)
    distances = ((test.reshape(10, 10, 1, -1) - means) ** 2).sum(-1)
    assert (distances.argmin(-1) == np.arange(10)[:, None]).mean() > 0.5
