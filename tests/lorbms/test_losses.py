import keras
import numpy as np
import pytest
from keras import ops

from lorbms_tf.lorbms import losses

LOG2 = np.log(2.0)


def value(tensor):
    return float(np.asarray(tensor))


def test_bce_at_zero_logits_is_log_two():
    assert value(losses.bce(np.zeros((3, 4)), np.ones((3, 4)))) == pytest.approx(LOG2)


def test_bce_equals_keras_on_random_logits():
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 5, (50, 4)).astype(np.float32)
    labels = rng.integers(0, 2, (50, 4)).astype(np.float32)
    other = keras.losses.BinaryCrossentropy(from_logits=True)(labels, logits)
    assert value(losses.bce(logits, labels)) == pytest.approx(value(other), rel=1e-6)


def test_bce_stays_finite_at_extreme_logits():
    assert value(losses.bce(np.array([1e4, -1e4]), np.array([1.0, 0.0]))) == pytest.approx(0.0)
    assert value(losses.bce(np.array([-1e4]), np.array([1.0]))) == pytest.approx(1e4)


def test_reconstruction_sums_two_means():
    images = np.zeros((2, 4, 4, 3), np.float32)
    first, second = images + 0.5, images - 0.25
    assert value(losses.reconstruction(images, first, second)) == pytest.approx(0.75)
    assert value(losses.reconstruction(images, first, second, norm=2)) == pytest.approx(0.3125)


def test_reconstruction_refuses_another_norm():
    images = np.zeros((1, 2, 2, 3))
    with pytest.raises(ValueError, match="1, 2"):
        losses.reconstruction(images, images, images, norm=3)


def test_perceptual_sums_the_means_and_measures_all_by_one_call():
    calls = []

    def measure(images, others):
        calls.append(images.shape[0])
        return ops.max(ops.abs(images - others), axis=(1, 2, 3))

    images = ops.zeros((2, 4, 4, 3))
    far = ops.concatenate([images[:1] + 0.5, images[:1]], axis=0)
    assert float(losses.perceptual(measure, images, images + 0.25)) == pytest.approx(0.25)
    assert float(losses.perceptual(measure, images, images + 0.25, far)) == pytest.approx(0.5)
    assert calls == [2, 4]


def test_classification_sums_over_pairs_and_averages_over_bits():
    logits = np.zeros((5, 4, 4), np.float32)
    labels = np.zeros((5, 4, 4), np.float32)
    assert value(losses.classification(logits, labels)) == pytest.approx(4 * LOG2)
    assert value(losses.classification(logits, labels, 0.25)) == pytest.approx(LOG2)


def test_discriminator_and_adversarial_losses_at_hand_known_points():
    zeros = np.zeros((2, 4, 4, 1), np.float32)
    assert value(losses.discriminator(zeros, zeros)) == pytest.approx(2 * LOG2)
    assert value(losses.discriminator(zeros + 50, zeros - 50)) == pytest.approx(0.0, abs=1e-12)
    assert value(losses.adversarial(zeros + 50)) == pytest.approx(0.0, abs=1e-12)
    assert value(losses.adversarial(zeros - 50)) == pytest.approx(50.0)


def test_joint_loss_is_the_weighted_sum():
    assert losses.generator(1.0, 10.0, 100.0, 0.904, 0.052, 0.044) == pytest.approx(5.824)
