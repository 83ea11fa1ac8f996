"""DeepCluster's AlexNet (Caron et al. 2018), the feature network of the thesis (section 3.4).

As published: edges of the grey image instead of colours, batch norm before each ReLU, no groups.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks import layers
from lorbms_tf.networks.stages import picked

# (kernel size, padding) of the five convolutions, and whether a 3/2 max pool follows.
CONVS = ((11, 2, True), (5, 2, True), (3, 1, False), (3, 1, False), (3, 1, True))
LAYERS = tuple(f"conv{number}" for number in range(1, len(CONVS) + 1))
# Mean and standard deviation of ImageNet's RGB in [0, 1], by which the inputs were normalised.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SOBEL = (((1, 0, -1), (2, 0, -2), (1, 0, -1)), ((1, 2, 1), (0, 0, 0), (-1, -2, -1)))
DROPOUT = 0.5
DENSE_STDDEV = 0.01


def trunk_side(image_size: int, stem_stride: int = 4) -> int:
    """Side of the maps after the last pool: 6 for 224 px; 0 or less where that is too small."""
    side = image_size
    for index, (kernel, padding, pooled) in enumerate(CONVS):
        stride = stem_stride if index == 0 else 1
        side = (side + 2 * padding - kernel) // stride + 1
        if pooled:
            side = (side - 3) // 2 + 1
    return side


def smallest_image(stem_stride: int = 4) -> int:
    """The smallest side of images that the network can read, pixels."""
    return next(size for size in range(1, 1000) if trunk_side(size, stem_stride) >= 1)


class DeepClusterAlexNet(keras.Model):
    """Images to logits: `[B, S, S, 3]` in [-1, 1] to `[B, outputs]`.

    The image is normalised as in ImageNet, made grey and turned into two maps of edges (Sobel).
    Then five convolutions with batch norm (momentum 0.9, epsilon 1e-5) and ReLU, 3/2 max pools
    after the first, second and fifth, and dense layers with ReLU and dropout 0.5 in front of them.

    Args:
        image_size: side of the images in pixels (published: 224); the dense layers fix it.
        conv_widths: channels of the five convolutions.
        dense_widths: of the hidden dense layers (fc6, fc7), at least one.
        outputs: number of logits; 0: `features` and `maps` remain, as in the published features.
        stem_stride: of the first convolution (published: 4); 2 keeps more of small images.
        seed: of the initial weights and of dropout; every layer has its own, derived from it.

    Raises:
        ValueError: the image is too small, or a width is not positive or missing.
    """

    def __init__(
        self,
        image_size: int = 224,
        conv_widths: Sequence[int] = (96, 256, 384, 384, 256),
        dense_widths: Sequence[int] = (4096, 4096),
        outputs: int = 0,
        stem_stride: int = 4,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check(image_size, conv_widths, dense_widths, stem_stride)
        self.settings = {
            "image_size": image_size,
            "conv_widths": tuple(conv_widths),
            "dense_widths": tuple(dense_widths),
            "outputs": outputs,
            "stem_stride": stem_stride,
            "seed": seed,
        }
        seeds = layers.layer_seeds("deepcluster", seed)
        self.convs = []
        self.norms = []
        for index, (width, geometry) in enumerate(zip(conv_widths, CONVS, strict=True)):
            stride = stem_stride if index == 0 else 1
            self.convs.append(self._conv(width, geometry[0], stride, next(seeds)))
            self.norms.append(
                keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=self.dtype_policy)
            )
        self.dense = [self._dense(width, next(seeds)) for width in dense_widths]
        self.dropouts = [keras.layers.Dropout(DROPOUT, seed=next(seeds)) for _ in dense_widths]
        self.head = self._dense(outputs, next(seeds)) if outputs else None
        self.build((None, image_size, image_size, 3))

    def build(self, input_shape: tuple) -> None:
        width = len(SOBEL)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            conv.build((None, None, None, width))
            width = conv.filters
            norm.build((None, None, None, width))
        width *= trunk_side(self.settings["image_size"], self.settings["stem_stride"]) ** 2
        layers.build_dense([*self.dense, *([self.head] if self.head else [])], width)

    def call(self, images: Tensor, training: bool | None = None) -> Tensor:
        """Logits `[B, outputs]`; with `training`, dropout acts and batch norm sees the batch.

        Raises:
            ValueError: the network was made without outputs, or the images have another size.
        """
        if self.head is None:
            raise ValueError("This network was made with outputs=0: it has features, no logits.")
        logits = self.head(ops.relu(self._fc7(images, training)))
        return ops.cast(logits, self.variable_dtype)

    def features(self, images: Tensor, training: bool = False) -> Tensor:
        """What DeepCluster clusters: the last hidden layer before its ReLU, `[B, D]`.

        Args:
            images: `[B, S, S, 3]` in [-1, 1].
            training: whether dropout acts and batch norm sees the batch.

        Raises:
            ValueError: the images have another size.
        """
        return ops.cast(self._fc7(images, training), self.variable_dtype)

    def maps(self, images: Tensor, number: int = 5, training: bool = False) -> Tensor:
        """Maps of the convolution `number`, 1 to 5, after ReLU, before a pool: `[B, h, w, C]`.

        Images may be larger or smaller than those that the dense layers read.
        """
        name = f"conv{number}"
        stages = self._stages(images, training)
        return ops.cast(picked(stages, (name,), LAYERS)[name], self.variable_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}

    def _fc7(self, images: Tensor, training: bool) -> Tensor:
        size = self.settings["image_size"]
        if tuple(images.shape[1:3]) != (size, size):
            raise ValueError(
                f"This network reads images of {size}x{size} px, not "
                f"{images.shape[1]}x{images.shape[2]}."
            )
        *_, (_, maps) = self._stages(images, training)
        hidden = _pool(maps)  # [B, 6, 6, 256] for 224 px
        hidden = ops.reshape(hidden, (-1, math.prod(hidden.shape[1:])))  # [B, h * w * C]
        for index, (dense, dropout) in enumerate(zip(self.dense, self.dropouts, strict=True)):
            hidden = ops.relu(hidden) if index else hidden
            hidden = dense(dropout(hidden, training=training))  # [B, dense_width]
        return hidden

    def _stages(self, images: Tensor, training: bool) -> Iterator[tuple[str, Tensor]]:
        maps = edges(images)  # [B, S, S, 2]
        for index, name in enumerate(LAYERS):
            if index and CONVS[index - 1][2]:
                maps = _pool(maps)
            # Padded by hand: "same" pads a stride of 4 on other sides than published.
            around = (CONVS[index][1],) * 2
            maps = self.convs[index](ops.pad(maps, ((0, 0), around, around, (0, 0))))
            maps = ops.relu(self.norms[index](maps, training=training))
            yield name, maps

    def _conv(self, filters: int, kernel_size: int, strides: int, seed: int):
        spread = math.sqrt(2.0 / (kernel_size * kernel_size * filters))
        return keras.layers.Conv2D(
            filters,
            kernel_size,
            strides=strides,
            padding="valid",
            kernel_initializer=keras.initializers.RandomNormal(stddev=spread, seed=seed),
            dtype=self.dtype_policy,
        )

    def _dense(self, units: int, seed: int):
        initializer = keras.initializers.RandomNormal(stddev=DENSE_STDDEV, seed=seed)
        return keras.layers.Dense(units, kernel_initializer=initializer, dtype=self.dtype_policy)


def _pool(maps: Tensor) -> Tensor:
    return ops.max_pool(maps, 3, strides=2, padding="valid")


def edges(images: Tensor) -> Tensor:
    """Horizontal and vertical edges of the grey image: `[B, H, W, 3]` in [-1, 1] to `[B, H, W, 2]`.

    Grey is the mean of the three channels, each normalised by ImageNet's mean and deviation. The
    Sobel filters have zeros around the image, so its border counts as an edge.
    """
    normalised = ((images + 1.0) / 2.0 - np.array(MEAN, "float32")) / np.array(STD, "float32")
    grey = ops.mean(normalised, axis=-1, keepdims=True)  # [B, H, W, 1]
    kernel = np.transpose(np.array(SOBEL, "float32"), (1, 2, 0))[:, :, None, :]  # [3, 3, 1, 2]
    return ops.conv(grey, ops.cast(kernel, grey.dtype), padding="same")


def _check(
    image_size: int, conv_widths: Sequence[int], dense_widths: Sequence[int], stem_stride: int
) -> None:
    layers.check_positive(
        conv_widths=conv_widths, dense_widths=dense_widths, stem_stride=stem_stride
    )
    if len(conv_widths) != len(CONVS) or not dense_widths:
        raise ValueError(
            f"conv_widths must be {len(CONVS)} numbers and dense_widths at least one, not "
            f"{tuple(conv_widths)} and {tuple(dense_widths)}."
        )
    smallest = smallest_image(stem_stride)
    if image_size < smallest:
        raise ValueError(
            f"DeepCluster's AlexNet with stem_stride {stem_stride} cannot read images of "
            f"{image_size} px; the smallest are {smallest} px."
        )
