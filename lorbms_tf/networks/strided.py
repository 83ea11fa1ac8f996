"""Encoder and generator of strided 4x4 convolutions: what InfoGAN's and DCGAN's networks share.

Each convolution halves or doubles the image. Kernels begin as Glorot's, which for these sizes is
about the normal of 0.02 that DCGAN says, and also serves without norms.
"""

import keras
from keras import ops

from lorbms_tf.networks import layers

KERNEL = 4
NORMS = ("batch", "layer", "none")


class StridedEncoder(keras.Model):
    """Images to numbers: `[B, S, S, channels]` in [-1, 1] to `[B, outputs]`, without activation.

    Convolutions of stride 2 with leaky ReLUs, then dense layers. A norm lies before every
    activation but the first, so that the first sees absolute values. A discriminator is such a
    network with one output. Outputs are float32 under mixed precision.

    Args:
        image_size: side of the images in pixels; divided by 2 as often as there are widths.
        channels: of the images.
        outputs: how many numbers.
        widths: channels of the convolutions, from the image on.
        dense: width of a dense layer before the last; 0: none.
        norm: "batch", "layer" (over a whole image, as a critic with a gradient penalty needs) or
            "none".
        leak: slope of the leaky ReLUs below zero.
        seed: of the initial weights.

    Raises:
        ValueError: a size is not positive, or they do not fit each other; an unknown norm.
    """

    def __init__(
        self, image_size, channels, outputs, widths, dense=0, norm="batch", leak=0.2, seed=0,
        **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        layers.check_positive(channels=channels, outputs=outputs)
        side = smallest_side(image_size, widths)
        self.settings = {
            "image_size": image_size, "channels": channels, "outputs": outputs,
            "widths": tuple(widths), "dense": dense, "norm": norm, "leak": leak, "seed": seed,
        }  # fmt: skip
        seeds, dtype = layers.layer_seeds("strided encoder", seed), self.dtype_policy
        self.convs = [_conv(keras.layers.Conv2D, n, next(seeds), dtype) for n in widths]
        self.norms = [None, *(make_norm(norm, dtype) for _ in widths[1:])]
        self.hidden = [_dense(dense, next(seeds), dtype)] if dense else []
        self.hidden_norms = [make_norm(norm, dtype) for _ in self.hidden]
        self.head = _dense(outputs, next(seeds), dtype)
        self._side = side
        self.build((None, image_size, image_size, channels))

    def build(self, input_shape):
        width, side = input_shape[-1], input_shape[1]
        for conv, norm in zip(self.convs, self.norms, strict=True):
            conv.build((None, side, side, width))
            width, side = conv.filters, side // 2
            _build(norm, (None, side, side, width))
        width *= side * side
        for dense, norm in zip(self.hidden, self.hidden_norms, strict=True):
            dense.build((None, width))
            width = dense.units
            _build(norm, (None, width))
        self.head.build((None, width))

    def call(self, images, training=None):
        """`[B, outputs]`; `training` has batch norm take the batch's own statistics."""
        return ops.cast(self.head(self.features(images, training)), self.variable_dtype)

    def features(self, images, training=None):
        """What the last dense layer sees, `[B, D]`."""
        maps = images
        for conv, norm in zip(self.convs, self.norms, strict=True):
            maps = self._activated(_normed(norm, conv(maps), training))
        flat = ops.reshape(maps, (-1, self._side**2 * maps.shape[-1]))
        for dense, norm in zip(self.hidden, self.hidden_norms, strict=True):
            flat = self._activated(_normed(norm, dense(flat), training))
        return flat

    def _activated(self, maps):
        return ops.maximum(maps, self.settings["leak"] * maps)

    def get_config(self):
        return {**super().get_config(), **self.settings}


class StridedGenerator(keras.Model):
    """Codes to images: `[B, code_size]` to `[B, S, S, channels]` in [-1, 1], float32.

    The encoder backwards: dense layers, then transposed convolutions of stride 2 with ReLUs, and a
    tanh at the end. A norm lies before every activation but the last.

    Args:
        image_size: side of the images in pixels; divided by 2 as often as there are widths.
        channels: of the images.
        code_size: numbers in a code.
        widths: channels of the maps, from the smallest on.
        dense: width of a first dense layer; 0: none.
        norm: "batch", "layer" or "none".
        seed: of the initial weights.

    Raises:
        ValueError: as `StridedEncoder`.
    """

    def __init__(
        self, image_size, channels, code_size, widths, dense=0, norm="batch", seed=0, **kwargs
    ):
        super().__init__(**kwargs)
        layers.check_positive(channels=channels, code_size=code_size)
        self._side = smallest_side(image_size, widths)
        self.settings = {
            "image_size": image_size, "channels": channels, "code_size": code_size,
            "widths": tuple(widths), "dense": dense, "norm": norm, "seed": seed,
        }  # fmt: skip
        seeds, dtype = layers.layer_seeds("strided generator", seed), self.dtype_policy
        sizes = [dense] * bool(dense) + [self._side**2 * widths[0]]
        self.hidden = [_dense(size, next(seeds), dtype) for size in sizes]
        self.hidden_norms = [make_norm(norm, dtype) for _ in self.hidden]
        self.ups = [
            _conv(keras.layers.Conv2DTranspose, n, next(seeds), dtype)
            for n in (*widths[1:], channels)
        ]
        self.norms = [*(make_norm(norm, dtype) for _ in widths[1:]), None]
        self.build((None, code_size))

    def build(self, input_shape):
        width = input_shape[-1]
        for number, (dense, norm) in enumerate(zip(self.hidden, self.hidden_norms, strict=True)):
            dense.build((None, width))
            width = dense.units
            last = number == len(self.hidden) - 1
            shape = (None, self._side, self._side, self.settings["widths"][0])
            _build(norm, shape if last else (None, width))
        width, side = self.settings["widths"][0], self._side
        for up, norm in zip(self.ups, self.norms, strict=True):
            up.build((None, side, side, width))
            width, side = up.filters, 2 * side
            _build(norm, (None, side, side, width))

    def call(self, codes, training=None):
        """`[B, S, S, channels]` in [-1, 1]."""
        *first, last = zip(self.hidden, self.hidden_norms, strict=True)
        flat = codes
        for dense, norm in first:
            flat = ops.relu(_normed(norm, dense(flat), training))
        shape = (-1, self._side, self._side, self.settings["widths"][0])
        maps = ops.relu(_normed(last[1], ops.reshape(last[0](flat), shape), training))
        for up, norm in zip(self.ups[:-1], self.norms[:-1], strict=True):
            maps = ops.relu(_normed(norm, up(maps), training))
        return ops.tanh(ops.cast(self.ups[-1](maps), self.variable_dtype))

    def get_config(self):
        return {**super().get_config(), **self.settings}


def smallest_side(image_size, widths):
    """Side of the maps between convolutions and dense layers.

    Raises ValueError where the image cannot be halved as often as there are widths.
    """
    if not widths:
        raise ValueError("widths is empty; at least one is needed.")
    layers.check_positive(image_size=image_size, widths=widths)
    factor = 2 ** len(widths)
    if image_size % factor:
        raise ValueError(
            f"an image of {image_size} px cannot be halved {len(widths)} times, as {len(widths)} "
            f"widths ask; sides that can: multiples of {factor}."
        )
    return image_size // factor


def make_norm(norm, dtype):
    """A layer of a kind of `NORMS`, or None. ValueError for another kind."""
    if norm == "batch":
        return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype)
    if norm == "layer":
        return keras.layers.GroupNormalization(groups=1, epsilon=1e-5, dtype=dtype)
    if norm != "none":
        raise ValueError(f"norm {norm!r} is not one of {', '.join(NORMS)}.")
    return None


def _build(norm, shape):
    if norm is not None:
        norm.build(shape)


def _normed(norm, maps, training):
    if norm is None:
        return maps
    if isinstance(norm, keras.layers.BatchNormalization):
        return norm(maps, training=training)
    return norm(maps)


def _conv(kind, filters, seed, dtype):
    return kind(
        filters,
        KERNEL,
        strides=2,
        padding="same",
        kernel_initializer=keras.initializers.GlorotUniform(seed),
        dtype=dtype,
    )


def _dense(units, seed, dtype):
    initializer = keras.initializers.GlorotUniform(seed)
    return keras.layers.Dense(units, kernel_initializer=initializer, dtype=dtype)
