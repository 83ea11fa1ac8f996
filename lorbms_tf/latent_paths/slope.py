"""The energies of paths and their gradient, by TensorFlow's tape."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from lorbms_tf.latent_paths.energy import PathMetric, energies


def energies_and_gradient(
    decode: Callable[[Any], Any], metric: PathMetric, starts: np.ndarray, ends: np.ndarray
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """A function of codes [P, K, D] to energies [P] and their gradient [P, K, D].

    The decoder runs once a call, for the inner points of all paths. The metric looks at one path
    after the other, which bounds the memory, and at the ends only once, since they never move;
    their gradient is 0. One graph does for any number of points.

    decode: codes [M, D] -> pictures [M, H, W, C].
    starts, ends: codes [P, D] of the ends.
    """
    fixed = tf.convert_to_tensor(np.stack([starts, ends], axis=1))
    size = fixed.shape[2]

    def pictures_of(codes: tf.Tensor) -> tf.Tensor:
        pictures = tf.convert_to_tensor(decode(tf.reshape(codes, (-1, size))))
        return tf.reshape(pictures, (len(starts), -1, *pictures.shape[1:]))

    end_pictures = pictures_of(fixed)
    paths = range(len(starts))
    end_features = [metric.seen(p, p) for p in (end_pictures[i : i + 1] for i in paths)]
    end_features = tf.nest.map_structure(lambda *parts: tf.concat(parts, 0), *end_features)

    @tf.function(
        input_signature=[tf.TensorSpec([len(starts), None, size], fixed.dtype)], autograph=False
    )
    def values(inner: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(inner)
            pictures = pictures_of(inner)
        specs = tf.TensorSpec([], pictures.dtype), tf.TensorSpec(pictures.shape[1:], pictures.dtype)
        energies, slopes = tf.map_fn(
            functools.partial(_energy_and_slope, metric),
            (pictures, end_pictures, end_features),
            fn_output_signature=specs,
            parallel_iterations=1,
        )
        return energies, tape.gradient(pictures, inner, output_gradients=slopes)

    def of_codes(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        energies, inner = values(tf.constant(codes[:, 1:-1], fixed.dtype))
        return energies.numpy(), np.pad(inner.numpy(), ((0, 0), (1, 1), (0, 0)))

    return of_codes


def _energy_and_slope(metric: PathMetric, path: tuple) -> tuple[tf.Tensor, tf.Tensor]:
    """Of one path: its energy, and the gradient of its inner pictures [K, H, W, C].

    path: the inner pictures, those of the two ends, and what the metric sees in these.
    """
    pictures, ends, end_features = tf.nest.map_structure(lambda part: part[None], path)
    starts = tf.nest.map_structure(lambda part: part[:, :1], end_features)
    stops = tf.nest.map_structure(lambda part: part[:, 1:], end_features)
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        seen = metric.seen(pictures, ends)
        # Joined, not cut out of one tensor: the gradient of slices is slow in TensorFlow.
        first = tf.nest.map_structure(_joined, starts, seen)
        energy = energies(metric.between(first, tf.nest.map_structure(_joined, seen, stops)))
    return energy[0], tape.gradient(energy, pictures)[0]


def _joined(part: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    return tf.concat([part, other], axis=1)
