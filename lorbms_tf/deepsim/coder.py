"""The encoder that learns, of the modes `autoencoder` and `vae`: a network, and codes behind it.

The network is the encoder of the flags up to its layer, with the weights that they name or random
ones: "initialised from the comparator, or at random" (Dosovitskiy and Brox, 2016, VAE).
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from lorbms_tf.features.taps import Taps
from lorbms_tf.networks import layers


class Coder(keras.Model):
    """Images [B, S, S, 3] in [-1, 1] to codes [B, outputs], float32.

    A dense layer reads all maps of the layer. Batch norm of the network keeps its statistics.

    Args:
      tapped: the network and its one layer; its weights learn from now on.
      image_size: S, pixels.
      outputs: numbers in a code.
      scale: times which the maps are read.
      seed: of the dense layer's weights.
    """

    def __init__(
        self,
        tapped: Taps,
        image_size: int,
        outputs: int,
        scale: float = 1.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self._tapped, self._scale = tapped, scale
        self.network = tapped.network
        self.network.trainable = True
        self.head = keras.layers.Dense(
            outputs,
            kernel_initializer=keras.initializers.GlorotUniform(
                seed=next(layers.layer_seeds("coder", seed))
            ),
            dtype=self.dtype_policy,
        )
        images = ops.zeros((1, image_size, image_size, 3))
        self.head.build(self._flat(images).shape)
        self.built = True
        self._fix_what_is_not_read(images)

    def _flat(self, images: Any) -> Any:
        maps = self._tapped(images)[self._tapped.layers[0]]
        count = 1
        for extent in maps.shape[1:]:
            count *= extent
        return self._scale * ops.reshape(maps, (-1, count))

    def _fix_what_is_not_read(self, images: Any) -> None:
        """Weights behind the layer get no gradient: they are none that learn."""
        variables = self.network.trainable_variables
        with tf.GradientTape() as tape:
            codes = self(images)
        gradients = tape.gradient(codes, [variable.value for variable in variables])
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.trainable = gradient is not None

    @property
    def decayed(self) -> list:
        """The variables that weight decay is for: none."""
        return []

    def call(self, images: Any, training: bool | None = None) -> Any:
        return ops.cast(self.head(self._flat(images)), "float32")
