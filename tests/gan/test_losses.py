import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.gan import losses


def column(*values):
    return np.array(values, np.float32)[:, None]


def test_cross_entropy_by_hand():
    expected = np.log1p(np.exp(-2)) + np.log1p(np.exp(-1))
    np.testing.assert_allclose(
        losses.bce_discriminator(column(2.0), column(-1.0)), expected, rtol=1e-6
    )
    np.testing.assert_allclose(losses.bce_generator(column(0.0)), np.log(2), rtol=1e-6)
    assert float(losses.bce_generator(column(-100.0))) == 100.0  # no overflow


@pytest.mark.parametrize("targets, expected", [("01", 0.5 * (1 + 0.25)), ("pm1", 0.5 * (1 + 2.25))])
def test_least_squares_by_hand(targets, expected):
    real, fake = column(2.0, 0.0), column(0.5, 0.5)
    np.testing.assert_allclose(losses.lsgan_discriminator(real, fake, targets), expected)
    np.testing.assert_allclose(losses.lsgan_generator(fake, targets), 0.125)


def test_a_perfect_discriminator_has_no_loss_and_a_margin_of_one_or_two():
    for targets, margin in (("01", 1.0), ("pm1", 2.0)):
        real, fake = losses.TARGETS[targets]
        assert float(losses.lsgan_discriminator(column(real), column(fake), targets)) == 0.0
        assert real - fake == margin


def test_wasserstein_by_hand():
    assert float(losses.wgan_critic(column(3.0, 1.0), column(1.0, 0.0))) == -1.5
    assert float(losses.wgan_generator(column(1.0, 0.0))) == -0.5


def test_interpolates_lie_between():
    real, fake = np.zeros((3, 2, 2, 1), np.float32), np.ones((3, 2, 2, 1), np.float32)
    between = np.asarray(losses.interpolates(real, fake, column(0.0, 0.25, 1.0)[:, 0]))
    np.testing.assert_array_equal(between[:, 0, 0, 0], [0.0, 0.25, 1.0])


def test_the_penalty_by_hand_and_its_gradient_by_differences():
    gradients = np.array([[3.0, 4.0], [0.6, 0.8]], np.float32)  # lengths 5 and 1
    np.testing.assert_allclose(losses.gradient_penalty(gradients), 8.0, rtol=1e-6)
    weights = tf.constant([[0.3], [-0.5]])
    points = tf.constant([[1.0, 2.0], [0.5, -1.0]])

    def penalty(weights):
        """Of the critic tanh(x w)."""
        with tf.GradientTape() as tape:
            tape.watch(points)
            scores = tf.tanh(points @ weights)
        return losses.gradient_penalty(tape.gradient(scores, points))

    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = penalty(weights)
    exact, step = tape.gradient(value, weights).numpy(), 1e-2
    for i in range(2):
        nudge = tf.constant(step * np.eye(2, dtype=np.float32)[:, i : i + 1])
        difference = (penalty(weights + nudge) - penalty(weights - nudge)) / (2 * step)
        np.testing.assert_allclose(difference, exact[i, 0], rtol=2e-2, atol=1e-3)


def test_the_penalty_has_a_gradient_where_the_critic_is_flat():
    gradients = tf.zeros((2, 3))
    with tf.GradientTape() as tape:
        tape.watch(gradients)
        value = losses.gradient_penalty(gradients)
    np.testing.assert_allclose(value, 1.0, atol=1e-5)
    assert np.isfinite(tape.gradient(value, gradients)).all()


def test_two_way_softmax_by_hand():
    real, fake = np.array([[2.0, 0.0]], np.float32), np.array([[0.0, 1.0]], np.float32)
    expected = np.log1p(np.exp(-2)) + np.log1p(np.exp(-1))  # classes: real 0, fake 1
    np.testing.assert_allclose(losses.two_way_discriminator(real, fake), expected, rtol=1e-6)
    np.testing.assert_allclose(losses.two_way_generator(fake), np.log1p(np.exp(1)), rtol=1e-6)
