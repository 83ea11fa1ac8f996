"""The discriminator: a PatchGAN that judges patches of 46x46 px (thesis, table 3.5)."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks import layers, receptive_field
from lorbms_tf.networks.attention import SelfAttention
from lorbms_tf.networks.spectral_norm import SpectralConv2D
from lorbms_tf.networks.stages import picked

LEAK = 0.2


class Discriminator(keras.Model):
    """Images to the logits of "this patch is real": `[B, H, W, 3]` in [-1, 1] to `[B, h, w, 1]`.

    4x4 convolutions of stride 2 with LeakyReLU 0.2, all but the first spectral-normalised, then a
    1x1 convolution without activation (the sigmoid that table 3.5 prints is part of the loss). A
    64 px image gives 4x4 logits. With the defaults 1,188,391 parameters (table 3.6). Any image
    size may be given at a call. Logits are float32 under mixed precision.

    Args:
        image_size: side of the images in pixels.
        widths: channels of the stride-2 convolutions.
        coordinates: CoordConv, x and y beside the maps, before every convolution (appendix D.4).
        attention: number of the convolution that self-attention follows; 0: none (appendix D.6).
        whole: a dense layer on all of the last maps in place of the 1x1 convolution, written as a
            convolution as large as they are: `[B, 1, 1, outputs]` for the whole image, the kind of
            discriminator that the thesis had before (appendix D.6).
        outputs: numbers for each patch.
        seed: of the initial weights; every layer has its own, derived from it.

    Raises:
        ValueError: a size is not positive, `widths` is empty, there is no convolution `attention`,
            or, with `whole`, `image_size` cannot be halved so often.
    """

    def __init__(
        self,
        image_size: int = 64,
        widths: Sequence[int] = (42, 84, 168, 336),
        coordinates: bool = False,
        attention: int = 0,
        whole: bool = False,
        outputs: int = 1,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check(image_size, widths, attention, whole, outputs)
        self.settings = {
            "image_size": image_size,
            "widths": tuple(widths),
            "coordinates": coordinates,
            "attention": attention,
            "whole": whole,
            "outputs": outputs,
            "seed": seed,
        }
        seeds = layers.layer_seeds("discriminator", seed)
        dtype = self.dtype_policy
        self.coordinates = layers.AppendCoordinates(dtype=dtype) if coordinates else None
        self.convs = [self._plain_conv(widths[0], 4, 2, next(seeds))]
        for width in widths[1:]:
            conv = SpectralConv2D(width, 4, strides=2, seed=next(seeds), dtype=dtype)
            self.convs.append(conv)
        side = image_size // 2 ** len(widths) if whole else 1
        padding = "valid" if whole else "same"
        self.head = self._plain_conv(outputs, side, 1, next(seeds), padding)
        self.attend = SelfAttention(next(seeds), dtype=dtype) if attention else None
        self.build((None, image_size, image_size, 3))

    def build(self, input_shape: tuple) -> None:
        width = input_shape[-1]
        for number, conv in enumerate([*self.convs, self.head], start=1):
            conv.build((None, None, None, width + (2 if self.coordinates else 0)))
            width = conv.filters
            if number == self.settings["attention"]:
                self.attend.build((None, None, None, width))

    def call(self, images: Tensor, training: bool | None = None) -> Tensor:
        """Logits of `[B, H, W, 3]` in [-1, 1]; `training` changes nothing."""
        maps = self._located(self.features(images))
        logits = self.head(maps)  # [B, H / 16, W / 16, 1]
        return ops.cast(logits, self.variable_dtype)

    def features(self, images: Tensor) -> Tensor:
        """The penultimate maps, `[B, h, w, widths[-1]]`: 4x4x336 at 64 px, 6x6x336 at 96 px."""
        return self.layer_maps(images, self.layer_names[-1:])[self.layer_names[-1]]

    @property
    def windows(self) -> list[receptive_field.Window]:
        """What sees what, from the image to a logit (`receptive_field.side`)."""
        return list(map(receptive_field.of, [*self.convs, self.head]))

    @property
    def layer_names(self) -> list[str]:
        """The layers that `layer_maps` knows, conv1 to conv4 with the defaults."""
        return [f"conv{number}" for number in range(1, len(self.convs) + 1)]

    def layer_maps(
        self, images: Tensor, names: Sequence[str], training: bool = False
    ) -> dict[str, Tensor]:
        """The maps `[B, h, w, C]` of named convolutions, after LeakyReLU and attention.

        Raises ValueError for a layer that there is not.
        """
        return picked(self._stages(images), names, self.layer_names)

    def _stages(self, images: Tensor) -> Iterator[tuple[str, Tensor]]:
        maps = images
        for number, name in enumerate(self.layer_names, start=1):
            maps = self.convs[number - 1](self._located(maps))  # [B, h / 2, w / 2, width]
            # LeakyReLU, written out: TensorFlow's graph optimiser trips over the fused form.
            maps = ops.maximum(maps, LEAK * maps)
            if number == self.settings["attention"]:
                maps = self.attend(maps)
            yield name, maps

    def _located(self, maps: Tensor) -> Tensor:
        return self.coordinates(maps) if self.coordinates else maps

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}

    def _plain_conv(
        self, filters: int, kernel_size: int, strides: int, seed: int, padding: str = "same"
    ) -> keras.layers.Layer:
        return keras.layers.Conv2D(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            kernel_initializer=layers.normal_initializer(seed),
            dtype=self.dtype_policy,
        )


def _check(image_size: int, widths: Sequence[int], attention: int, whole: bool, outputs: int):
    layers.check_positive(image_size=image_size, widths=widths, outputs=outputs)
    if not widths:
        raise ValueError("widths of the discriminator is empty; at least one is needed.")
    if not 0 <= attention <= len(widths):
        raise ValueError(f"attention must be 0 to {len(widths)}, not {attention}.")
    if whole and image_size % 2 ** len(widths):
        raise ValueError(f"image_size {image_size} cannot be halved {len(widths)} times.")
