"""Nine tiles of an image, each encoded alone, decoded together (thesis, appendix D.1).

The sides of images are powers of two, which nine equal tiles do not divide. So images are enlarged
to one and a half times their size, of which a tile is a third and half of the image's own; what is
decoded is made smaller again.
"""

import math
from collections.abc import Sequence

import keras
from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks import receptive_field
from lorbms_tf.networks.decoder import Decoder, together
from lorbms_tf.networks.encoder import Encoder

SIDE = 3  # tiles a side


class TileEncoder(Encoder):
    """Images to the chunks of nine tiles: `[B, H, W, 3]` to `[B, 3, 3, chunk_size]`.

    The layers, and so the parameters, are those of `Encoder`, which makes one chunk of a tile.
    """

    def layer_maps(
        self, images: Tensor, names: Sequence[str], training: bool = False
    ) -> dict[str, Tensor]:
        """As `Encoder.layer_maps`, of images `[B, image_size, image_size, 3]`: of tiles, joined."""
        half = self.settings["image_size"] // 2
        tiles = cut(_resized(images, SIDE * half), half)  # [9 B, half, half, 3]
        maps = super().layer_maps(tiles, names, training)  # [9 B, h, w, C]
        return {name: together(part, SIDE, SIDE) for name, part in maps.items()}

    @property
    def windows(self) -> list[receptive_field.Window]:
        """What sees what: a chunk no more than its tile, half an image a side."""
        side = math.ceil(receptive_field.side(super().windows))
        return [receptive_field.Window(min(side, self.settings["image_size"] // 2))]


class TileDecoder(Decoder):
    """Chunks of nine tiles to images: `[B, 3, 3, chunk_size]` to `[B, H, W, 3]` in [-1, 1]."""

    def call(self, codes: Tensor, training: bool | None = None) -> Tensor:
        """Decodes `[B, 3, 3, chunk_size]`; `training` changes nothing."""
        return _resized(super().call(codes), self.settings["image_size"])


def cut(images: Tensor, side: int) -> Tensor:
    """Images `[B, 3 s, 3 s, C]` to their tiles `[9 B, s, s, C]`, row by row, image by image."""
    channels = images.shape[-1]
    tiles = ops.reshape(images, (-1, SIDE, side, SIDE, side, channels))
    return ops.reshape(ops.transpose(tiles, (0, 1, 3, 2, 4, 5)), (-1, side, side, channels))


def _resized(images: Tensor, side: int) -> Tensor:
    """Bilinear, without aliases; in float32."""
    images = ops.cast(images, keras.backend.result_type(images.dtype, "float32"))
    return ops.image.resize(images, (side, side), antialias=True)
