import numpy as np
import pytest

from lorbms_tf.evaluation.psnr import psnr


def test_hand_known_values():
    images = np.full((3, 4, 4, 3), -1.0)
    shifts = np.array([2.0, 0.2, 0.02]).reshape(3, 1, 1, 1)
    assert psnr(images, images + shifts) == pytest.approx([0.0, 20.0, 40.0])


def test_equals_tensorflow():
    import tensorflow as tf

    rng = np.random.default_rng(0)
    a, b = rng.uniform(-1, 1, (2, 5, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(psnr(a, b), tf.image.psnr(a, b, max_val=2.0), rtol=1e-5)


def test_an_exact_copy_is_infinite():
    assert np.isinf(psnr(np.ones((1, 2, 2, 3)), np.ones((1, 2, 2, 3))))[0]


@pytest.mark.parametrize(
    "images, reconstructions, message",
    [
        (np.zeros((2, 4, 4, 3)), np.zeros((1, 4, 4, 3)), "both must be"),  # would be broadcast
        (np.zeros((2, 4, 4, 3)), np.zeros((2, 4, 4, 1)), "both must be"),
        (np.zeros((0, 4, 4, 3)), np.zeros((0, 4, 4, 3)), "both must be"),
        (np.zeros((1, 4, 4, 3)), np.full((1, 4, 4, 3), 255.0), "reconstructions must lie in"),
        (np.full((1, 4, 4, 3), -1.01), np.zeros((1, 4, 4, 3)), "images must lie in"),
        (np.zeros((2, 4, 4, 3)), np.full((2, 4, 4, 3), np.nan), "2 of 2 reconstructions are not"),
    ],
)
def test_bad_input(images, reconstructions, message):
    with pytest.raises(ValueError, match=message):
        psnr(images, reconstructions)


def test_rounding_beyond_the_range_is_allowed():
    assert np.isfinite(psnr(np.full((1, 2, 2, 3), 1 + 1e-6), np.zeros((1, 2, 2, 3)))).all()
