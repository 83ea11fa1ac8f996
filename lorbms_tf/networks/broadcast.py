"""The spatial broadcast decoder (Watters et al., 2019; thesis, appendix D.5)."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks import layers, receptive_field

KERNEL = 3


class BroadcastDecoder(keras.Model):
    """Codes to images: `[B, 2, 2, chunk_size]` to `[B, H, W, 3]` in [-1, 1].

    The whole code, as one vector of four chunks, stands at every pixel, beside the pixel's x and y
    in [-1, 1]. Then 3x3 convolutions of stride 1 with ReLU, and a 1x1 convolution to the colours
    and tanh. Nothing but the coordinates tells one pixel from another. Images are float32 under
    mixed precision.

    Args:
        image_size: side of the images in pixels.
        chunk_size: channels of a chunk.
        widths: maps of the 3x3 convolutions.
        seed: of the initial weights (He normal); every layer has its own, derived from it.

    Raises:
        ValueError: a size is not positive, or `widths` is empty.
    """

    def __init__(
        self,
        image_size: int = 64,
        chunk_size: int = 192,
        widths: Sequence[int] = (64, 64, 64, 64),
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        layers.check_positive(image_size=image_size, chunk_size=chunk_size, widths=widths)
        if not widths:
            raise ValueError("widths of the broadcast decoder is empty; at least one is needed.")
        self.settings = {
            "image_size": image_size,
            "chunk_size": chunk_size,
            "widths": tuple(widths),
            "seed": seed,
        }
        seeds = layers.layer_seeds("broadcast decoder", seed)
        self.coordinates = layers.AppendCoordinates(dtype=self.dtype_policy)
        self.convs = [self._conv(width, KERNEL, next(seeds)) for width in widths]
        self.head = self._conv(3, 1, next(seeds))
        self.build((None, 2, 2, chunk_size))

    def build(self, input_shape: tuple) -> None:
        width = 4 * input_shape[-1] + 2
        for conv in [*self.convs, self.head]:
            conv.build((None, None, None, width))
            width = conv.filters

    def call(self, codes: Tensor, training: bool | None = None) -> Tensor:
        """Decodes `[B, 2, 2, chunk_size]`; `training` changes nothing."""
        maps = ops.relu(self._first(codes))
        for conv in self.convs[1:]:
            maps = ops.relu(conv(maps))  # [B, H, W, width]
        return ops.tanh(ops.cast(self.head(maps), self.variable_dtype))

    def input_maps(self, codes: Tensor) -> Tensor:
        """What the first convolution reads, `[B, H, W, 4 chunk_size + 2]`: code, x and y."""
        side = self.settings["image_size"]
        vectors = ops.reshape(codes, (-1, 1, 1, 4 * codes.shape[-1]))
        return self.coordinates(ops.tile(vectors, (1, side, side, 1)))

    @property
    def windows(self) -> list[receptive_field.Window]:
        """What sees what, from the code's cells to a pixel: each sees all 2x2."""
        return [receptive_field.Window(2)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}

    def _first(self, codes: Tensor) -> Tensor:
        """The first convolution of `input_maps`, without making them: a code is alike everywhere.

        A pixel adds up the code's products with those of the nine parts of the kernel that lie
        inside the image.
        """
        side, conv = self.settings["image_size"], self.convs[0]
        kernel = ops.cast(conv.kernel, self.compute_dtype)  # [3, 3, 4 C + 2, width]
        vectors = ops.reshape(codes, (-1, 4 * codes.shape[-1]))
        vectors = ops.cast(vectors, self.compute_dtype)
        parts = ops.einsum("bc,yxcf->byxf", vectors, kernel[:, :, :-2])
        parts = ops.reshape(parts, (-1, KERNEL**2, conv.filters))  # [B, 9, width]
        one = ops.ones((1, side, side, 1), self.compute_dtype)
        each = ops.reshape(ops.eye(KERNEL**2, dtype=self.compute_dtype), (KERNEL, KERNEL, 1, -1))
        inside = ops.conv(one, each, padding="same")[0]  # [H, W, 9]
        of_place = ops.conv(self.coordinates(one)[..., 1:], kernel[:, :, -2:], padding="same")
        bias = ops.cast(conv.bias, self.compute_dtype)
        return ops.einsum("bkf,hwk->bhwf", parts, inside) + of_place + bias

    def _conv(self, filters: int, size: int, seed: int) -> keras.layers.Layer:
        return keras.layers.Conv2D(
            filters,
            size,
            padding="same",
            kernel_initializer=keras.initializers.HeNormal(seed=seed),
            dtype=self.dtype_policy,
        )
