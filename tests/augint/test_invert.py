import keras
import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.augint import invert
from lorbms_tf.augint.saved_generator import SavedGenerator
from lorbms_tf.errors import UserError
from lorbms_tf.latent.slerp import unit_norm
from tests import tiny

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


def test_a_saved_generator_knows_its_sizes(tmp_path):
    folder = tiny.write_generator(tmp_path / "good")
    generator = SavedGenerator(folder)
    assert (generator.code_size, generator.image_size, generator.channels) == (3, 12, 1)
    network = generator.inversion_network()
    images = generator(tf.constant(np.eye(3, dtype=np.float32)))
    assert images.shape == (3, 12, 12, 1) and network(images).shape == (3, 3)


def test_what_is_no_generator_is_named(tmp_path):
    with pytest.raises(UserError, match="is no SavedModel: saved_model.pb is not there"):
        SavedGenerator(str(tmp_path))
    module = tf.Module()
    function = tf.function(
        lambda x: {"y": x + 1}, input_signature=[tf.TensorSpec((None, 3), tf.float32)]
    )
    tf.saved_model.save(module, str(tmp_path / "flat"), signatures={"decode": function})
    with pytest.raises(UserError, match=r"signature decode takes .* not codes \[B, D\]"):
        SavedGenerator(str(tmp_path / "flat"))
