import numpy as np
import pytest

from lorbms_tf.evaluation.psnr import psnr


def test_hand_known_values():
    images = np.zeros((3, 4, 4, 3))
    shifts = np.array([2.0, 0.2, 0.02]).reshape(3, 1, 1, 1)
    assert psnr(images, images + shifts) == pytest.approx([0.0, 20.0, 40.0])


def test_equals_tensorflow():
    import tensorflow as tf

    rng = np.random.default_rng(0)
    a, b = rng.uniform(-1, 1, (2, 5, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(psnr(a, b), tf.image.psnr(a, b, max_val=2.0), rtol=1e-5)


def test_an_exact_copy_is_infinite():
    assert np.isinf(psnr(np.ones((1, 2, 2, 3)), np.ones((1, 2, 2, 3))))[0]
