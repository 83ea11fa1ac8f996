"""The generator of SRGAN (Ledig et al., 2017), which enlarges pictures: also known as SRResNet.

With the last kernel of 3x3 pixels instead of 9x9, as Amir and Weiss (2021, supplement) have it.
"""

from typing import Any

import keras
from keras import ops

from lorbms_tf.networks import layers

HEAD_KERNEL, KERNEL, LAST_KERNEL = 9, 3, 3
_SLOPE = 0.25  # of PReLU at the beginning, as PyTorch has it


class ResidualBlock(keras.layers.Layer):
    """`[B, h, w, C] -> [B, h, w, C]`: two 3x3 convolutions, whose result is added to the input.

    Args:
        width: C.
        batch_norm: normalise after each convolution.
        seeds: an iterator of seeds; two are taken.
    """

    def __init__(self, width: int, batch_norm: bool, seeds: Any, **kwargs: Any):
        super().__init__(**kwargs)
        dtype = self.dtype_policy
        self.convs = [_conv(width, KERNEL, next(seeds), dtype) for _ in range(2)]
        self.norms = [_norm(dtype) for _ in range(2)] if batch_norm else []
        self.activation = _prelu(dtype)

    def build(self, input_shape: tuple) -> None:
        for layer in (*self.convs, *self.norms, self.activation):
            layer.build(input_shape)

    def call(self, maps: Any, training: bool | None = None) -> Any:
        inner = maps
        for number, conv in enumerate(self.convs):
            inner = conv(inner)
            if self.norms:
                inner = self.norms[number](inner, training=training)
            if number == 0:
                inner = self.activation(inner)
        return maps + inner


class SRResNet(keras.Model):
    """Small images `[B, h, w, 3]` in [-1, 1] to large ones `[B, 4 h, 4 w, 3]`, of any h and w.

    A 9x9 convolution, residual blocks, a 3x3 convolution to whose maps those of the first are
    added, and two steps that double the sides by sub-pixel convolution. The output has no bounds
    and is float32 under mixed precision. With the defaults 1,536,835 trainable parameters.

    Args:
        blocks: residual blocks.
        width: maps of every convolution before the doublings, which have four times as many.
        batch_norm: normalise in the blocks and after them, as published.
        seed: of the initial weights (bias 0); every layer has its own.

    Raises:
        ValueError: a size is below 1, or the seed below 0.
    """

    factor = 4  # by which the sides grow

    def __init__(
        self,
        blocks: int = 16,
        width: int = 64,
        batch_norm: bool = True,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        layers.check_positive(blocks=blocks, width=width)
        self.settings = {"blocks": blocks, "width": width, "batch_norm": batch_norm, "seed": seed}
        seeds, dtype = layers.layer_seeds("srresnet", seed), self.dtype_policy
        self.head = _conv(width, HEAD_KERNEL, next(seeds), dtype)
        self.head_activation = _prelu(dtype)
        self.blocks = [ResidualBlock(width, batch_norm, seeds, dtype=dtype) for _ in range(blocks)]
        self.body = _conv(width, KERNEL, next(seeds), dtype)
        self.body_norm = _norm(dtype) if batch_norm else None
        self.doublings = [_conv(4 * width, KERNEL, next(seeds), dtype) for _ in range(2)]
        self.doubling_activations = [_prelu(dtype) for _ in range(2)]
        self.last = _conv(3, LAST_KERNEL, next(seeds), dtype)
        self.build((None, None, None, 3))

    def build(self, input_shape: tuple) -> None:
        maps = (None, None, None, self.settings["width"])
        self.head.build(input_shape)
        norms = [self.body_norm] if self.body_norm else []
        inner = (self.head_activation, *self.blocks, self.body, *norms, *self.doublings)
        for layer in (*inner, *self.doubling_activations, self.last):
            layer.build(maps)

    def call(self, images: Any, training: bool | None = None) -> Any:
        first = self.head_activation(self.head(images))
        maps = first
        for block in self.blocks:
            maps = block(maps, training=training)
        maps = self.body(maps)
        if self.body_norm:
            maps = self.body_norm(maps, training=training)
        maps = first + maps  # [B, h, w, C]
        for conv, activation in zip(self.doublings, self.doubling_activations, strict=True):
            maps = activation(pixel_shuffle(conv(maps)))  # [B, 2 h, 2 w, C], then [B, 4 h, 4 w, C]
        return ops.cast(self.last(maps), "float32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}


def pixel_shuffle(maps: Any) -> Any:
    """Sub-pixel rearrangement (Shi et al., 2016): `[B, h, w, 4 C] -> [B, 2 h, 2 w, C]`.

    Maps c, C + c, 2 C + c and 3 C + c become the upper left, upper right, lower left and lower
    right pixels of map c.
    """
    batch, height, width, channels = ops.shape(maps)
    out = channels // 4
    maps = ops.reshape(maps, (batch, height, width, 2, 2, out))
    maps = ops.transpose(maps, (0, 1, 3, 2, 4, 5))  # [B, h, 2, w, 2, C]
    return ops.reshape(maps, (batch, 2 * height, 2 * width, out))


def _conv(width: int, kernel: int, seed: int, dtype: Any) -> keras.layers.Layer:
    # A sixth of He's variance, PyTorch's default: the residual blocks add up what they make.
    initializer = keras.initializers.VarianceScaling(1 / 3, distribution="uniform", seed=seed)
    return keras.layers.Conv2D(
        width, kernel, padding="same", kernel_initializer=initializer, dtype=dtype
    )


def _norm(dtype: Any) -> keras.layers.Layer:
    return keras.layers.BatchNormalization(epsilon=layers.NORM_EPSILON, momentum=0.9, dtype=dtype)


def _prelu(dtype: Any) -> keras.layers.Layer:
    slope = keras.initializers.Constant(_SLOPE)
    return keras.layers.PReLU(alpha_initializer=slope, shared_axes=(1, 2), dtype=dtype)
