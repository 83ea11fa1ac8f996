"""VGG-16 and VGG-19 without their dense layers (Simonyan and Zisserman, 2015).

Perceptual losses read its maps by the names of the convolutions, conv1_1 to conv5_3 or conv5_4.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops

from lorbms_tf.networks import layers
from lorbms_tf.networks.stages import picked

CONVS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # convolutions of each block, by depth
WIDTHS = (64, 128, 256, 512, 512)
PADDINGS = ("zeros", "reflect")


def layer_names(depth: int, last: str = "") -> list[str]:
    """The convolutions of VGG-16 or VGG-19 in their order, to `last`, or all.

    Raises ValueError for another depth, and where there is no such layer.
    """
    if depth not in CONVS:
        raise ValueError(f"VGG has 16 or 19 layers, not {depth}.")
    names = [
        f"conv{block}_{number}"
        for block, count in enumerate(CONVS[depth], start=1)
        for number in range(1, count + 1)
    ]
    if last and last not in names:
        raise ValueError(f"VGG-{depth} has no layer {last!r}; valid are {', '.join(names)}.")
    return names[: names.index(last) + 1] if last else names


class VGG(keras.Model):
    """Prepared images `[B, H, W, 3]` to the maps of its last convolution, after ReLU.

    3x3 convolutions of stride 1 with ReLU, in five blocks, with a 2x2 max pool between them. What
    "prepared" means is the business of the weights (`lorbms_tf.features.vgg`).

    Args:
        depth: 16 or 19.
        last: the last convolution that is made; "" makes all.
        padding: "zeros" as published, or "reflect", as style transfer uses it.
        widths: maps of the convolutions of each block.
        input_convolution: begin with a 1x1 convolution to 3 channels, which holds the preparation
            of the weights in normalised form.
        seed: of the initial weights (He normal, bias 0); every layer has its own.

    Raises:
        ValueError: the depth, a layer or the padding is unknown, or there are not five widths.
    """

    def __init__(
        self,
        depth: int = 19,
        last: str = "",
        padding: str = "zeros",
        widths: Sequence[int] = WIDTHS,
        input_convolution: bool = False,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        names = layer_names(depth, last)
        if padding not in PADDINGS:
            raise ValueError(f"Unknown padding {padding!r}; valid are {', '.join(PADDINGS)}.")
        layers.check_positive(widths=tuple(widths))
        if len(widths) != len(WIDTHS):
            raise ValueError(f"VGG has {len(WIDTHS)} blocks, not {len(widths)}.")
        self.settings = {
            "depth": depth,
            "last": names[-1],
            "padding": padding,
            "widths": tuple(widths),
            "input_convolution": input_convolution,
            "seed": seed,
        }
        seeds = layers.layer_seeds("vgg", seed)
        self.input_conv = self._conv("pre_1x1", 3, 1, next(seeds)) if input_convolution else None
        self.convs = [self._conv(name, widths[_block(name) - 1], 3, next(seeds)) for name in names]
        self.build((None, None, None, 3))

    @property
    def layer_names(self) -> list[str]:
        """The layers that `layer_maps` knows."""
        return layer_names(self.settings["depth"], self.settings["last"])

    def build(self, input_shape: tuple) -> None:
        width = input_shape[-1]
        for conv in [*([self.input_conv] if self.input_conv else []), *self.convs]:
            conv.build((None, None, None, width))
            width = conv.filters

    def call(self, images: Any, training: bool | None = None) -> Any:
        """The maps of the last convolution; `training` changes nothing."""
        return self.layer_maps(images, self.layer_names[-1:])[self.layer_names[-1]]

    def layer_maps(
        self,
        images: Any,
        names: Sequence[str],
        training: bool = False,
        kernels: Sequence | None = None,
    ) -> dict:
        """The maps `[B, h, w, C]` of named convolutions, after ReLU.

        With `kernels`, one a convolution (`drawn_kernels`), those take the place of the network's
        own, without biases. Raises ValueError for a layer that this network does not have.
        """
        return picked(self._stages(images, kernels), names, self.layer_names)

    def drawn_kernels(self, seed: keras.random.SeedGenerator, first: bool = True) -> list:
        """Random kernels for all convolutions, He normal, other ones at each call.

        first: also for the first convolution; else it keeps its own.
        """
        kernels = [None if not first else self._drawn(self.convs[0], seed)]
        return kernels + [self._drawn(conv, seed) for conv in self.convs[1:]]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}

    def _drawn(self, conv: keras.layers.Layer, seed: keras.random.SeedGenerator) -> Any:
        shape = tuple(conv.kernel.shape)
        deviation = (2.0 / (shape[0] * shape[1] * shape[2])) ** 0.5
        return keras.random.normal(shape, stddev=deviation, dtype=self.compute_dtype, seed=seed)

    def _stages(self, images: Any, kernels: Sequence | None) -> Iterator[tuple[str, Any]]:
        maps = self.input_conv(images) if self.input_conv else images
        kernels = kernels or [None] * len(self.convs)
        for name, conv, kernel in zip(self.layer_names, self.convs, kernels, strict=True):
            if name.endswith("_1") and name != "conv1_1":
                maps = ops.max_pool(maps, 2, strides=2, padding="valid")  # [B, h / 2, w / 2, C]
            padded = self._padded(maps)
            convolved = conv(padded) if kernel is None else ops.conv(padded, kernel)
            maps = ops.relu(convolved)  # [B, h, w, width of the block]
            yield name, maps

    def _padded(self, maps: Any) -> Any:
        """A border of one pixel, so that the "valid" convolutions keep the size."""
        mode = "reflect" if self.settings["padding"] == "reflect" else "constant"
        return ops.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)), mode=mode)

    def _conv(self, name: str, filters: int, kernel_size: int, seed: int) -> keras.layers.Layer:
        return keras.layers.Conv2D(
            filters,
            kernel_size,
            padding="valid",
            kernel_initializer=keras.initializers.HeNormal(seed=seed),
            dtype=self.dtype_policy,
            name=name,
        )


def _block(name: str) -> int:
    return int(name.removeprefix("conv").partition("_")[0])
