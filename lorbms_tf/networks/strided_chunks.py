"""Encoder and decoder of chunks by strided convolutions alone: small models that learn fast.

Not the thesis, whose networks are `encoder` and `decoder`; codes and images are the same. No norm,
no pool, no dense block: a convolution of stride 2 looks at far fewer places than those do, and a
chunk keeps where things lie in its quadrant.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks import layers, receptive_field
from lorbms_tf.networks.decoder import alone, together
from lorbms_tf.networks.encoder import CODE
from lorbms_tf.networks.stages import picked

KERNEL = 4
CHUNK_KERNEL = 2  # between a chunk and the 2x2 maps of its quadrant: no quadrant sees another here


class StridedChunkEncoder(keras.Model):
    """Images to codes: `[B, H, W, 3]` in [-1, 1] to `[B, 2, 2, chunk_size]`.

    4x4 convolutions of stride 2 with ReLUs down to maps of 4x4, then a 2x2 convolution of stride 2.
    The cell (row, column) of a code is the chunk of that quadrant. Codes are float32 under mixed
    precision. Larger images than `image_size` may be given at a call, as with `Encoder`.

    Args:
        image_size: side of the images in pixels, a power of two.
        chunk_size: channels of a chunk.
        widths: channels of the convolutions, from the image on; log2(image_size) - 2 of them.
        seed: of the initial weights.

    Raises:
        ValueError: a size is not positive, or the number of widths does not fit `image_size`.
    """

    def __init__(
        self,
        image_size: int = 32,
        chunk_size: int = 256,
        widths: Sequence[int] = (32, 64, 128),
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check(image_size, chunk_size, widths)
        self.settings = {
            "image_size": image_size,
            "chunk_size": chunk_size,
            "widths": tuple(widths),
            "seed": seed,
        }
        seeds, dtype = layers.layer_seeds("strided chunk encoder", seed), self.dtype_policy
        conv = keras.layers.Conv2D
        self.convs = [_conv(conv, width, KERNEL, next(seeds), dtype) for width in widths]
        self.head = _conv(conv, chunk_size, CHUNK_KERNEL, next(seeds), dtype, last=True)
        self.build((None, image_size, image_size, 3))

    def build(self, input_shape: tuple) -> None:
        width = input_shape[-1]
        for conv in (*self.convs, self.head):
            conv.build((None, None, None, width))
            width = conv.filters

    def call(self, images: Tensor, training: bool | None = None) -> Tensor:
        """Encodes `[B, H, W, 3]` in [-1, 1]; `training` changes nothing."""
        return self.layer_maps(images, (CODE,))[CODE]

    def features(self, images: Tensor) -> Tensor:
        """The maps before the last convolution: `[B, 4, 4, widths[-1]]` at `image_size`."""
        last = self.layer_names[-2]
        return self.layer_maps(images, (last,))[last]

    @property
    def layer_names(self) -> list[str]:
        """The layers that `layer_maps` knows: conv1, conv2, ..., code."""
        return [*(f"conv{number + 1}" for number in range(len(self.convs))), CODE]

    def layer_maps(
        self, images: Tensor, names: Sequence[str], training: bool = False
    ) -> dict[str, Tensor]:
        """The maps `[B, h, w, C]` of named layers, after ReLU but for the code.

        Raises ValueError for a layer that there is not, or sides that cannot be halved so often.
        """
        factor = 2 ** (len(self.convs) + 1)
        if any(side is not None and side % factor for side in images.shape[1:3]):
            raise ValueError(f"The sides of the images must be multiples of {factor} px.")
        return picked(self._stages(images), names, self.layer_names)

    def _stages(self, images: Tensor) -> Iterator[tuple[str, Tensor]]:
        maps = images
        for name, conv in zip(self.layer_names, self.convs, strict=False):
            maps = ops.relu(conv(maps))
            yield name, maps
        yield CODE, ops.cast(self.head(maps), self.variable_dtype)  # [B, 2, 2, chunk_size]

    @property
    def windows(self) -> list[receptive_field.Window]:
        """What sees what, from the images to a chunk (`receptive_field.side`)."""
        return [receptive_field.of(conv) for conv in (*self.convs, self.head)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}


class StridedChunkDecoder(keras.Model):
    """Codes to images: `[B, 2, 2, chunk_size]` to `[B, H, W, 3]` in [-1, 1], float32.

    The encoder backwards: a transposed 2x2 convolution of stride 2, which makes the 2x2 maps of
    each quadrant from its chunk alone, then transposed 4x4 ones; ReLUs between them, tanh at last.

    Args:
        image_size, chunk_size, widths, seed: as `StridedChunkEncoder`; widths from the image on.
        separate_blocks: how many of the first convolutions decode each chunk as if it were alone,
            0 to all. The first does so anyhow.

    Raises:
        ValueError: as `StridedChunkEncoder`; `separate_blocks` is not among 0 to all.
    """

    def __init__(
        self,
        image_size: int = 32,
        chunk_size: int = 256,
        widths: Sequence[int] = (32, 64, 128),
        separate_blocks: int = 0,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check(image_size, chunk_size, widths)
        if not 0 <= separate_blocks <= len(widths) + 1:
            raise ValueError(
                f"separate_blocks must be 0 to {len(widths) + 1}, not {separate_blocks}."
            )
        self.settings = {
            "image_size": image_size,
            "chunk_size": chunk_size,
            "widths": tuple(widths),
            "separate_blocks": separate_blocks,
            "seed": seed,
        }
        seeds, dtype = layers.layer_seeds("strided chunk decoder", seed), self.dtype_policy
        conv = keras.layers.Conv2DTranspose
        kernels = [CHUNK_KERNEL] + [KERNEL] * (len(widths) - 1)
        self.ups = [
            _conv(conv, width, kernel, next(seeds), dtype)
            for width, kernel in zip(reversed(widths), kernels, strict=True)
        ]
        self.ups.append(_conv(conv, 3, KERNEL, next(seeds), dtype, last=True))
        self.build((None, 2, 2, chunk_size))

    def build(self, input_shape: tuple) -> None:
        width = input_shape[-1]
        for up in self.ups:
            up.build((None, None, None, width))
            width = up.filters

    def call(self, codes: Tensor, training: bool | None = None) -> Tensor:
        """Decodes `[B, 2, 2, chunk_size]`; `training` changes nothing."""
        rows, columns = codes.shape[1:3]
        separate = self.settings["separate_blocks"]
        maps = alone(codes) if separate else codes
        for number, up in enumerate(self.ups, start=1):
            maps = up(maps)
            if number < len(self.ups):
                maps = ops.relu(maps)
            if number == separate:
                maps = together(maps, rows, columns)
        return ops.tanh(ops.cast(maps, self.variable_dtype))  # [B, H, W, 3]

    @property
    def windows(self) -> list[receptive_field.Window]:
        """What sees what, from the code's cells to a pixel (`receptive_field.side`).

        Separate convolutions see no further than their chunk.
        """
        separate = self.settings["separate_blocks"]
        # Of a kernel of k that doubles the maps, k / 2 weights meet one pixel of what comes out.
        shared = [receptive_field.Window(up.kernel_size[0] // 2, 0.5) for up in self.ups[separate:]]
        return [receptive_field.REPEATED] * separate + shared

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}


def _check(image_size: int, chunk_size: int, widths: Sequence[int]) -> None:
    layers.check_positive(chunk_size=chunk_size, widths=widths)
    if image_size < 8 or image_size & (image_size - 1):
        raise ValueError(f"image_size must be a power of two, 8 or more, not {image_size}.")
    needed = image_size.bit_length() - 3  # halvings down to maps of 4x4
    if len(widths) != needed:
        raise ValueError(
            f"image_size {image_size} needs {needed} widths (log2 of it, less two), "
            f"not {len(widths)}."
        )


def _conv(
    kind: type, filters: int, kernel: int, seed: int, dtype: Any, last: bool = False
) -> keras.layers.Layer:
    # No norm brings the maps to size, so the initial weights must: He's keep it through ReLUs.
    initializer = keras.initializers.GlorotUniform if last else keras.initializers.HeNormal
    return kind(
        filters,
        kernel,
        strides=2,
        padding="same",
        kernel_initializer=initializer(seed=seed),
        dtype=dtype,
    )
