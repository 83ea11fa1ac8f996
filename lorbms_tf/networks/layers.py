"""The layers that the four networks share (thesis 3.6, tables 3.1 to 3.5).

Everything is written with `keras.ops`, so the networks run on any Keras backend.
Shapes: B batch, H height, W width, C channels; images and maps are NHWC.
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import KerasTensor as Tensor
from keras import ops

KERNEL_STDDEV = 0.02
NORM_EPSILON = 1e-5


def layer_seeds(network: str, seed: int) -> Iterator[int]:
    """Yields one seed after another, all different, for the layers of one network.

    Args:
        network: name of the network, e.g. "encoder", so that networks with one seed differ.
        seed: whole number >= 0; the same seed gives the same sequence on every machine.

    Raises:
        ValueError: `seed` is negative.
    """
    if seed < 0:
        raise ValueError(f"The seed of a network must be 0 or more, not {seed}.")
    tag = zlib.crc32(network.encode())
    index = 0
    while True:
        state = np.random.SeedSequence([seed, tag, index]).generate_state(1)
        yield int(state[0] >> 1)  # 31 bits: a valid seed for every backend
        index += 1


def normal_initializer(seed: int) -> keras.Initializer:
    """Normal weights of standard deviation 0.02, those of the original code."""
    return keras.initializers.RandomNormal(stddev=KERNEL_STDDEV, seed=seed)


def build_dense_convs(convs: Sequence[keras.layers.Layer], width: int, growth: int) -> None:
    """Builds the convolutions of a dense block on `width` maps; each reads `growth` more."""
    for index, conv in enumerate(convs):
        conv.build((None, None, None, width + index * growth))


def check_blocks(image_size: int, blocks: int) -> None:
    """Checks that `blocks` halvings lead from `image_size` to the 2x2 code (tables 3.1, 3.3).

    Args:
        image_size: side of the square image in pixels, a power of two from 4.
        blocks: number of dense blocks.

    Raises:
        ValueError: the two do not fit; the message names both, and the right number of blocks.
    """
    if image_size < 4 or image_size & (image_size - 1):
        raise ValueError(f"image_size must be a power of two, 4 or more, not {image_size}.")
    needed = image_size.bit_length() - 2
    if blocks != needed:
        raise ValueError(
            f"block_layers names {blocks} dense blocks, but image_size {image_size} needs "
            f"{needed} (log2 of the image size, less one)."
        )


def build_dense(dense_layers: Sequence[keras.layers.Layer], width: int) -> None:
    """Builds dense layers that follow each other; the first reads vectors of `width`."""
    for dense in dense_layers:
        dense.build((None, width))
        width = dense.units


def check_positive(**sizes) -> None:
    """Checks that every size (a number or a sequence of numbers) is at least 1.

    Raises:
        ValueError: one is not; the message names it.
    """
    for name, size in sizes.items():
        values = size if isinstance(size, (tuple, list)) else (size,)
        if any(value < 1 for value in values):
            raise ValueError(f"{name} must be 1 or more, not {size}.")


class AppendCoordinates(keras.layers.Layer):
    """CoordConv's first half: appends x and y, each in [-1, 1], as two more channels.

    `[B, H, W, C] -> [B, H, W, C + 2]`; x grows to the right, y downwards (thesis, table 3.1).
    """

    def call(self, images: Tensor) -> Tensor:
        batch, height, width, _ = ops.shape(images)
        x = ops.reshape(self._ramp(width), (1, 1, width, 1))
        y = ops.reshape(self._ramp(height), (1, height, 1, 1))
        x = ops.broadcast_to(x, (batch, height, width, 1))
        y = ops.broadcast_to(y, (batch, height, width, 1))
        return ops.concatenate([images, x, y], axis=-1)  # [B, H, W, C + 2]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], input_shape[-1] + 2)

    def _ramp(self, size: int) -> Tensor:
        steps = ops.cast(ops.arange(size), "float32")
        last = ops.maximum(ops.cast(size, "float32") - 1.0, 1.0)
        return ops.cast(steps / last * 2.0 - 1.0, self.compute_dtype)


class InstanceNormalization(keras.layers.Layer):
    """Gives each map of each image mean 0 and variance 1; no scale, no offset (table 3.2).

    `[B, H, W, C] -> [B, H, W, C]`, equal to `keras.layers.GroupNormalization(groups=-1,
    center=False, scale=False, epsilon=1e-5)`. Subtracting the mean first, instead of folding
    it into an offset as that layer does, gives exact zeros for constant maps. Computed in float32
    under mixed precision: an epsilon of 1e-5 is lost in 16 bits.
    """

    def __init__(self, epsilon: float = NORM_EPSILON, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.autocast = False

    def call(self, maps: Tensor) -> Tensor:
        wide = keras.backend.result_type(maps.dtype, "float32")
        maps = ops.cast(maps, wide)
        centred = maps - ops.mean(maps, axis=(1, 2), keepdims=True)
        variance = ops.mean(centred * centred, axis=(1, 2), keepdims=True)  # [B, 1, 1, C]
        return ops.cast(centred * ops.rsqrt(variance + self.epsilon), self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon}


class GroupedConv2D(keras.layers.Layer):
    """Convolution whose input and output channels are cut into groups that do not see each other.

    One kernel variable `[k, k, C / groups, filters]`, as in `keras.layers.Conv2D(groups=...)`, but
    made of plain convolutions: TensorFlow has no gradient of a grouped one on the CPU.
    Padding is "same"; Glorot-uniform kernel, zero bias.

    Raises:
        ValueError: the channels in or out cannot be cut into `groups` equal parts.
    """

    def __init__(self, filters: int, kernel_size: int, groups: int, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        check_positive(filters=filters, kernel_size=kernel_size, groups=groups)
        if filters % groups:
            raise ValueError(f"{filters} filters cannot be cut into {groups} equal groups.")
        self.filters = filters
        self.kernel_size = kernel_size
        self.groups = groups
        self.seed = seed

    def build(self, input_shape: tuple) -> None:
        channels = input_shape[-1]
        if channels % self.groups:
            raise ValueError(f"{channels} channels cannot be cut into {self.groups} equal groups.")
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, self.kernel_size, channels // self.groups, self.filters),
            initializer=keras.initializers.GlorotUniform(seed=self.seed),
        )
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, inputs: Tensor) -> Tensor:
        parts = ops.split(inputs, self.groups, axis=-1)  # groups x [B, H, W, C / groups]
        kernels = ops.split(ops.convert_to_tensor(self.kernel), self.groups, axis=-1)
        outputs = [ops.conv(*pair, padding="same") for pair in zip(parts, kernels, strict=True)]
        return ops.concatenate(outputs, axis=-1) + self.bias  # [B, H, W, filters]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        config = {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "groups": self.groups,
            "seed": self.seed,
        }
        return {**super().get_config(), **config}
