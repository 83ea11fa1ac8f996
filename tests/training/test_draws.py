import numpy as np
import pytest

from lorbms_tf.training import draws

IMAGES = np.zeros((40, 2, 2, 1), np.float32)


def test_seed_and_step_alone_decide():
    first = np.asarray(draws.for_images(IMAGES, 3, seed=1, step=5))
    np.testing.assert_array_equal(first, draws.for_images(IMAGES, 3, seed=1, step=5))
    for seed, step in ((1, 6), (2, 5)):
        assert (np.asarray(draws.for_images(IMAGES, 3, seed, step)) != first).mean() > 0.9


@pytest.mark.parametrize("kind, mean, least", [("uniform", 0.5, 0.0), ("normal", 0.0, -6.0)])
def test_kinds(kind, mean, least):
    made = np.asarray(draws.for_images(IMAGES, 100, seed=0, step=0, kind=kind))
    assert made.shape == (40, 100) and made.dtype == np.float32
    assert made.mean() == pytest.approx(mean, abs=0.1)
    assert made.min() >= least and (made.max() < 1 or kind == "normal")
