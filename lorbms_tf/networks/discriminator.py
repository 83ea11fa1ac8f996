"""The discriminator: a PatchGAN that judges patches of 46x46 px (thesis, table 3.5)."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks import layers
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
        seed: of the initial weights; every layer has its own, derived from it.

    Raises:
        ValueError: a size is not positive, or `widths` is empty.
    """

    def __init__(
        self,
        image_size: int = 64,
        widths: Sequence[int] = (42, 84, 168, 336),
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        layers.check_positive(image_size=image_size, widths=widths)
        if not widths:
            raise ValueError("widths of the discriminator is empty; at least one is needed.")
        self.settings = {"image_size": image_size, "widths": tuple(widths), "seed": seed}
        seeds = layers.layer_seeds("discriminator", seed)
        dtype = self.dtype_policy
        self.convs = [self._plain_conv(widths[0], 4, 2, next(seeds))]
        for width in widths[1:]:
            conv = SpectralConv2D(width, 4, strides=2, seed=next(seeds), dtype=dtype)
            self.convs.append(conv)
        self.head = self._plain_conv(1, 1, 1, next(seeds))
        self.build((None, image_size, image_size, 3))

    def build(self, input_shape: tuple) -> None:
        width = input_shape[-1]
        for conv in self.convs:
            conv.build((None, None, None, width))
            width = conv.filters
        self.head.build((None, None, None, width))

    def call(self, images: Tensor, training: bool | None = None) -> Tensor:
        """Logits of `[B, H, W, 3]` in [-1, 1]; `training` changes nothing."""
        logits = self.head(self.features(images))  # [B, H / 16, W / 16, 1]
        return ops.cast(logits, self.variable_dtype)

    def features(self, images: Tensor) -> Tensor:
        """The penultimate maps, `[B, h, w, widths[-1]]`: 4x4x336 at 64 px, 6x6x336 at 96 px."""
        return self.layer_maps(images, self.layer_names[-1:])[self.layer_names[-1]]

    @property
    def layer_names(self) -> list[str]:
        """The layers that `layer_maps` knows, conv1 to conv4 with the defaults."""
        return [f"conv{number}" for number in range(1, len(self.convs) + 1)]

    def layer_maps(
        self, images: Tensor, names: Sequence[str], training: bool = False
    ) -> dict[str, Tensor]:
        """The maps `[B, h, w, C]` of named convolutions, after LeakyReLU.

        Raises ValueError for a layer that there is not.
        """
        return picked(self._stages(images), names, self.layer_names)

    def _stages(self, images: Tensor) -> Iterator[tuple[str, Tensor]]:
        maps = images
        for name, conv in zip(self.layer_names, self.convs, strict=True):
            maps = conv(maps)  # [B, h / 2, w / 2, width]
            # LeakyReLU, written out: TensorFlow's graph optimiser trips over the fused form.
            maps = ops.maximum(maps, LEAK * maps)
            yield name, maps

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}

    def _plain_conv(self, filters: int, kernel_size: int, strides: int, seed: int):
        return keras.layers.Conv2D(
            filters,
            kernel_size,
            strides=strides,
            padding="same",
            kernel_initializer=layers.normal_initializer(seed),
            dtype=self.dtype_policy,
        )
