import keras
import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.networks import AlexNet
from lorbms_tf.pseudo_labels.learning import Learner


class Linear(keras.Model):
    """Mean colour, a hidden layer, and a head: small enough to follow by hand."""

    settings = {"image_size": 4}

    def __init__(self, classes=3, dropout=0.0):
        super().__init__()
        self.hidden, self.head = keras.layers.Dense(4), keras.layers.Dense(classes)
        self.dropout = keras.layers.Dropout(dropout)
        self(tf.zeros((1, 4, 4, 3)))

    def call(self, images, training=None):
        hidden = self.hidden(tf.reduce_mean(images, axis=(1, 2)))
        return self.head(self.dropout(hidden, training=training))


def colours(per_class=8):
    """Images of three colours, and which colour they are."""
    labels = np.tile(np.arange(3), per_class)
    images = np.zeros((len(labels), 4, 4, 3), np.uint8)
    images[np.arange(len(labels)), :, :, labels] = 255
    return images, labels


def test_steps_follow_sgd_with_momentum_by_hand():
    keras.utils.set_random_seed(0)
    network = Linear()
    learner = Learner(network, learning_rate=0.1, momentum=0.5, weight_decay=0.01)
    learner.new_head(seed=1)
    images, labels = colours()
    inputs = images.mean(axis=(1, 2)) / 127.5 - 1  # crops of one colour are of that colour
    w, b, v, c = (x.astype(np.float64) for x in network.get_weights())
    assert not c.any() and 0 < np.abs(v).max() < 0.05
    velocity_w, velocity_b = np.zeros_like(w), np.zeros_like(b)
    for _ in range(3):
        hidden = inputs @ w + b
        logits = hidden @ v + c
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        error = (shares - np.eye(3)[labels]) / len(labels)
        back = error @ v.T
        velocity_w = 0.5 * velocity_w + inputs.T @ back + 0.01 * w
        velocity_b = 0.5 * velocity_b + back.sum(axis=0) + 0.01 * b
        v, c = v - 0.1 * (hidden.T @ error + 0.01 * v), c - 0.1 * (error.sum(axis=0) + 0.01 * c)
        w, b = w - 0.1 * velocity_w, b - 0.1 * velocity_b
    learner.learn([(images, labels)] * 3, seed=0)
    for found, expected in zip(network.get_weights(), (w, b, v, c), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_labels_are_learnt_and_a_new_head_forgets_them():
    keras.utils.set_random_seed(0)
    network = Linear()
    learner = Learner(network, learning_rate=0.5)
    learner.new_head(seed=0)
    first = learner.learn([colours()], seed=0)
    assert first.loss == pytest.approx(np.log(3), abs=0.05)  # it knows nothing yet
    assert first.accuracy == pytest.approx(round(first.accuracy * 24) / 24)
    learner.learn([colours()] * 60, seed=1)
    learnt = learner.learn([colours()], seed=2)
    assert learnt.accuracy == 1 and learnt.loss < 0.1
    hidden = network.hidden.get_weights()
    learner.new_head(seed=0)
    assert learner.learn([colours()], seed=3).loss > 0.5
    assert not np.array_equal(hidden[0], network.hidden.get_weights()[0])
    assert learner.learn([], seed=0) == (0.0, 0.0)


def test_a_state_goes_on_as_if_nothing_had_happened():
    images, labels = colours()
    learner = Learner(Linear(dropout=0.5))
    learner.learn([(images, labels)], seed=0)
    state = learner.state()
    expected = learner.learn([(images, labels)], seed=1)
    other = Learner(Linear(dropout=0.5))
    other.restore(state)  # the draws of dropout among it
    assert other.learn([(images, labels)], seed=1) == expected
    for name, value in other.state().items():
        np.testing.assert_array_equal(value, learner.state()[name], err_msg=name)
    with pytest.raises(ValueError, match="another network"):
        Learner(Linear(classes=4)).restore(state)


def test_the_thesis_network_learns_labels_too():
    sizes = {"conv_widths": (2, 2, 2, 2, 2), "dense_widths": (4,), "outputs": 3}
    network = AlexNet(image_size=28, channels=3, **sizes)  # the evaluation's knowledge transfer
    before = network.get_weights()
    learnt = Learner(network).learn([colours()], seed=0)
    assert np.isfinite(learnt.loss)
    assert not any(map(np.array_equal, before, network.get_weights()))
