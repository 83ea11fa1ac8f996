import numpy as np
import pytest

from lorbms_tf.evaluation.ssim import ssim


def test_only_an_exact_reproduction_is_one():
    images = np.random.default_rng(0).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)
    np.testing.assert_allclose(ssim(images, images), 1.0, atol=1e-6)
    noisy = np.clip(images + np.array([0.1, 0.5])[:, None, None, None], -1, 1)
    first, second = ssim(images, noisy)
    assert 1 > first > second
    assert ssim(images, -images).max() < 0  # structure upside down


def test_constants_by_hand():
    # Above black, without structure: (2 a b + c) / (a^2 + b^2 + c) with c = (0.01 * 2)^2.
    a, b, c = 0.5, 0.25, 4e-4
    one, two = np.full((1, 12, 12, 3), a - 1), np.full((1, 12, 12, 3), b - 1)
    assert ssim(one, two) == pytest.approx((2 * a * b + c) / (a * a + b * b + c), rel=1e-12)


def test_flat_images_are_at_most_one():
    levels = np.random.default_rng(0).uniform(-1, 0.99, (50, 1, 1, 1)).astype(np.float32)
    flat = np.broadcast_to(levels, (50, 16, 16, 3))
    for step in (0.0, 1e-5, 1e-3):
        assert ssim(flat, flat + np.float32(step)).max() <= 1
    assert (ssim(flat, flat) == 1).all()


def test_equals_tensorflow_where_images_have_structure():
    import tensorflow as tf

    one, two = np.random.default_rng(1).uniform(-1, 1, (2, 3, 14, 20, 3)).astype(np.float32)
    two = 0.7 * one + 0.3 * two
    theirs = tf.image.ssim(one + 1, two + 1, max_val=2.0)
    np.testing.assert_allclose(ssim(one, two), theirs, rtol=1e-4)


def test_bad_input():
    with pytest.raises(ValueError, match="11 pixels"):
        ssim(np.zeros((1, 8, 8, 3)), np.zeros((1, 8, 8, 3)))
    with pytest.raises(ValueError, match="both must be"):
        ssim(np.zeros((1, 16, 16, 3)), np.zeros((2, 16, 16, 3)))
