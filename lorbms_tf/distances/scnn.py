"""The random S-CNN: a perceptual distance by a small network that has learned nothing.

Amir and Weiss (2021), supplement: a 3x3 convolution to 1024 maps, divided at each place by its
length over the channels, then 1x1 convolutions to 1024, ReLU after each, and windows averaged.
"""

from typing import Any, NamedTuple

import keras
from keras import ops

from lorbms_tf.distances import windows

_SMALLEST = 1e-6


class SCNN(NamedTuple):
    """Sizes of the network; the defaults are the paper's.

    width: maps of every layer.
    layers: 1x1 convolutions after the first convolution.
    patch: side of the first convolution's kernel, pixels.
    window: pixels a side of the windows that the maps are averaged over.
    stride: pixels from window to window.
    """

    width: int = 1024
    layers: int = 6
    patch: int = 3
    window: int = 32
    stride: int = 16


PAPER = SCNN()


def distance(images: Any, others: Any, seed: Any, network: SCNN = PAPER) -> Any:
    """The mean over windows of the squared difference of pooled maps: [B].

    The weights (He normal, bias 0) are drawn at each call. Scaled so that the maps of one place
    have about the length 1; as the width grows it becomes `kernels.distance` of the same depth.

    Args:
      images: [B, H, W, 3] in [-1, 1].
      others: the same.
      seed: a whole number, for the same draw at each call, or a `keras.random.SeedGenerator`.
      network: see there.

    Raises ValueError where the pictures have different shapes or are smaller than a window.
    """
    windows.check_alike(images, others)
    windows.check(images, network.patch, network.window, network.stride)
    kernels = _draw(images.shape[-1], network, windows.generator(seed))
    first, second = (
        windows.pooled(_maps(pictures, kernels, network), network.window, network.stride)
        for pictures in (images, others)
    )
    # Of a vector of length 1 with random signs ReLU leaves the length sqrt(1/2), which He's
    # weights keep from layer to layer: hence the 2.
    squared = 2.0 * ops.sum(ops.square(first - second), axis=-1)  # [B, rows, columns]
    return ops.mean(squared, axis=(1, 2))


def _draw(channels: int, network: SCNN, seed: Any) -> list:
    shapes = [(network.patch, network.patch, channels, network.width)]
    shapes += [(1, 1, network.width, network.width)] * network.layers
    return [
        keras.random.normal(
            shape, stddev=(2.0 / (shape[0] * shape[1] * shape[2])) ** 0.5, seed=seed
        )
        for shape in shapes
    ]


def _maps(images: Any, kernels: list, network: SCNN) -> Any:
    bordered = windows.reflected(images, network.patch)
    maps = ops.conv(bordered, kernels[0], padding="valid")  # [B, H, W, width]
    squared = ops.sum(ops.square(maps), axis=-1, keepdims=True)
    maps = ops.relu(maps * ops.rsqrt(ops.maximum(squared, _SMALLEST**2)))
    for kernel in kernels[1:]:
        maps = ops.relu(ops.conv(maps, kernel, padding="valid"))
    return maps
