"""The encoder: an image to the four representation chunks of its quadrants (thesis, table 3.1)."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks import layers, receptive_field, rewrites
from lorbms_tf.networks.stages import picked

BIAS = 0.01
CODE = "code"  # the name of the last layer


def _conv(filters: int, kernel_size: int, seed: int, dtype: Any):
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        padding="same",
        kernel_initializer=layers.normal_initializer(seed),
        bias_initializer=keras.initializers.Constant(BIAS),
        dtype=dtype,
    )


class DenseBlockEncoder(keras.layers.Layer):
    """A dense block and the instance norm and ReLU of the transition down after it (table 3.2).

    `[B, H, W, C] -> [B, H, W, C + growth * len(seeds)]`. Each dense layer reads the whole stack
    through instance norm and ReLU, and appends `growth` maps.

    The norm has no scale and no offset and treats each map alone, so a map comes out the same
    however often, and among whichever others, it is normalised. Therefore each map is normalised
    ONCE, when it is new, and the stack holds the normalised, rectified maps. What the block
    returns is thus what table 3.2 has in front of the 1x1 convolution of the transition down.

    Args:
        growth: maps that each layer appends.
        seeds: of the layers' weights, one each.
        kernels: side of each layer's kernel; 3 for all where it is left out.
    """

    def __init__(
        self, growth: int, seeds: Sequence[int], kernels: Sequence[int] | None = None, **kwargs
    ):
        super().__init__(**kwargs)
        self.growth = growth
        self.norm = layers.InstanceNormalization(dtype=self.dtype_policy)
        sizes = kernels or [3] * len(seeds)
        self.convs = [
            _conv(growth, size, seed, self.dtype_policy)
            for size, seed in zip(sizes, seeds, strict=True)
        ]
        self._alike = len(set(sizes)) == 1

    def build(self, input_shape: tuple) -> None:
        layers.build_dense_convs(self.convs, input_shape[-1], self.growth)

    def call(self, maps: Tensor) -> Tensor:
        stack = self._activate(maps)
        if self._alike and rewrites.splits_dense_block(stack):
            kernels, biases = zip(*((conv.kernel, conv.bias) for conv in self.convs), strict=True)
            new = rewrites.dense_block(stack, kernels, biases, self._activate)[1]
            return ops.concatenate([stack, *new], axis=-1)
        for conv in self.convs:
            new = self._activate(conv(stack))
            stack = ops.concatenate([stack, new], axis=-1)  # growth more channels
        return stack

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], input_shape[-1] + self.growth * len(self.convs))

    def _activate(self, maps: Tensor) -> Tensor:
        return ops.relu(self.norm(maps))


class Encoder(keras.Model):
    """Images to codes: `[B, H, W, 3]` in [-1, 1] to `[B, 2, 2, chunk_size]` (tables 3.1, 3.2).

    The cell (row, column) of a code is the chunk of that quadrant. CoordConv, a 3x3 convolution,
    then dense blocks, each followed by a 1x1 convolution that keeps the width and a 2x2 max pool,
    and at the end a 1x1 convolution. With the defaults 2,800,512 parameters (table 3.6).
    Codes are float32 under mixed precision.

    Larger images than `image_size` may be given at a call, if every pool halves them evenly: a
    code has then more cells, e.g. 3x3 for 96 px in the network for 64 px.

    Args:
        image_size: side of the images in pixels, a power of two.
        chunk_size: channels of a chunk.
        stem_width: channels of the first convolution.
        block_layers: number of layers of each dense block; log2(image_size) - 1 blocks. 0 is
            allowed: without 3x3 convolutions the coarse levels keep the receptive field small.
        growth: maps that a dense layer adds.
        receptive_field: pixels that a chunk may see at most: dense layers that would see more have
            1x1 kernels. 0 is the thesis: all have 3x3 ones.
        seed: of the initial weights; every layer has its own, derived from it.

    Raises:
        ValueError: a size is not positive, the number of blocks does not fit `image_size`, or
            `receptive_field` is less than the first convolution and the pools see.
    """

    def __init__(
        self,
        image_size: int = 64,
        chunk_size: int = 192,
        stem_width: int = 48,
        block_layers: Sequence[int] = (4, 5, 7, 10, 12),
        growth: int = 16,
        receptive_field: int = 0,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        layers.check_positive(chunk_size=chunk_size, stem_width=stem_width, growth=growth)
        if any(depth < 0 for depth in block_layers):
            raise ValueError(f"block_layers must be 0 or more, not {block_layers}.")
        layers.check_blocks(image_size, len(block_layers))
        self.settings = {
            "image_size": image_size,
            "chunk_size": chunk_size,
            "stem_width": stem_width,
            "block_layers": tuple(block_layers),
            "growth": growth,
            "receptive_field": receptive_field,
            "seed": seed,
        }
        kernels = dense_kernels(block_layers, receptive_field)
        seeds = layers.layer_seeds("encoder", seed)
        dtype = self.dtype_policy
        self.coordinates = layers.AppendCoordinates(dtype=dtype)
        self.stem = _conv(stem_width, 3, next(seeds), dtype)
        self.blocks = []
        self.transitions = []
        width = stem_width
        for depth, sizes in zip(block_layers, kernels, strict=True):
            block_seeds = [next(seeds) for _ in range(depth)]
            self.blocks.append(DenseBlockEncoder(growth, block_seeds, sizes, dtype=dtype))
            width += growth * depth
            self.transitions.append(_conv(width, 1, next(seeds), dtype))
        self.head = _conv(chunk_size, 1, next(seeds), dtype)
        self.build((None, image_size, image_size, 3))

    def build(self, input_shape: tuple) -> None:
        self.coordinates.build(input_shape)
        self.stem.build(self.coordinates.compute_output_shape(input_shape))
        shape = (None, None, None, self.settings["stem_width"])
        for block, transition in zip(self.blocks, self.transitions, strict=True):
            block.build(shape)
            shape = block.compute_output_shape(shape)
            transition.build(shape)
        self.head.build(shape)

    def call(self, images: Tensor, training: bool | None = None) -> Tensor:
        """Encodes `[B, H, W, 3]` in [-1, 1]; `training` changes nothing."""
        return self.layer_maps(images, (CODE,))[CODE]

    def features(self, images: Tensor) -> Tensor:
        """The maps before the last convolution narrows them: `[B, 2, 2, 656]` at 64 px."""
        last = self.layer_names[-2]
        return self.layer_maps(images, (last,))[last]

    @property
    def windows(self) -> list[receptive_field.Window]:
        """What sees what, from the image to a chunk (`receptive_field.side`)."""
        windows = [receptive_field.of(self.stem)]
        for block, transition in zip(self.blocks, self.transitions, strict=True):
            windows += map(receptive_field.of, [*block.convs, transition])
            windows.append(receptive_field.POOL)
        return [*windows, receptive_field.of(self.head)]

    @property
    def layer_names(self) -> list[str]:
        """The layers that `layer_maps` knows: stem, block1 to block5 with the defaults, code."""
        return ["stem", *(f"block{number + 1}" for number in range(len(self.blocks))), CODE]

    def layer_maps(
        self, images: Tensor, names: Sequence[str], training: bool = False
    ) -> dict[str, Tensor]:
        """The maps `[B, h, w, C]` of named layers; those of a block after the pool that ends it.

        Raises ValueError for a layer that there is not.
        """
        self._check_divisible(images.shape)
        return picked(self._stages(images), names, self.layer_names)

    def _stages(self, images: Tensor) -> Iterator[tuple[str, Tensor]]:
        maps = self.stem(self.coordinates(images))  # [B, H, W, stem_width]
        yield "stem", maps
        blocks = zip(self.layer_names[1:-1], self.blocks, self.transitions, strict=True)
        for name, block, transition in blocks:
            maps = transition(block(maps))  # [B, h, w, C + growth * layers]
            maps = ops.max_pool(maps, 2, strides=2, padding="valid")  # [B, h / 2, w / 2, C']
            yield name, maps
        yield CODE, ops.cast(self.head(maps), self.variable_dtype)  # [B, 2, 2, chunk_size]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}

    def _check_divisible(self, shape: tuple) -> None:
        factor = 2 ** len(self.blocks)
        if any(side is not None and side % factor for side in shape[1:3]):
            raise ValueError(
                f"The sides of the images must be multiples of {factor} px (the encoder halves "
                f"them {len(self.blocks)} times), not {shape[1]}x{shape[2]}."
            )


def least_field(blocks: int) -> int:
    """Pixels that a chunk sees through the first convolution and the pools alone: 34 for five."""
    return 2**blocks + 2


def dense_kernels(block_layers: Sequence[int], most: int = 0) -> list[list[int]]:
    """Sides of the kernels of each block: 3 from the image on, 1 where a chunk would see too much.

    Args:
        block_layers: layers of each block.
        most: pixels that a chunk may see; 0: any number.

    Raises:
        ValueError: `most` is less than `least_field`.
    """
    seen = least_field(len(block_layers))
    if most and most < seen:
        raise ValueError(f"receptive_field must be 0 or {seen} and more, not {most}.")
    kernels = []
    for number, depth in enumerate(block_layers):
        grows = 2 * 2**number  # by a 3x3 kernel behind so many pools
        wide = depth if not most else min(depth, (most - seen) // grows)
        seen += wide * grows
        kernels.append([3] * wide + [1] * (depth - wide))
    return kernels
