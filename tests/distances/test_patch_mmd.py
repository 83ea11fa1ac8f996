"""Patch MMD: the exact form against a literal one, random features against the exact form."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import cdist

from lorbms_tf.distances import patch_mmd
from lorbms_tf.distances.patch_mmd import PatchMMD
from tests.distances.pictures import patches, photo

SMALL = PatchMMD(window=8, stride=4, sigma=0.6)


def literal(first, second, settings, unbiased=False) -> list[float]:
    """The mean over windows of the squared MMD of each pair of pictures, by loops, float64."""
    means = []
    for x, y in zip(first, second, strict=True):
        height, width, _ = x.shape
        found = []
        steps = (range(0, s - settings.window + 1, settings.stride) for s in (height, width))
        of_x, of_y = (patches(p, settings.patch, settings.remove_dc) for p in (x, y))
        for top, left in itertools.product(*steps):
            place = np.s_[top : top + settings.window, left : left + settings.window]
            a, b = (of[place].reshape(settings.window**2, -1) for of in (of_x, of_y))
            xx, yy, xy = (
                np.exp(-cdist(p, q, "sqeuclidean") / (2 * settings.sigma**2))
                for p, q in ((a, a), (b, b), (a, b))
            )
            if unbiased:
                off = ~np.eye(len(a), dtype=bool)
                xx, yy = xx[off], yy[off]
            found.append(xx.mean() + yy.mean() - 2 * xy.mean())
        means.append(np.mean(found))
    return means


@pytest.mark.parametrize("remove_dc", [False, True])
@pytest.mark.parametrize("unbiased", [False, True])
def test_the_exact_form_is_the_literal_one(remove_dc, unbiased):
    first, second = photo(0, 16, 2), photo(1, 16, 2)[:, :, ::-1] * 0.7
    settings = SMALL._replace(remove_dc=remove_dc)
    ours = patch_mmd.exact(first, second, settings, unbiased)
    np.testing.assert_allclose(ours, literal(first, second, settings, unbiased), rtol=1e-4)


def test_other_patches_and_pictures_that_are_no_squares():
    first, second = photo(2, 20)[:, :12], photo(3, 20)[:, :12]
    settings = PatchMMD(patch=5, window=8, stride=3, sigma=1.1)
    ours = patch_mmd.exact(first, second, settings)
    np.testing.assert_allclose(ours, literal(first, second, settings), rtol=1e-4)


def test_equal_pictures_have_the_distance_zero():
    picture = photo(4)
    assert abs(float(patch_mmd.exact(picture, picture)[0])) < 1e-6
    assert float(patch_mmd.random_features(picture, picture, 0)[0]) == 0
    assert float(patch_mmd.plus_plus(picture, picture, 0)[0]) == 0


def test_random_features_have_the_exact_form_as_their_mean():
    first, second = photo(5), photo(6)
    exact = float(patch_mmd.exact(first, second)[0])
    draw = tf.function(
        lambda seed: patch_mmd.random_features(first, second, seed, features=512)[0],
        autograph=False,
    )
    generator = keras.random.SeedGenerator(7)
    draws = [float(draw(generator)) for _ in range(60)]
    assert abs(np.mean(draws) / exact - 1) < 0.03
    assert 0 < np.std(draws) / exact < 0.2


def test_more_features_scatter_less():
    first, second = photo(8, 16), photo(9, 16)
    settings = SMALL._replace(window=16)
    spreads = []
    for features in (64, 1024):
        generator = keras.random.SeedGenerator(1)
        draws = [
            float(patch_mmd.random_features(first, second, generator, settings, features)[0])
            for _ in range(40)
        ]
        spreads.append(np.std(draws))
    # By the square root of 16; 40 draws tell their spread to about a tenth.
    assert 2 < spreads[0] / spreads[1] < 8


def test_the_unbiased_random_features_agree_with_the_unbiased_exact_form():
    first, second = photo(10, 16), photo(11, 16)
    exact = float(patch_mmd.exact(first, second, SMALL, unbiased=True)[0])
    generator = keras.random.SeedGenerator(2)
    draws = [
        float(patch_mmd.random_features(first, second, generator, SMALL, 2048, unbiased=True)[0])
        for _ in range(20)
    ]
    assert abs(np.mean(draws) - exact) < 4 * np.std(draws) / 20**0.5 + 1e-4


def test_a_seed_gives_the_same_draw_and_a_generator_another_each_time():
    first, second = photo(12, 16), photo(13, 16)
    one, same, other = (
        float(patch_mmd.random_features(first, second, seed, SMALL, 64)[0]) for seed in (3, 3, 4)
    )
    assert one == same != other
    generator = keras.random.SeedGenerator(3)
    drawn = [
        float(patch_mmd.random_features(first, second, generator, SMALL, 64)[0]) for _ in range(2)
    ]
    assert drawn[0] != drawn[1]


def test_without_their_means_patches_do_not_see_another_brightness():
    picture = 0.5 * photo(14, 16)
    brighter = picture + np.array([0.3, 0.1, -0.2], np.float32)
    settings = SMALL._replace(remove_dc=True)
    for distance in (
        patch_mmd.exact(picture, brighter, settings),
        patch_mmd.random_features(picture, brighter, 0, settings),
    ):
        assert abs(float(distance[0])) < 1e-5
    assert float(patch_mmd.exact(picture, brighter, SMALL)[0]) > 0.01


def test_the_order_of_patches_in_a_window_does_not_matter():
    """A picture of two halves, and the halves exchanged: the same patches, but for the seams."""
    picture = np.zeros((1, 32, 32, 3), np.float32)
    picture[:, :, 16:] = 0.5
    exchanged = picture[:, :, ::-1]
    assert float(patch_mmd.exact(picture, exchanged)[0]) < 0.01
    assert float(patch_mmd.local(picture, exchanged)[0]) > 0.5
    assert float(patch_mmd.plus_plus(picture, exchanged, 0)[0]) > 0.01


@pytest.mark.parametrize("name", ["exact", "random_features"])
def test_a_shifted_texture_is_near_where_the_squared_error_is_large(name):
    period = np.tile(photo(20, 8)[0], (8, 8, 1))  # [64, 64, 3]
    texture, shifted, other = period[None], np.roll(period, 4, axis=1)[None], photo(21, 64)
    distances = {
        "exact": lambda a, b: patch_mmd.exact(a, b),
        "random_features": lambda a, b: patch_mmd.random_features(a, b, 0),
    }
    near, far = (float(distances[name](texture, image)[0]) for image in (shifted, other))
    assert near < 0.05 * far
    assert np.square(texture - shifted).mean() > 0.5 * np.square(texture - other).mean()


@pytest.mark.parametrize("name", ["exact", "random_features", "plus_plus"])
def test_more_noise_is_farther(name):
    picture = 0.7 * photo(22)
    noise = np.random.default_rng(0).normal(size=picture.shape).astype(np.float32)
    distances = {
        "exact": lambda other: patch_mmd.exact(picture, other),
        "random_features": lambda other: patch_mmd.random_features(picture, other, 0),
        "plus_plus": lambda other: patch_mmd.plus_plus(picture, other, 0),
    }
    scales = (0.0, 0.05, 0.1, 0.2, 0.4)
    found = [float(distances[name](picture + scale * noise)[0]) for scale in scales]
    assert found[0] == pytest.approx(0, abs=1e-6) and (np.diff(found) > 0).all()


def test_degenerate_pictures():
    black, white = np.full((1, 8, 8, 3), -1, np.float32), np.full((1, 8, 8, 3), 1, np.float32)
    settings = PatchMMD(window=8)
    # All patches of each are alike: 2 - 2 k, with k as good as 0.
    np.testing.assert_allclose(patch_mmd.exact(black, white, settings), [2.0], rtol=1e-5)
    drawn = patch_mmd.random_features(black, white, 0, settings, 4096)
    np.testing.assert_allclose(drawn, [2.0], rtol=0.1)
    broken = black.copy()
    broken[0, 3, 3, 1] = np.nan
    for distance in (
        patch_mmd.exact(broken, white, settings),
        patch_mmd.random_features(broken, white, 0, settings),
        patch_mmd.plus_plus(broken, white, 0, settings),
    ):
        assert np.isnan(np.asarray(distance)).all()  # not hidden
    dot = np.zeros((1, 1, 1, 3), np.float32)
    one = PatchMMD(patch=1, window=1, stride=1)
    expected = 2 - 2 * np.exp(-3 * 0.5**2 / (2 * 0.6**2))
    np.testing.assert_allclose(patch_mmd.exact(dot, dot + 0.5, one), [expected], rtol=1e-5)
    with pytest.raises(ValueError, match="Patches of 3 px are too large"):
        patch_mmd.exact(dot, dot, one._replace(patch=3))


def test_the_local_term_by_hand():
    black, grey = np.full((1, 8, 8, 3), -1, np.float32), np.full((1, 8, 8, 3), -0.9, np.float32)
    expected = 1 - np.exp(-27 * 0.1**2 / (2 * 0.9**2))
    np.testing.assert_allclose(patch_mmd.local(black, grey), [expected], rtol=1e-5)


def test_mmd_plus_plus_is_the_sum_of_its_parts():
    first, second = photo(15), photo(16)
    parts = (
        patch_mmd.random_features(first, second, 5, PatchMMD(remove_dc=True))
        + 0.025 * patch_mmd.local(first, second)
        + 0.001 * np.mean((first - second) ** 2)
    )
    np.testing.assert_allclose(patch_mmd.plus_plus(first, second, 5), parts, rtol=1e-6)


@pytest.mark.parametrize("name", ["exact", "random_features", "plus_plus"])
def test_gradients_are_finite_and_point_towards_the_target(name):
    target = photo(17, 16)
    images = tf.Variable(np.zeros_like(target))
    distances = {
        "exact": lambda: patch_mmd.exact(images, target, SMALL),
        "random_features": lambda: patch_mmd.random_features(images, target, 0, SMALL),
        "plus_plus": lambda: patch_mmd.plus_plus(images, target, 0, SMALL),
    }
    with tf.GradientTape() as tape:
        before = tf.reduce_sum(distances[name]())
    gradient = tape.gradient(before, images).numpy()
    assert np.isfinite(gradient).all()
    images.assign_sub(gradient * 0.05 / np.abs(gradient).max())
    assert float(tf.reduce_sum(distances[name]())) < float(before)


@pytest.mark.parametrize(
    "settings, reason",
    [
        (PatchMMD(window=33), "Windows of 33 px"),
        (PatchMMD(window=0), "Windows of 0 px"),
        (PatchMMD(patch=4), "odd"),
        (PatchMMD(stride=0), "apart"),
        (PatchMMD(sigma=0.0), "positive"),
        (PatchMMD(sigma=float("nan")), "positive"),
    ],
)
def test_wrong_settings_are_named(settings, reason):
    picture = photo(0)
    with pytest.raises(ValueError, match=reason):
        patch_mmd.exact(picture, picture, settings)
    with pytest.raises(ValueError, match=reason):
        patch_mmd.random_features(picture, picture, 0, settings)


def test_pictures_of_other_sizes_do_not_compare():
    with pytest.raises(ValueError, match="do not compare"):
        patch_mmd.exact(photo(0), photo(0, 36))
