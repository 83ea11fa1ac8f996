"""The generators of Dosovitskiy and Brox (2016): features of an image network to images.

Published for CaffeNet at 227 px: pool5 ("conv5") 12,700,672 parameters, fc6 and fc7 56,096,256, fc8
43,415,040. Others follow by the same rules: see `UpConv`.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops

from lorbms_tf.networks import layers

SLOPE = 0.3  # of the leaky ReLU
WIDTHS = (256, 256, 128, 64, 32)  # of the doublings but the last
_HEAD_LAYERS = 3
_CELLS = 16  # of the first maps, as published: 4 x 4
_LEAST_SHARE = 0.6  # of the features' side that the first maps keep; published: 4 of 6


class UpConv(keras.Model):
    """Features `[B, h, w, C]` or `[B, D]` to images `[B, S, S, 3]`, without bounds.

    Vectors go through three dense layers, maps through three 3x3 convolutions (without a border in
    the last where that leads to the first maps, as it does from 6x6 to 4x4; else the maps are
    resized). Then 4x4 transposed convolutions double the sides, each of the first three of `widths`
    with a 3x3 convolution behind it, the first of these twice as wide. LeakyReLU 0.3 everywhere but
    at the end; no bias from the first doubling on; no batch norm. What is too large is cropped at
    all edges. The output is float32 under mixed precision.

    Args:
        image_size: S, pixels.
        features: the shape of one picture's features, (h, w, C) or (D,).
        widths: maps of the doublings but the last. Where the features are fine enough, fewer
            doublings are made, with the last of the widths.
        dense: width of the dense layers; the maps behind them have a sixteenth.
        head: width of the convolutions before the doublings.
        seed: of the initial weights.

    Raises:
        ValueError: a size is below 1, `dense` no multiple of 16, or features of another kind.
    """

    def __init__(
        self,
        image_size: int = 227,
        features: Sequence[int] = (4096,),
        widths: Sequence[int] = WIDTHS,
        dense: int = 4096,
        head: int = 512,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        _check(image_size, features, widths, dense, head)
        self.settings = {
            "image_size": image_size,
            "features": tuple(features),
            "widths": tuple(widths),
            "dense": dense,
            "head": head,
            "seed": seed,
        }
        seeds = layers.layer_seeds("upconv", seed)
        side = features[0] if len(features) == 3 else 0
        self.start, doublings = first_side(image_size, side, len(widths) + 1)
        if side:
            self._make_convs(seeds, side)
        else:
            self.firsts = self._dense_layers(seeds)
        self._make_doublings(seeds, doublings)
        self.build((None, *features))

    def _dense_layers(self, seeds: Iterator[int]) -> list:
        dense = self.settings["dense"]
        units = [dense, dense, self.start**2 * (dense // _CELLS)]
        return [
            keras.layers.Dense(
                width,
                kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
                dtype=self.dtype_policy,
            )
            for width in units
        ]

    def _make_convs(self, seeds: Iterator[int], side: int) -> None:
        paddings = ["same"] * _HEAD_LAYERS
        if side - 2 == self.start:
            paddings[-1] = "valid"
        self.firsts = [
            self._conv(self.settings["head"], seeds, padding, bias=True) for padding in paddings
        ]

    def _make_doublings(self, seeds: Iterator[int], doublings: int) -> None:
        widths = self.settings["widths"]
        behind = [2 * w if i == 0 else w if i < 3 else 0 for i, w in enumerate(widths)]
        first = len(widths) - (doublings - 1)
        self.ups, self.convs = [], []
        into = self._first_width()
        for width, inner in zip((*widths[first:], 3), (*behind[first:], 0), strict=True):
            self.ups.append(_up(width, into, next(seeds), self.dtype_policy))
            self.convs.append(self._conv(inner, seeds, "same", bias=False) if inner else None)
            into = inner or width

    def _first_width(self) -> int:
        flat = len(self.settings["features"]) == 1
        return self.settings["dense"] // _CELLS if flat else self.settings["head"]

    def _conv(self, filters: int, seeds: Iterator[int], padding: str, bias: bool) -> Any:
        return keras.layers.Conv2D(
            filters,
            3,
            padding=padding,
            use_bias=bias,
            kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
            dtype=self.dtype_policy,
        )

    def build(self, input_shape: tuple) -> None:
        shape = input_shape
        for layer in self.firsts:
            layer.build(shape)
            shape = (*shape[:-1], layer.units if len(shape) == 2 else layer.filters)
        width = self._first_width()
        for up, conv in zip(self.ups, self.convs, strict=True):
            for layer in (up, conv) if conv else (up,):
                layer.build((None, None, None, width))
                width = layer.filters

    @property
    def decayed(self) -> list:
        """The variables that weight decay is for: kernels of the convolutions on features."""
        flat = len(self.settings["features"]) == 1
        return [] if flat else [layer.kernel for layer in self.firsts]

    def call(self, features: Any, training: bool | None = None) -> Any:
        maps = features
        for layer in self.firsts:
            maps = _leaky(layer(maps))
        if len(self.settings["features"]) == 1:
            maps = ops.reshape(maps, (-1, self.start, self.start, self._first_width()))
        elif maps.shape[1] != self.start or maps.shape[2] != self.start:
            maps = ops.image.resize(maps, (self.start, self.start), interpolation="bilinear")
        for up, conv in zip(self.ups[:-1], self.convs[:-1], strict=True):
            maps = _leaky(up(maps))
            maps = _leaky(conv(maps)) if conv else maps
        images = ops.cast(self.ups[-1](maps), "float32")  # [B, start 2^n, start 2^n, 3]
        size = self.settings["image_size"]
        edge = (images.shape[1] - size) // 2
        return images[:, edge : edge + size, edge : edge + size]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}


def first_side(image_size: int, side: int, most: int) -> tuple[int, int]:
    """The side of the first maps, and how often it is doubled.

    As many doublings as there may be, so that the first maps have at least 0.6 of the features'
    side: from 6 to 4 as published.

    Args:
        image_size: of the images, pixels.
        side: of the features' maps; 0 for vectors.
        most: doublings that there may be.
    """
    for doublings in range(most, 1, -1):
        start = math.ceil(image_size / 2**doublings)
        if start >= _LEAST_SHARE * side:
            return start, doublings
    return math.ceil(image_size / 2), 1


def _leaky(maps: Any) -> Any:
    return ops.leaky_relu(maps, negative_slope=SLOPE)


def _up(filters: int, width: int, seed: int, dtype: Any) -> Any:
    # Four of the kernel's 16 entries meet in a pixel, so He's variance is of 4 * width inputs.
    deviation = math.sqrt(2.0 / (1.0 + SLOPE**2) / (4 * width))
    return keras.layers.Conv2DTranspose(
        filters,
        4,
        strides=2,
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.RandomNormal(stddev=deviation, seed=seed),
        dtype=dtype,
    )


def _check(image_size: int, features: Sequence, widths: Sequence, dense: int, head: int) -> None:
    layers.check_positive(
        image_size=image_size, features=tuple(features), dense=dense, head=head, widths=widths
    )
    if len(features) not in (1, 3):
        raise ValueError(f"features have the shape (h, w, C) or (D,), not {tuple(features)}.")
    if dense % _CELLS:
        raise ValueError(f"dense must be a multiple of {_CELLS}, not {dense}.")
