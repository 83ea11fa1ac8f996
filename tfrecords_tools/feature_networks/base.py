"""What a feature network is, and what the networks share."""

import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from lorbms_tf.data.images import tf_to_float
from lorbms_tf.errors import UserError
from lorbms_tf.networks.weights_files import hash_weights

__all__ = [
    "BATCH",
    "RANDOM",
    "FeatureNetwork",
    "cells",
    "hash_weights",
    "square_cells",
    "too_small",
    "unit_length",
]

RANDOM = "none"  # what --weights says for random weights
BATCH = 64  # quadrants in one call of the network; fixed, so that it is traced once


class FeatureNetwork:
    """A function from quadrants to features, with what a dataset must remember of it.

    Attributes:
      name: as in `--features`, with its argument ("alexnet", "keras:ResNet50", "encoder:RUN_DIR").
      input_size: quadrants are resized to so many pixels a side; squares of twice as many give it
        exactly what it reads.
      dimension: length of a feature vector, D.
      weights_hash: SHA-256 of the weights file, or of the weights themselves without a file.
    """

    def __init__(
        self, name: str, forward: Callable, input_size: int, dimension: int, weights_hash: str
    ):
        """`forward` maps images [BATCH, input_size, input_size, 3] in [-1, 1] to [BATCH, D]."""
        self.name = name
        self.input_size = input_size
        self.dimension = dimension
        self.weights_hash = weights_hash

        @tf.function(input_signature=[tf.TensorSpec((BATCH, None, None, 3), tf.uint8)])
        def run(quadrants):
            images = tf_to_float(quadrants)
            images = tf.image.resize(images, (input_size, input_size))  # bilinear
            return tf.cast(forward(images), tf.float32)

        self._run = run

    def __call__(self, quadrants: np.ndarray) -> np.ndarray:
        """Quadrants uint8 RGB [N, h, w, 3], any h and w -> features float32 [N, D].

        Raises ValueError where `quadrants` are of another type or shape.
        """
        if quadrants.ndim != 4 or quadrants.shape[3] != 3 or quadrants.dtype != np.uint8:
            raise ValueError(
                f"quadrants must be uint8 [N, h, w, 3], not {quadrants.dtype} {quadrants.shape}"
            )
        count = len(quadrants)
        features = np.empty((count, self.dimension), np.float32)
        for start in range(0, count, BATCH):
            block = quadrants[start : start + BATCH]
            padding = [(0, BATCH - len(block)), (0, 0), (0, 0), (0, 0)]
            features[start : start + BATCH] = self._run(np.pad(block, padding))[: len(block)]
        return features


def cells(maps):
    """Maps [B, h, w, C] averaged to 2 x 2 cells and flattened: [B, 4 * C], also for odd sides.

    The cells keep where in a quadrant things are, at a fraction of the memory of the maps.
    """
    averaged = tf.image.resize(maps, (2, 2), method="area")
    return tf.reshape(averaged, (-1, 4 * maps.shape[-1]))


def unit_length(features):
    """Features [B, D], each scaled to length 1.

    Unscaled, a quadrant with few strong features is near to everything: among 229 COCO photos
    MobileNetV2's nearest shared a category for 31 % of the quadrants, scaled for 44 %.
    """
    return tf.math.divide_no_nan(features, tf.norm(features, axis=-1, keepdims=True))


def square_cells(flat, width):
    """Flattened square maps [B, side * side * width] -> `cells` of them."""
    side = math.isqrt(flat.shape[1] // width)
    return cells(tf.reshape(flat, (-1, side, side, width)))


def too_small(name: str, input_size: int, smallest: int) -> UserError:
    """What to raise where a network cannot read so few pixels."""
    return UserError(f"{name} reads quadrants of at least {smallest} px, not {input_size}")
