import numpy as np
import pytest

from lorbms_tf.data import augmented_views
from lorbms_tf.data.augmentation import CHARACTERS, NATURAL, Ranges

STILL = Ranges(0, 0, 0, 0)


def images(count, size=12, channels=1, seed=0):
    shape = (count, size, size, channels)
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def uniforms(count, value=None, seed=0):
    drawn = np.random.default_rng(seed).uniform(size=(count, augmented_views.DRAWS))
    return (drawn if value is None else np.full_like(drawn, value)).astype(np.float32)


def test_draws_in_the_middle_change_nothing():
    given = images(2)
    seen = augmented_views.views(given, uniforms(2, 0.5), CHARACTERS, "constant")
    for view in (seen.first, seen.second, seen.target):
        np.testing.assert_allclose(view, given, atol=1e-5)
    np.testing.assert_allclose(seen.alpha, 0.5)


@pytest.mark.parametrize("alpha, end", [(0.0, "first"), (1.0, "second")])
def test_the_target_lies_between_the_two_views(alpha, end):
    draws = uniforms(3)
    draws[:, -2:] = alpha
    seen = augmented_views.views(images(3, channels=3), draws, NATURAL, "reflect")
    np.testing.assert_allclose(seen.target, getattr(seen, end), atol=1e-5)
    assert np.abs(np.subtract(seen.first, seen.second)).max() > 0.1


def test_the_target_alone_is_the_same():
    given, draws = images(2), uniforms(2)
    alone = augmented_views.views(given, draws, CHARACTERS, "constant", ends=False)
    both = augmented_views.views(given, draws, CHARACTERS, "constant")
    np.testing.assert_allclose(alone.target, both.target, atol=1e-6)
    assert alone.first is None and alone.second is None


def test_alpha_is_the_mean_of_two_uniform_draws():
    seen = augmented_views.views(
        images(40_000, size=1), uniforms(40_000), STILL, "nearest", ends=False
    )
    alpha = np.asarray(seen.alpha)
    np.testing.assert_allclose(alpha.mean(), 0.5, atol=0.005)
    np.testing.assert_allclose(alpha.var(), 1 / 24, rtol=0.05)
    assert alpha.min() >= 0 and alpha.max() <= 1
