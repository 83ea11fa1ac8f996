"""The decoder: four representation chunks to an image (thesis, table 3.3)."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks import decoder_convs, layers, receptive_field, rewrites
from lorbms_tf.networks.attention import SelfAttention

UP_KERNEL = 3  # of the transitions up


def alone(codes: Tensor) -> Tensor:
    """Every chunk as a code of its own: `[B, rows, columns, C]` -> `[B * chunks, 1, 1, C]`."""
    return ops.reshape(codes, (-1, 1, 1, codes.shape[-1]))


def together(maps: Tensor, rows: int, columns: int) -> Tensor:
    """The inverse of `alone`, when each chunk has become maps `[h, w]` of its quadrant."""
    height, width, channels = maps.shape[1:]
    maps = ops.reshape(maps, (-1, rows, columns, height, width, channels))
    maps = ops.transpose(maps, (0, 1, 3, 2, 4, 5))  # [B, rows, h, columns, w, C]
    return ops.reshape(maps, (-1, rows * height, columns * width, channels))


class DenseBlockDecoder(keras.layers.Layer):
    """A dense block without norm layers: ReLU, spectral-normalised 3x3 convolution (table 3.4).

    `[B, H, W, C] -> [B, H, W, growth * len(seeds)]`: each layer reads the whole stack, but only
    the NEW maps are returned (table 3.3). Each map is rectified once, when it is new.
    """

    def __init__(self, growth: int, seeds: Sequence[int], spectral_norm: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.growth = growth
        self.convs = [
            decoder_convs.conv(growth, 3, seed, self.dtype_policy, spectral_norm) for seed in seeds
        ]

    def build(self, input_shape: tuple) -> None:
        layers.build_dense_convs(self.convs, input_shape[-1], self.growth)

    def call(self, maps: Tensor) -> Tensor:
        stack = ops.relu(maps)
        if rewrites.splits_dense_block(stack):
            kernels = [decoder_convs.kernel(conv) for conv in self.convs]
            biases = [conv.bias for conv in self.convs]
            new = rewrites.dense_block(stack, kernels, biases, ops.relu)[0]
            return ops.concatenate(new, axis=-1)
        new = []
        for conv in self.convs:
            if new:
                stack = ops.concatenate([stack, ops.relu(new[-1])], axis=-1)  # growth more
            new.append(conv(stack))
        return ops.concatenate(new, axis=-1)  # [B, H, W, growth * layers]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.growth * len(self.convs))


class Decoder(keras.Model):
    """Codes to images: `[B, 2, 2, chunk_size]` to `[B, H, W, 3]` in [-1, 1] (tables 3.3, 3.4).

    Each block: a transition up (nearest neighbour x2, then a spectral-normalised 3x3 convolution
    without bias and activation) and a dense block, whose new maps alone go to the next transition.
    The last 1x1 convolution reads the last block's whole stack, its input included; then tanh.
    With the defaults 5,300,339 parameters (table 3.6). Images are float32 under mixed precision.

    Args:
        image_size: side of the images in pixels, a power of two.
        chunk_size: channels of a chunk.
        block_layers: number of layers of each dense block; log2(image_size) - 1 blocks.
        up_widths: channels of the transition up before each block.
        growth: maps that a dense layer adds.
        spectral_norm: False leaves the kernels as they are (not the thesis): plain convolutions
            learn to reconstruct from fewer images.
        transposed: transitions up are transposed 3x3 convolutions of stride 2, those of FC-DenseNet
            (figure 3.9), in place of a repetition and a convolution; as many parameters.
        attention: number of the block that self-attention follows; 0: none (appendix D.6). That of
            the last block changes what the 1x1 convolution reads.
        separate_blocks: how many of the first blocks decode each chunk as if it were alone. 0 is
            the thesis: all see all. More of them bind what a chunk tells to its quadrant.
        seed: of the initial weights; every layer has its own, derived from it.

    Raises:
        ValueError: a size is not positive, the number of blocks does not fit `image_size`,
            `up_widths` is not as long as `block_layers`, or `separate_blocks` or `attention` is
            not among 0 to their number.
    """

    def __init__(
        self,
        image_size: int = 64,
        chunk_size: int = 192,
        block_layers: Sequence[int] = (12, 10, 7, 5, 4),
        up_widths: Sequence[int] = (656, 464, 304, 192, 112),
        growth: int = 16,
        spectral_norm: bool = True,
        separate_blocks: int = 0,
        transposed: bool = False,
        attention: int = 0,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.settings = {
            "image_size": image_size,
            "chunk_size": chunk_size,
            "block_layers": tuple(block_layers),
            "up_widths": tuple(up_widths),
            "growth": growth,
            "spectral_norm": spectral_norm,
            "separate_blocks": separate_blocks,
            "transposed": transposed,
            "attention": attention,
            "seed": seed,
        }
        _check(self.settings)
        self._make_layers(seed)
        self.build((None, 2, 2, chunk_size))

    def _make_layers(self, seed: int) -> None:
        settings, seeds = self.settings, layers.layer_seeds("decoder", seed)
        spectral_norm = settings["spectral_norm"]
        dtype = self.dtype_policy
        self.upsample = keras.layers.UpSampling2D(2, interpolation="nearest", dtype=dtype)
        self.transitions = []
        self.blocks = []
        make = decoder_convs.transposed if settings["transposed"] else decoder_convs.conv
        for width, depth in zip(settings["up_widths"], settings["block_layers"], strict=True):
            transition = make(width, UP_KERNEL, next(seeds), dtype, spectral_norm, use_bias=False)
            self.transitions.append(transition)
            block_seeds = [next(seeds) for _ in range(depth)]
            self.blocks.append(
                DenseBlockDecoder(settings["growth"], block_seeds, spectral_norm, dtype=dtype)
            )
        self.head = decoder_convs.conv(3, 1, next(seeds), dtype, spectral_norm)
        attention = settings["attention"]
        self.attend = SelfAttention(next(seeds), dtype=dtype) if attention else None

    def build(self, input_shape: tuple) -> None:
        shape = (None, None, None, input_shape[-1])
        for number, transition in enumerate(self.transitions, start=1):
            transition.build(shape)
            up_shape = (*shape[:-1], transition.filters)
            block = self.blocks[number - 1]
            block.build(up_shape)
            shape = block.compute_output_shape(up_shape)
            if number == self.settings["attention"]:
                self.attend.build(shape)
        self.head.build((None, None, None, up_shape[-1] + shape[-1]))

    def call(self, codes: Tensor, training: bool | None = None) -> Tensor:
        """Decodes `[B, 2, 2, chunk_size]`; `training` changes nothing."""
        rows, columns = codes.shape[1:3]
        separate = self.settings["separate_blocks"]
        new = alone(codes) if separate else codes
        for index, parts in enumerate(zip(self.transitions, self.blocks, strict=True), start=1):
            transition, block = parts
            up = self._transition_up(transition, new)  # [B, 2h, 2w, up_width]
            new = block(up)  # [B, 2h, 2w, growth * layers]
            if index == separate:
                up, new = (together(maps, rows, columns) for maps in (up, new))
            if index == self.settings["attention"]:
                new = self.attend(new)
        stack = ops.concatenate([up, new], axis=-1)  # [B, H, W, up_width + growth * layers]
        images = ops.tanh(ops.cast(self.head(stack), self.variable_dtype))
        return images  # [B, H, W, 3]

    @property
    def windows(self) -> list[receptive_field.Window]:
        """What sees what, from the code's cells to a pixel (`receptive_field.side`).

        Separate blocks see no further than their chunk.
        """
        separate = self.settings["separate_blocks"]
        windows = [receptive_field.REPEATED] * separate
        for block in self.blocks[separate:]:
            windows += [receptive_field.REPEATED, receptive_field.Window(UP_KERNEL)]
            windows += map(receptive_field.of, block.convs)
        return [*windows, receptive_field.of(self.head)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}

    def _transition_up(self, transition: keras.layers.Layer, maps: Tensor) -> Tensor:
        if self.settings["transposed"]:
            return transition(maps)
        if rewrites.folds_upsampling(maps):
            return rewrites.upsampled_conv(maps, decoder_convs.kernel(transition))
        return transition(self.upsample(maps))


def _check(settings: dict[str, Any]) -> None:
    """Raises ValueError for the first of a decoder's settings that does not fit."""
    sizes = ("chunk_size", "block_layers", "up_widths", "growth")
    layers.check_positive(**{name: settings[name] for name in sizes})
    blocks, widths = len(settings["block_layers"]), len(settings["up_widths"])
    layers.check_blocks(settings["image_size"], blocks)
    if widths != blocks:
        raise ValueError(
            f"up_widths has {widths} entries, but block_layers has {blocks}; both need one entry a "
            "block."
        )
    for name in ("separate_blocks", "attention"):
        if not 0 <= settings[name] <= blocks:
            raise ValueError(f"{name} must be 0 to {blocks}, not {settings[name]}.")
