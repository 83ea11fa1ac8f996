"""The network that guesses a generator's code from its image (seed 003, table 1)."""

import keras
from keras import ops

from lorbms_tf.networks import layers
from lorbms_tf.networks.strided import smallest_side

WIDTHS = (32, 64, 128, 256, 512, 1024)


class InversionNetwork(keras.Model):
    """Images to codes: `[B, S, S, channels]` in [-1, 1] to `[B, outputs]`, without activation.

    4x4 convolutions of stride 2, each with batch norm and an ELU, then a dense layer.

    Args:
        image_size: side of the images in pixels; divided by 2 as often as there are widths.
        channels: of the images.
        outputs: numbers in a code.
        widths: channels of the convolutions.
        seed: of the initial weights.

    Raises:
        ValueError: a size is not positive, or they do not fit each other.
    """

    def __init__(self, image_size=512, channels=3, outputs=512, widths=WIDTHS, seed=0, **kwargs):
        super().__init__(**kwargs)
        layers.check_positive(channels=channels, outputs=outputs)
        self._side = smallest_side(image_size, widths)
        self.settings = {
            "image_size": image_size, "channels": channels, "outputs": outputs,
            "widths": tuple(widths), "seed": seed,
        }  # fmt: skip
        seeds, dtype = layers.layer_seeds("inversion", seed), self.dtype_policy
        self.convs, self.norms = [], []
        for width in widths:
            initializer = keras.initializers.GlorotUniform(next(seeds))
            self.convs.append(
                keras.layers.Conv2D(
                    width, 4, 2, "same", kernel_initializer=initializer, dtype=dtype
                )
            )
            norm = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype)
            self.norms.append(norm)
        initializer = keras.initializers.GlorotUniform(next(seeds))
        self.head = keras.layers.Dense(outputs, kernel_initializer=initializer, dtype=dtype)
        self.build((None, image_size, image_size, channels))

    def build(self, input_shape):
        width, side = input_shape[-1], input_shape[1]
        for conv, norm in zip(self.convs, self.norms, strict=True):
            conv.build((None, side, side, width))
            width, side = conv.filters, side // 2
            norm.build((None, side, side, width))
        self.head.build((None, side * side * width))

    def call(self, images, training=None):
        """Codes `[B, outputs]`, float32."""
        maps = images
        for conv, norm in zip(self.convs, self.norms, strict=True):
            maps = ops.elu(norm(conv(maps), training=training))
        flat = ops.reshape(maps, (-1, self._side**2 * maps.shape[-1]))
        return ops.cast(self.head(flat), self.variable_dtype)

    def get_config(self):
        return {**super().get_config(), **self.settings}
