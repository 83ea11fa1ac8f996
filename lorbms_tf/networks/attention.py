"""Self-attention over the places of maps (Zhang et al., 2018, "SAGAN"; thesis, appendix D.6)."""

from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks import layers
from lorbms_tf.networks.spectral_norm import SpectralConv2D

NARROWER = 8  # how many times narrower queries and keys are than the maps, as published


class SelfAttention(keras.layers.Layer):
    """Adds to each place what it draws from all places: `[B, H, W, C] -> [B, H, W, C]`.

    y = x + gamma * (softmax(q k^T) v): q and k are 1x1 convolutions to C / 8 maps (at least one), v
    one to C maps, all spectral-normalised and biased; gamma is one number that begins at 0, so
    that a new layer changes nothing. The attention is H W x H W numbers an image, in float32.

    Args:
        seed: of the initial weights.
    """

    def __init__(self, seed: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed = seed

    def build(self, input_shape: tuple) -> None:
        width = input_shape[-1]
        seeds = layers.layer_seeds("attention", self.seed)

        def conv(filters: int) -> SpectralConv2D:
            made = SpectralConv2D(filters, 1, seed=next(seeds), dtype=self.dtype_policy)
            made.build((None, None, None, width))
            return made

        narrow = max(1, width // NARROWER)
        self.query, self.key, self.value = conv(narrow), conv(narrow), conv(width)
        self.gamma = self.add_weight(name="gamma", shape=(), initializer="zeros")

    def call(self, maps: Tensor) -> Tensor:
        drawn = ops.matmul(self.weights_of_places(maps), _places(self.value(maps)))  # [B, HW, C]
        return maps + self.gamma * ops.reshape(drawn, ops.shape(maps))

    def weights_of_places(self, maps: Tensor) -> Tensor:
        """How much each place (row) draws from each: `[B, HW, HW]`, rows that sum to 1."""
        query, key = _places(self.query(maps)), _places(self.key(maps))  # each [B, HW, C / 8]
        scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
        return ops.cast(ops.softmax(ops.cast(scores, "float32")), self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


def _places(maps: Tensor) -> Tensor:
    """`[B, H, W, C] -> [B, HW, C]`."""
    height, width, channels = maps.shape[1:]
    return ops.reshape(maps, (-1, height * width, channels))
