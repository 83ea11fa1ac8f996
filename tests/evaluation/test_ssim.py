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
    assert ssim(one, two) == pytest.approx((2 * a * b + c) / (a * a + b * b + c), rel=1e-4)


def test_bad_input():
    with pytest.raises(ValueError, match="11 pixels"):
        ssim(np.zeros((1, 8, 8, 3)), np.zeros((1, 8, 8, 3)))
    with pytest.raises(ValueError, match="both must be"):
        ssim(np.zeros((1, 16, 16, 3)), np.zeros((2, 16, 16, 3)))
