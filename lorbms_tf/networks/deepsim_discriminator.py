"""The discriminator of Dosovitskiy and Brox (2016, supplement, table 1): local statistics."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from lorbms_tf.networks import layers

KERNELS, STRIDES = (7, 5, 3, 3, 3), (4, 1, 2, 1, 2)
WIDTHS = (32, 64, 128, 256, 256)
DROPOUT = 0.5


class DeepsimDiscriminator(keras.Model):
    """Images `[B, S, S, 3]` to two logits `[B, 2]`: of real ones, and of made ones.

    Five convolutions without borders, ReLU after each, the mean over all places, a dense layer with
    ReLU, and the logits (float32 under mixed precision). With the defaults 1,147,714 parameters.
    The first convolution moves by 4 pixels as published, by 2 or 1 where images are too small.

    Args:
        image_size: S, pixels; at least 21.
        widths: maps of the convolutions.
        dense: width of the dense layer.
        features: numbers of the features that it also reads; 0: none. They go through two dense
            layers, as wide and half as wide, beside the convolutions.
        seed: of the initial weights.
        stride: the most pixels that the first convolution moves by.

    Raises:
        ValueError: a size is below 1, there are not five widths, or images are too small.
    """

    def __init__(
        self,
        image_size: int = 227,
        widths: Sequence[int] = WIDTHS,
        dense: int = 512,
        features: int = 0,
        seed: int = 0,
        stride: int = STRIDES[0],
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        layers.check_positive(image_size=image_size, widths=widths, dense=dense, stride=stride)
        if len(widths) != len(KERNELS):
            raise ValueError(f"widths must be {len(KERNELS)} numbers, not {tuple(widths)}.")
        self.settings = {
            "image_size": image_size,
            "widths": tuple(widths),
            "dense": dense,
            "features": features,
            "seed": seed,
            "stride": stride,
        }
        seeds = layers.layer_seeds("deepsim_discriminator", seed)
        strides = (first_stride(image_size, stride), *STRIDES[1:])
        self.convs = [
            self._layer(keras.layers.Conv2D, next(seeds), width, kernel, strides=stride)
            for width, kernel, stride in zip(widths, KERNELS, strides, strict=True)
        ]
        self.hidden = self._layer(keras.layers.Dense, next(seeds), dense)
        self.head = self._layer(keras.layers.Dense, next(seeds), 2, activation=None)
        own = (dense, max(1, dense // 2)) if features else ()
        self.of_features = [self._layer(keras.layers.Dense, next(seeds), width) for width in own]
        self.build((None, image_size, image_size, 3))

    def _layer(self, kind: Any, seed: int, *sizes: int, activation: Any = "relu", **more: Any):
        initializer = keras.initializers.HeNormal(seed=seed)
        return kind(
            *sizes,
            activation=activation,
            kernel_initializer=initializer,
            dtype=self.dtype_policy,
            **more,
        )

    def build(self, input_shape: tuple) -> None:
        width = input_shape[-1]
        for conv in self.convs:
            conv.build((None, None, None, width))
            width = conv.filters
        if self.of_features:
            layers.build_dense(self.of_features, self.settings["features"])
            width += self.of_features[-1].units
        layers.build_dense([self.hidden, self.head], width)

    @property
    def draw_count(self) -> int:
        """How many uniform draws an image's dropout takes."""
        return self.settings["widths"][-1] + self.settings["dense"]

    @property
    def decayed(self) -> list:
        """The variables that weight decay is for: all kernels."""
        return [layer.kernel for layer in (*self.convs, *self.of_features, self.hidden, self.head)]

    def maps(self, images: Any) -> list:
        """The maps `[B, h, w, C]` of each convolution."""
        made = []
        for conv in self.convs:
            images = conv(images)
            made.append(images)
        return made

    def call(
        self, images: Any, features: Any = None, draws: Any = None, training: bool | None = None
    ) -> Any:
        """Logits `[B, 2]`.

        Args:
            images: `[B, S, S, 3]` in [-1, 1].
            features: `[B, ...]`, where the network reads them.
            draws: `[B, draw_count]` in [0, 1): what is below a half is dropped after the mean and
                after the dense layer; None: nothing is.
            training: has no effect; dropout is up to `draws`.
        """
        pooled = ops.mean(self.maps(images)[-1], axis=(1, 2))  # [B, C]
        count = pooled.shape[-1]
        if draws is not None:
            pooled = _dropped(pooled, draws[:, :count])
        if self.of_features:
            own = ops.reshape(features, (-1, self.settings["features"]))
            for dense in self.of_features:
                own = dense(own)
            pooled = ops.concatenate([pooled, own], axis=-1)
        hidden = self.hidden(pooled)
        if draws is not None:
            hidden = _dropped(hidden, draws[:, count:])
        return ops.cast(self.head(hidden), "float32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}


def first_stride(image_size: int, most: int = STRIDES[0]) -> int:
    """The stride of the first convolution: `most`, or less for small images.

    Raises ValueError where images are too small for any.
    """
    for stride in dict.fromkeys((most, 2, 1)):
        if stride > most:
            continue
        side = image_size
        for kernel, step in zip(KERNELS, (stride, *STRIDES[1:]), strict=True):
            side = (side - kernel) // step + 1 if side >= kernel else 0
        if side > 0:
            return stride
    raise ValueError(f"The discriminator cannot read images of {image_size} px; from 21 px on.")


def _dropped(values: Any, draws: Any) -> Any:
    kept = ops.cast(draws >= DROPOUT, values.dtype)
    return values * kept / (1.0 - DROPOUT)
