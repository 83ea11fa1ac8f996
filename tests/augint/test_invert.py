import keras
import numpy as np
import tensorflow as tf

from lorbms_tf.augint import invert
from lorbms_tf.latent.slerp import unit_norm

ROWS = np.random.default_rng(0).normal(0, 0.5, (4, 16)).astype(np.float32)


def decode(codes):
    return tf.reshape(tf.tanh(tf.matmul(codes, ROWS)), (-1, 4, 4, 1))


def codes(count, seed=1):
    return np.asarray(unit_norm(np.random.default_rng(seed).normal(size=(count, 4)).astype("f4")))


def test_descent_finds_codes_that_look_alike():
    wanted, guess = codes(5), codes(5, seed=2)
    images = decode(tf.constant(wanted))
    refined = invert.refiner(decode, steps=300, rate=0.05)(images, tf.constant(guess))
    errors = [np.abs(decode(c) - images).mean() for c in (guess, refined)]
    assert errors[1] < 0.2 * errors[0]
    np.testing.assert_allclose(np.linalg.norm(refined, axis=1), 1, rtol=1e-5)


def test_each_image_descends_alone():
    images, guess = decode(tf.constant(codes(3))), tf.constant(codes(3, seed=2))
    refine = invert.refiner(decode, steps=5, rate=0.05)
    np.testing.assert_allclose(refine(images, guess)[:1], refine(images[:1], guess[:1]), atol=1e-5)


def test_no_steps_change_nothing():
    guess = tf.constant(codes(2))
    refined = invert.refiner(decode, steps=0)(decode(guess), guess)
    np.testing.assert_array_equal(refined, guess)


def test_a_network_learns_the_codes_of_a_generator():
    network = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(4)]
    )
    late = invert.train(network, decode, 4, steps=300, batch_size=32, rate=0.02)
    assert late < 0.5  # zeros, or any other guess without looking, miss by 1
    wanted = codes(50, seed=5)
    error = np.mean(np.sum((network(decode(tf.constant(wanted))) - wanted) ** 2, axis=1))
    assert error < 0.5
