import numpy as np
import tensorflow as tf

from lorbms_tf.probing.augmentation import augment


def test_colours_change_within_their_bounds():
    grey = np.full((300, 4, 4, 3), 128, np.uint8)
    made = augment(grey, tf.constant((0, 1)), 4).numpy()
    assert made.shape == (300, 4, 4, 3) and made.dtype == np.float32
    assert np.ptp(made, axis=(1, 2, 3)).max() < 1e-5  # each stays grey
    shifts = made[:, 0, 0, 0] - (128 / 127.5 - 1)
    assert -0.252 < shifts.min() < -0.22 and 0.22 < shifts.max() < 0.252
    red = np.zeros((300, 4, 4, 3), np.uint8) + np.array((150, 110, 110), np.uint8)
    made = augment(red, tf.constant((0, 1)), 4).numpy()
    saturation = (made[:, 0, 0, 0] - made[:, 0, 0, 1]) * 127.5 / 40
    assert 0.49 < saturation.min() < 0.55 and 1.45 < saturation.max() < 1.51


def test_the_range_is_kept_and_a_seed_gives_the_same():
    images = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (20, 8, 8, 3))
    made = augment(images, tf.constant((0, 1)), 8).numpy()
    assert made.min() == -1.0 and made.max() == 1.0
    np.testing.assert_array_equal(made, augment(images, tf.constant((0, 1)), 8))
    assert not np.allclose(made, augment(images, tf.constant((1, 1)), 8))
