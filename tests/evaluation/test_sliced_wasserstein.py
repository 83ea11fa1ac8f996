import numpy as np
import pytest

from lorbms_tf.evaluation import sliced_wasserstein as module
from lorbms_tf.evaluation.sliced_wasserstein import laplacian_pyramid, sliced_wasserstein


def images(seed, count=24, side=32):
    return np.random.default_rng(seed).uniform(-1, 1, (count, side, side, 3)).astype(np.float32)


def test_equal_sets_are_at_zero_on_every_level():
    assert sliced_wasserstein(images(0), images(0), paired=True) == {32: 0.0, 16: 0.0}


def test_as_published_a_copy_is_not_at_zero():
    copy, other = (sliced_wasserstein(images(0), images(seed)) for seed in (0, 1))
    for side, distance in copy.items():
        assert other[side] / 4 < distance < 2 * other[side]


def test_pairs_show_noise_that_sets_do_not():
    real = images(0)
    noisy = np.clip(real + 0.01 * images(1), -1, 1)
    paired, apart = (sliced_wasserstein(real, noisy, paired=pair)[32] for pair in (True, False))
    assert 0 < paired < apart / 2


@pytest.mark.parametrize("paired", [True, False])
def test_images_that_are_not_finite(paired):
    broken = images(0)
    broken[3, 0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="1 of 24 generated images are not finite"):
        sliced_wasserstein(images(0), broken, paired=paired)
    with pytest.raises(ValueError, match="1 of 24 real images are not finite"):
        sliced_wasserstein(broken, broken, paired=paired)


def test_the_same_seed_gives_the_same_and_another_nearly():
    one, two = (sliced_wasserstein(images(0), images(1) ** 3, seed) for seed in (5, 6))
    assert one == sliced_wasserstein(images(0), images(1) ** 3, 5)
    assert one != two
    for level, value in one.items():
        assert two[level] == pytest.approx(value, rel=0.3)


def test_missing_detail_shows_on_the_finest_level():
    real = images(0, 48)
    same = sliced_wasserstein(real, images(1, 48))
    smooth = module._enlarge(module._blur(images(1, 48))[:, ::2, ::2])
    blurred = sliced_wasserstein(real, smooth)
    assert blurred[32] > 3 * same[32]


def test_the_pyramid_adds_up_to_the_image():
    levels = laplacian_pyramid(images(2, 2, 64))
    assert [level.shape[1] for level in levels] == [64, 32, 16]
    image = levels[-1]
    for level in levels[-2::-1]:
        image = level + module._enlarge(image)
    np.testing.assert_allclose(image, images(2, 2, 64), atol=1e-5)


def test_a_constant_image_has_no_detail_and_keeps_its_brightness():
    levels = laplacian_pyramid(np.full((1, 64, 64, 3), 0.3, np.float32))
    np.testing.assert_allclose(levels[-1], 0.3, rtol=1e-5)
    for level in levels[:-1]:
        np.testing.assert_allclose(level[:, 2:-2, 2:-2], 0.0, atol=1e-6)


def test_one_dimension_by_hand():
    one, two = np.array([[0.0], [3.0], [1.0]]), np.array([[5.0], [1.0], [2.0]])
    # Sorted 0 1 3 and 1 2 5: the differences are 1, 1 and 2.
    assert module._sliced(one, two, np.ones((1, 1))) == pytest.approx(4 / 3)


@pytest.mark.parametrize("side", [8, 24])
def test_sides_that_cannot_be_halved(side):
    with pytest.raises(ValueError, match="squares of 16, 32"):
        sliced_wasserstein(images(0, 2, side), images(1, 2, side))


def test_a_collapsed_decoder_scores_alike_in_every_grey():
    real = images(0)
    scores = [sliced_wasserstein(real, np.full_like(real, grey)) for grey in (0.0, 0.1, 1 / 3)]
    assert scores[0] == scores[1] == scores[2]


def test_large_sets_are_normalised_without_loss_of_digits():
    patches = np.random.default_rng(0).normal(0.5, 0.3, (40_000, 3, 7, 7)).astype(np.float32)
    normal = module._normal(patches).reshape(40_000, 3, 49).astype(np.float64)
    np.testing.assert_allclose(normal.mean(axis=(0, 2)), 0.0, atol=1e-6)
    np.testing.assert_allclose(normal.std(axis=(0, 2)), 1.0, atol=1e-6)


def test_blocks_of_images_change_nothing(monkeypatch):
    whole = sliced_wasserstein(images(0, side=64), images(1, side=64) ** 3)
    monkeypatch.setattr(module, "_BLOCK", 7)
    assert sliced_wasserstein(images(0, side=64), images(1, side=64) ** 3) == whole
