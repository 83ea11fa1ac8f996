import numpy as np

from lorbms_tf.augint import objective
from lorbms_tf.data import augmentation, augmented_views
from tests import tiny


def images(count, size=12, channels=1, seed=0):
    shape = (count, size, size, channels)
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def uniforms(count, value=None, seed=0):
    drawn = np.random.default_rng(seed).uniform(size=(count, augmented_views.DRAWS))
    return (drawn if value is None else np.full_like(drawn, value)).astype(np.float32)


class Halves:
    """A network whose code of an image is the mean of its left and of its right half."""

    def __call__(self, given, training=True):
        return np.stack(
            [np.mean(given[:, :, :6], (1, 2, 3)), np.mean(given[:, :, 6:], (1, 2, 3))], 1
        )


def codes_of(given, training=True):
    """A decoder that shows its codes."""
    return np.asarray(given)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_which_codes_are_decoded():
    seen = augmented_views.views(images(3), uniforms(3), augmentation.CHARACTERS, "constant")
    start, end, target = (unit(Halves()(np.asarray(v))) for v in seen[:3])
    alpha = np.asarray(seen.alpha)
    augint = objective.forward(tiny.augint_config())(Halves(), codes_of, seen)
    angle = np.arccos(np.sum(start * end, -1))
    np.testing.assert_allclose(np.linalg.norm(augint, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(
        np.arccos(np.clip(np.sum(start * augint, -1), -1, 1)), alpha * angle, atol=2e-3
    )
    plain = objective.forward(tiny.augint_config(objective="ae", adversarial=False))
    np.testing.assert_allclose(plain(Halves(), codes_of, seen), target, rtol=1e-5)
    pairs = objective.forward(tiny.augint_config(objective="intae"))(Halves(), codes_of, seen)
    assert pairs.shape == (6, 2)
    np.testing.assert_allclose(pairs[:3], target, rtol=1e-5)
    cosines = np.sum(target * pairs[3:], -1), np.sum(target * np.roll(target, -1, 0), -1)
    np.testing.assert_allclose(
        np.arccos(np.clip(cosines[0], -1, 1)), alpha * np.arccos(cosines[1]), atol=2e-3
    )
    both = objective.forward(tiny.augint_config(judged="pairs"))(Halves(), codes_of, seen)
    np.testing.assert_allclose(both[:3], augint, rtol=1e-5)


def test_distances_and_psnr_by_hand():
    black, grey = np.full((2, 2, 2, 1), -1, np.float32), np.zeros((2, 2, 2, 1), np.float32)
    np.testing.assert_allclose(objective.distances(black, grey), [1, 1])
    np.testing.assert_allclose(objective.distances(black, 0.5 * black, norm=2), [0.25, 0.25])
    np.testing.assert_allclose(objective.psnr(black, grey), 10 * np.log10(4), rtol=1e-5)


def test_diversity_is_a_share():
    given = images(4)
    np.testing.assert_allclose(objective.diversity(0.5 * given, given), 0.5, rtol=1e-5)
    assert float(objective.diversity(np.ones_like(given), given)) == 0.0


def test_the_loss_of_a_vae_is_a_mean_per_pixel_of_both_parts():
    given, statistics = np.zeros((1, 2, 2, 1), np.float32), np.array([[1, 0]], np.float32)
    loss = objective.vae_loss(given, given + 1, statistics, kl_weight=2.0)
    np.testing.assert_allclose(loss, 1.0 + 2.0 * 0.5 / 4)


def test_partners_of_a_class():
    labels = np.array([0, 1, 0, 2, 0])
    given = np.arange(5, dtype=np.float32)[:, None, None, None]
    others, there = objective.class_partners(given, labels)
    np.testing.assert_array_equal(np.asarray(others)[:, 0, 0, 0], [2, 1, 4, 3, 0])
    np.testing.assert_array_equal(there, [True, False, True, False, True])


def test_code_errors_by_hand():
    codes = np.array([[1, 0], [0, 1]], np.float32)
    np.testing.assert_allclose(objective.code_error(codes, codes[::-1]), 2.0)
