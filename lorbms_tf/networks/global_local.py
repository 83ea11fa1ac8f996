"""The global-local discriminator (Iizuka et al., 2017; thesis, appendix D.7)."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks import layers, receptive_field
from lorbms_tf.networks.discriminator import LEAK, Discriminator


class GlobalLocalDiscriminator(keras.Model):
    """Images and a place to one logit each: `[B, H, W, 3]` in [-1, 1] to `[B, 1]`.

    One part reads the whole image, another a patch of half its side; both are convolutions and a
    dense layer that gives a vector (`Discriminator`, `whole`). A dense layer on both vectors, after
    LeakyReLU 0.2, decides. As published but for the convolutions, which are those of the thesis's
    PatchGAN. Logits are float32 under mixed precision.

    Args:
        image_size: side of the images in pixels, which the convolutions halve evenly, also half.
        widths: channels of the stride-2 convolutions of the whole; the patch has all but the last.
        dense: length of each vector.
        coordinates, attention, seed: as `Discriminator`.

    Raises:
        ValueError: as `Discriminator`, or there are fewer than two widths.
    """

    def __init__(
        self,
        image_size: int = 64,
        widths: Sequence[int] = (42, 84, 168, 336),
        dense: int = 1024,
        coordinates: bool = False,
        attention: int = 0,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if len(widths) < 2:
            raise ValueError(f"widths must be two numbers or more, not {tuple(widths)}.")
        self.settings = {
            "image_size": image_size,
            "widths": tuple(widths),
            "dense": dense,
            "coordinates": coordinates,
            "attention": attention,
            "seed": seed,
        }
        seeds = layers.layer_seeds("global-local discriminator", seed)

        def part(side: int, convs: Sequence[int]) -> Discriminator:
            """From images of a side to vectors."""
            return Discriminator(
                side,
                convs,
                coordinates,
                min(attention, len(convs)),
                whole=True,
                outputs=dense,
                seed=next(seeds),
                dtype=self.dtype_policy,
            )

        self.whole, self.patch = part(image_size, widths), part(image_size // 2, widths[:-1])
        self.head = keras.layers.Dense(
            1,
            kernel_initializer=layers.normal_initializer(next(seeds)),
            dtype=self.dtype_policy,
        )
        self.build((None, image_size, image_size, 3))

    def build(self, input_shape: tuple) -> None:
        self.head.build((None, 2 * self.settings["dense"]))

    def call(
        self, images: Tensor, corner: Tensor | None = None, training: bool | None = None
    ) -> Tensor:
        """Logits `[B, 1]`; `training` changes nothing.

        corner: row and column where the patch begins, whole numbers [2] from 0 to H / 2; the same
            for all images. None: the patch in the middle.
        """
        side = self.settings["image_size"] // 2
        corner = [side // 2, side // 2] if corner is None else corner
        place = ops.convert_to_tensor(corner, "int32")
        start = ops.stack([0, place[0], place[1], 0])
        patch = ops.slice(images, start, (ops.shape(images)[0], side, side, images.shape[-1]))
        pair = ops.concatenate([self.whole(images), self.patch(patch)], axis=-1)  # [B, 1, 1, 2 D]
        pair = ops.reshape(pair, (-1, pair.shape[-1]))
        return ops.cast(self.head(ops.maximum(pair, LEAK * pair)), self.variable_dtype)

    def features(self, images: Tensor) -> Tensor:
        """The last maps of the part that sees the whole, `[B, h, w, widths[-1]]`."""
        return self.whole.features(images)

    @property
    def windows(self) -> list[receptive_field.Window]:
        """Those of the part that sees the whole."""
        return self.whole.windows

    @property
    def layer_names(self) -> list[str]:
        """The convolutions of the part that sees the whole."""
        return self.whole.layer_names

    def layer_maps(
        self, images: Tensor, names: Sequence[str], training: bool = False
    ) -> dict[str, Tensor]:
        """The maps of named convolutions of that part; ValueError for one that there is not."""
        return self.whole.layer_maps(images, names, training)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}
