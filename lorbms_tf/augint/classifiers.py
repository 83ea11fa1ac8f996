"""Classifiers that judge what a model makes: of the domain, or of the class (seed 003, A.3).

They have the architecture of the run's encoder, with one output a class.
"""

import keras
import numpy as np
import tensorflow as tf

from lorbms_tf.augint import building
from lorbms_tf.augint.config import AugintConfig
from lorbms_tf.augint.invert import batches
from lorbms_tf.evaluation.finite import check_finite
from lorbms_tf.progress import track

BATCH_SIZE = 64
RATE = 1e-3
_JUDGED = 256  # images at a time


class Classifier:
    """A trained classifier of images.

    Args:
      config: of the run, for size and kind of the network.
      images: float32 [N, S, S, C] in [-1, 1].
      labels: int [N], 0 to `classes` - 1.
      classes: how many there are.
      steps: of Adam at 1e-3, on batches that hold each class as often as any other.
      seed: of weights and order.
      label: what it learns, for the progress.
    """

    def __init__(
        self,
        config: AugintConfig,
        images: np.ndarray,
        labels: np.ndarray,
        classes: int,
        steps: int,
        seed: int = 0,
        label: str = "learning classes",
    ):
        self._network = building.encoder(config, classes, seed=seed + 1000)
        self._run = tf.function(self._network, autograph=False, reduce_retracing=True)
        self._features = tf.function(self._network.features, autograph=False, reduce_retracing=True)
        self._train(images, labels, steps, seed, label)

    def _train(self, images, labels, steps: int, seed: int, label: str) -> None:
        network = self._network
        optimizer = keras.optimizers.Adam(RATE)
        optimizer.build(network.trainable_variables)

        @tf.function(autograph=False)
        def step(images, labels):
            with tf.GradientTape() as tape:
                loss = keras.losses.sparse_categorical_crossentropy(
                    labels, network(images, training=True), from_logits=True
                )
                loss = tf.reduce_mean(loss)
            variables = network.trainable_variables
            optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)

        random = np.random.default_rng(seed)
        members = [np.flatnonzero(labels == name) for name in np.unique(labels)]
        for _ in track(range(steps), label=label, unit="step"):
            kinds = random.integers(0, len(members), BATCH_SIZE)
            chosen = np.array([random.choice(members[kind]) for kind in kinds])
            step(tf.constant(images[chosen]), tf.constant(labels[chosen]))

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """The likeliest class of each image [N, S, S, C]: int [N].

        Raises ValueError where images are not finite, of which the first class would be likeliest.
        """
        check_finite(images, "judged images")
        parts = [
            np.argmax(self._run(tf.constant(images[part], tf.float32), training=False), axis=-1)
            for part in batches(len(images), _JUDGED)
        ]
        return np.concatenate(parts)

    def features(self, images: np.ndarray) -> np.ndarray:
        """What its last layer sees of images [N, S, S, C]: float32 [N, D]."""
        parts = [
            np.asarray(self._features(tf.constant(images[part], tf.float32), training=False))
            for part in batches(len(images), _JUDGED)
        ]
        return np.concatenate(parts)
