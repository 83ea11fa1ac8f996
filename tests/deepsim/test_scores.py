"""Scores of inversions: known errors, what has no scale."""

import numpy as np
import pytest

from lorbms_tf.deepsim import scores


def test_the_error_is_in_mean_distances_of_two_photos():
    values = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]])
    assert scores.mean_distance(values) == pytest.approx((5 + 0 + 5) / 3)
    others = values + [1.0, 0.0]
    assert scores.normalised_error(values, others) == pytest.approx(0.3)
    assert scores.normalised_error(values, values) == 0


def test_of_other_photos_it_is_about_one():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 50, 40))
    assert scores.normalised_error(first, second) == pytest.approx(1, abs=0.1)
    # The mean of all photos is nearer than another photo.
    mean = np.broadcast_to(first.mean(axis=0), first.shape)
    assert scores.normalised_error(first, mean) == pytest.approx(0.5**0.5, abs=0.05)


def test_without_a_scale_there_is_no_error():
    with pytest.raises(ValueError, match="at least 2"):
        scores.normalised_error(np.zeros((1, 3)), np.zeros((1, 3)))
    with pytest.raises(ValueError, match="alike"):
        scores.normalised_error(np.ones((4, 3)), np.zeros((4, 3)))


def test_blur_lowers_sharpness_and_contrast_scales_it():
    images = np.random.default_rng(0).uniform(-1, 1, (2, 12, 12, 3))
    assert scores.sharpness(images, images) == pytest.approx(1)
    assert scores.sharpness(images, images / 2) == pytest.approx(0.5)
    blurred = (images + np.roll(images, 1, 1) + np.roll(images, 1, 2)) / 3
    assert scores.sharpness(images, blurred) < 0.9
    with pytest.raises(ValueError, match="flat"):
        scores.sharpness(np.zeros_like(images), images)


def test_what_is_not_finite_is_counted():
    values = np.random.default_rng(0).normal(size=(4, 3))
    others = values.copy()
    others[1:3] = np.nan
    with pytest.raises(ValueError, match="2 of 4 values of what was made are not finite"):
        scores.normalised_error(values, others)


def test_patches_are_compared_at_their_places():
    images = np.random.default_rng(0).uniform(-1, 1, (6, 32, 32, 3)).astype(np.float32)
    compared = scores.SCORES["swd_paired"]
    assert compared.compute(images, images) == 0
    smooth = images.copy()
    for _ in range(3):
        smooth = (smooth + np.roll(smooth, 1, 1) + np.roll(smooth, 1, 2)) / 3
    assert compared.compute(images, smooth) > compared.compute(images, 0.9 * images + 0.1 * smooth)
    with pytest.raises(ValueError, match="16, 32, 64"):
        compared.compute(images[:, :30, :30], images[:, :30, :30])
