"""The energies of paths and their gradient, by TensorFlow's tape."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from lorbms_tf.latent_paths.energy import PathMetric


def energies_and_gradient(
    decode: Callable[[Any], Any], metric: PathMetric, dtype: np.dtype
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """A function of codes [P, K, D] to energies [P] and their gradient [P, K, D].

    decode: codes [M, D] -> pictures [M, H, W, C].
    """

    def both(codes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        shape = tf.shape(codes)
        with tf.GradientTape() as tape:
            tape.watch(codes)
            pictures = decode(tf.reshape(codes, (-1, codes.shape[-1])))
            pictures = tf.reshape(pictures, (codes.shape[0], codes.shape[1], *pictures.shape[1:]))
            energies = metric.energies(pictures)
        return energies, tf.reshape(tape.gradient(energies, codes), shape)

    graphs: dict[int, Callable] = {}  # one a level, which knows how many pictures there are

    def values(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        graph = graphs.setdefault(codes.shape[1], tf.function(both, autograph=False))
        energies, gradient = graph(tf.constant(codes, dtype))
        return energies.numpy(), gradient.numpy()

    return values
