"""A linear classifier on features, the network frozen or trained with it (thesis, 4.3.1)."""

import math
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lorbms_tf.data.images import tf_to_float
from lorbms_tf.errors import UserError
from lorbms_tf.features.network import FeatureNetwork
from lorbms_tf.networks.spectral_norm import advance_spectral_norms
from lorbms_tf.probing.augmentation import augment
from lorbms_tf.probing.labelled import Part
from lorbms_tf.probing.settings import ProbeConfig
from lorbms_tf.progress import track
from lorbms_tf.pseudo_labels import state_files

MOMENTUM = 0.9
SAVE_INTERVAL = 60.0  # seconds, at the least, between two states of a run


class LinearProbe:
    """Softmax regression on features; for several classes an image one logistic regression each.

    Args:
      features: what it reads. With `config.finetune` their network learns, too.
      classes: how many there are.
      config: optimizer, rate, size of the images.
      seed: of the initial weights and of all augmentation.
    """

    def __init__(self, features: FeatureNetwork, classes: int, config: ProbeConfig, seed: int):
        self.features = features
        self._size, self._seed = config.image_size, seed
        self.dense = keras.layers.Dense(
            classes, kernel_initializer=keras.initializers.GlorotUniform(seed=seed)
        )
        self.dense.build((None, features.dimension))
        self._trained = features.network if config.finetune else None
        self._variables = list(self.dense.trainable_variables)
        if self._trained:
            self._variables += self._trained.trainable_variables
        rate = config.learning_rate
        self._optimizer = (
            keras.optimizers.Adam(rate)
            if config.optimizer == "adam"
            else keras.optimizers.SGD(rate, momentum=MOMENTUM)
        )
        self._optimizer.build(self._variables)
        self._learn_images = tf.function(self._from_images, reduce_retracing=True)
        self._learn_features = tf.function(self._descend, reduce_retracing=True)
        self._logits = tf.function(
            lambda pixels: self.dense(features.forward(tf_to_float(pixels))), reduce_retracing=True
        )

    @property
    def parameters(self) -> int:
        """How many numbers the classifier has (rightmost column of table 4.3)."""
        return self.dense.count_params()

    def learn(self, images: np.ndarray, labels: np.ndarray, number: int) -> tf.Tensor:
        """Step `number` of a run, on images uint8 [B, H, W, 3], augmented; returns the loss."""
        seed = tf.constant((self._seed, number))
        return self._learn_images(tf.constant(images), tf.constant(labels), seed)

    def learn_features(self, features: np.ndarray, labels: np.ndarray) -> tf.Tensor:
        """One step on features [B, D] of frozen networks; returns the loss."""
        return self._learn_features(tf.constant(features), tf.constant(labels))

    def scores(self, images, batch_size: int) -> np.ndarray:
        """Logits [N, classes] of `labelled.Images`, whole."""
        blocks = np.array_split(np.arange(len(images)), math.ceil(len(images) / batch_size))
        return np.concatenate([self._logits(tf.constant(images.take(b))) for b in blocks])

    def scores_of(self, features: np.ndarray) -> np.ndarray:
        """Logits [N, classes] of features [N, D]."""
        return self.dense(tf.constant(features)).numpy()

    def state(self) -> dict[str, np.ndarray]:
        """Everything that the next step depends on, by name."""
        return {str(i): variable.numpy() for i, variable in enumerate(self._state_variables())}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Takes over a `state`. Raises ValueError or KeyError where it is another probe's."""
        for i, variable in enumerate(self._state_variables()):
            variable.assign(state[str(i)])

    def _state_variables(self) -> list:
        network = self._trained.variables if self._trained else []
        return [v.value for v in (*self.dense.variables, *network, *self._optimizer.variables)]

    def _from_images(self, images, labels, seed):
        crops = augment(images, seed, self._size)
        if self._trained:
            advance_spectral_norms(self._trained)
            return self._descend(crops, labels)
        return self._descend(self.features.forward(crops), labels)

    def _descend(self, inputs, labels):
        """One update; inputs are images where the network is trained, else features."""
        sources = [variable.value for variable in self._variables]
        with tf.GradientTape() as tape:
            read = self.features.forward(inputs, training=True) if self._trained else inputs
            loss = _loss(self.dense(read), labels)
        # Layers behind the features, such as the discriminator's last, have no part in the loss.
        zero = tf.UnconnectedGradients.ZERO
        gradients = tape.gradient(loss, sources, unconnected_gradients=zero)
        self._optimizer.apply(gradients, self._variables)
        return loss


def _loss(logits, labels):
    """Mean cross-entropy of labels [B], or of the known ones among labels [B, classes]."""
    if labels.shape.rank == 1:
        found = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        return tf.reduce_mean(found)
    known = tf.cast(labels >= 0, tf.float32)
    found = tf.nn.sigmoid_cross_entropy_with_logits(
        labels=tf.cast(labels > 0, tf.float32), logits=logits
    )
    return tf.math.divide_no_nan(tf.reduce_sum(known * found), tf.reduce_sum(known))


def batches(places: np.ndarray, config: ProbeConfig, seed: int, epoch: int) -> list[np.ndarray]:
    """The places of an epoch in random order, in parts of about `config.batch_size`."""
    order = np.random.default_rng([seed, epoch]).permutation(places)
    return np.array_split(order, math.ceil(len(order) / config.batch_size))


def train(
    probe: LinearProbe,
    part: Part,
    places: np.ndarray,
    config: ProbeConfig,
    seed: int,
    label: str,
    views: Sequence[np.ndarray] = (),
    state: Path | None = None,
) -> None:
    """Trains a probe on the images at some places.

    Args:
      probe: it.
      part: the images and their labels.
      places: of the images to learn from.
      config: epochs and batch size.
      seed: of the order.
      label: what is done, for the progress.
      views: features [N, D] of augmented images, one after another an epoch; empty: the images
        are augmented anew in each.
      state: file where the probe is kept while it learns, to go on from.

    Raises UserError where the loss is no longer finite, or the state is another probe's.
    """
    first = state_files.resume(state, probe.restore) if state else 0
    saved, losses = time.monotonic(), []
    steps = math.ceil(len(places) / config.batch_size)  # an epoch
    numbers = range(first * steps, config.epochs * steps)
    for number in track(numbers, label=label, unit="step"):
        epoch, step = divmod(number, steps)
        if step == 0:
            parts, losses = batches(places, config, seed, epoch), []
        labels = part.labels[parts[step]]
        if views:
            loss = probe.learn_features(views[epoch % len(views)][parts[step]], labels)
        else:
            loss = probe.learn(part.images.take(parts[step]), labels, number)
        losses.append(loss)
        if step < steps - 1:
            continue
        if not math.isfinite(sum(map(float, losses))):
            raise UserError(f"{label}: the loss is not finite: take a smaller --learning_rate")
        if state and time.monotonic() - saved > SAVE_INTERVAL:
            state_files.write_epochs(state, epoch + 1, probe.state())
            saved = time.monotonic()
