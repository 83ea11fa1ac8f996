"""SqueezeNet as classifier: its count, and why it collapses where AlexNet learns (thesis, D.8)."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.gan.losses import bce
from lorbms_tf.networks.squeezenet_classifier import SqueezeNetClassifier


def test_parameters_by_hand():
    # SqueezeNet 1.0 has 1,248,424; less 513,000 of its last layer; 3 channels more and 4 logits.
    network = SqueezeNetClassifier()
    assert network.count_params() == 1_248_424 - 513_000 + 7 * 7 * 3 * 96 + 512 * 4 + 4


def _trained(last_relu, steps=3):
    """A network after some steps towards labels of which one in sixteen is 1, and their images."""
    network = SqueezeNetClassifier(image_size=32, last_relu=last_relu, seed=1)
    rng = np.random.default_rng(0)
    images = [tf.constant(rng.uniform(-1, 1, (16, 32, 32, 3)), tf.float32) for _ in range(2)]
    labels = np.zeros((16, 4), np.float32)
    labels[np.arange(4) * 4, np.arange(4)] = 1.0
    optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)

    def step():
        with tf.GradientTape() as tape:
            loss = bce(network(*images, training=True), labels)
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply(gradients, network.trainable_variables)
        return tf.linalg.global_norm(gradients)

    optimizer.build(network.trainable_variables)
    for _ in range(steps):
        step()
    return network, images, float(step())


def test_the_published_network_collapses_to_an_answer_of_a_half_and_stays_there():
    network, images, gradient = _trained(last_relu=True)
    maps = network.squeezenet.layer_maps(tf.concat(images, -1), ["conv10"])["conv10"]
    np.testing.assert_array_equal(maps, 0.0)
    np.testing.assert_array_equal(tf.sigmoid(network(*images)), 0.5)
    assert gradient == 0.0  # nothing leads out of it


def test_without_the_last_relu_it_answers_no_as_the_labels_do():
    network, images, gradient = _trained(last_relu=False)
    assert np.asarray(tf.sigmoid(network(*images))).mean() < 0.4
    assert gradient > 0.0


def test_six_images_are_18_channels_and_weights_are_loaded_again(tmp_path):
    settings = {"image_size": 32, "others": 5, "outputs": 3, "last_relu": False}
    network, other = (SqueezeNetClassifier(**settings, seed=seed) for seed in (0, 1))
    assert network.squeezenet.conv1.kernel.shape[2] == 18
    images = [np.ones((2, 32, 32, 3), "float32"), np.ones((2, 32, 32, 15), "float32")]
    assert network(*images).shape == (2, 3)
    network.save_weights(tmp_path / "n.weights.h5")
    other.load_weights(tmp_path / "n.weights.h5")
    np.testing.assert_array_equal(network(*images), other(*images))


def test_images_that_are_too_small_are_an_error():
    with pytest.raises(ValueError, match="17 px"):
        SqueezeNetClassifier(image_size=16)
