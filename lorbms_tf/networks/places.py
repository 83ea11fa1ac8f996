"""Places within chunks: where something lies, as a soft arg-max (thesis, chapter 5).

An encoder adds places to its chunks; a decoder draws each chunk around them. A place is two of a
chunk's last numbers: x and y in its quadrant, from -1 (left, top) to 1, of the means of cells.
The soft arg-max is that of Finn et al. (2016, "Deep spatial autoencoders"), coordinates relative to
a place those of Watters et al. (2019), but for each quadrant and around its place.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks import decoder_convs, layers, receptive_field
from lorbms_tf.networks.decoder import Decoder, together
from lorbms_tf.networks.encoder import CODE, Encoder
from lorbms_tf.networks.strided_chunks import StridedChunkDecoder, StridedChunkEncoder

CELLS = 4  # a side of a quadrant, at least in a heat map, and exactly where the decoder begins
HALVINGS = 2  # from so many cells to a chunk
MAPS = 3  # that the decoder sees of a place: x and y relative to it, and a Gaussian around it
_DEVIATION = 0.5  # of that Gaussian: the width of one of four cells
_KERNEL = 3
_INNER = (Encoder, Decoder, StridedChunkEncoder, StridedChunkDecoder)


def keypoints(heat: Tensor, rows: int, columns: int) -> Tensor:
    """Where the heat of each quadrant is, the mean of its softmax (soft arg-max), in float32.

    Args:
        heat: `[B, H, W, K]`, any numbers; K maps.
        rows, columns: quadrants; they divide H and W.

    Returns:
        `[B, rows, columns, 2 K]`, x and y of each map: -1 and 1 are the quadrant's borders, so n
        cells lie at -1 + 1/n, -1 + 3/n, ... Equal heat everywhere is the middle, 0.
    """
    weights = softmax(heat, rows, columns)  # [B, rows, h, columns, w, K]
    x = ops.reshape(_centres(weights.shape[4]), (-1, 1))
    y = ops.reshape(_centres(weights.shape[2]), (-1, 1, 1, 1))
    places = [ops.sum(weights * along, axis=(2, 4)) for along in (x, y)]  # [B, rows, columns, K]
    count = heat.shape[-1]
    return ops.reshape(ops.stack(places, axis=-1), (-1, rows, columns, 2 * count))


def softmax(heat: Tensor, rows: int, columns: int) -> Tensor:
    """The heat of each quadrant to weights whose sum is 1: `[B, rows, h, columns, w, K]`."""
    height, width, count = heat.shape[1:]
    h, w = height // rows, width // columns
    heat = ops.reshape(ops.cast(heat, "float32"), (-1, rows, h, columns, w, count))
    heat = ops.exp(heat - ops.max(heat, axis=(2, 4), keepdims=True))
    return heat / ops.sum(heat, axis=(2, 4), keepdims=True)


def around(codes: Tensor, places: int) -> Tensor:
    """Each chunk of codes `[B, rows, columns, C]` at every cell of its quadrant, around its places.

    Returns:
        `[B * rows * columns, CELLS, CELLS, C + places]`: a chunk without its places, then of each
        place x and y of the cell relative to it, and a Gaussian around it.
    """
    chunks = ops.reshape(codes, (-1, 1, 1, codes.shape[-1]))
    rest, known = ops.split(chunks, [codes.shape[-1] - 2 * places], axis=-1)
    known = ops.reshape(known, (-1, 1, 1, places, 2))
    line = ops.cast(_centres(CELLS), codes.dtype)
    grid = ops.stack(ops.meshgrid(line, line), axis=-1)  # [CELLS, CELLS, 2]: x, y
    relative = grid[None, :, :, None] - known  # [N, CELLS, CELLS, places, 2]
    near = ops.exp(-ops.sum(ops.square(relative), axis=-1, keepdims=True) / (2 * _DEVIATION**2))
    maps = ops.concatenate([relative, near], axis=-1)
    maps = ops.reshape(maps, (-1, CELLS, CELLS, MAPS * places))
    return ops.concatenate([ops.tile(rest, (1, CELLS, CELLS, 1)), maps], axis=-1)


def _centres(count: int) -> Tensor:
    return (2.0 * ops.arange(count, dtype="float32") + 1.0) / count - 1.0


class _AroundAnother(keras.Model):
    """A network with another in it, `inner`, and settings of its own, `_own`."""

    def build(self, input_shape: tuple) -> None:
        """Nothing is left to make: the layers made their weights in the constructor."""

    def get_config(self) -> dict[str, Any]:
        inner = keras.saving.serialize_keras_object(self.inner)
        return {**super().get_config(), **self._own, "inner": inner}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "_AroundAnother":
        kinds = {kind.__name__: kind for kind in _INNER} | (custom_objects or {})
        return cls(
            **{**config, "inner": keras.saving.deserialize_keras_object(config["inner"], kinds)}
        )


class PlaceEncoder(_AroundAnother):
    """Images to codes with places: `[B, H, W, 3]` in [-1, 1] to `[B, 2, 2, C + 2 * places]`.

    A 1x1 convolution makes the heat maps from the deepest layer of another encoder in which a
    quadrant still has four cells a side or more, and `keypoints` their places. Float32 under mixed
    precision.

    Args:
        inner: the other encoder, whose chunks of C numbers come first.
        places: how many, at least 1.
        seed: of the initial weights of the heat maps.

    Raises:
        ValueError: `places` is not positive, or no layer of `inner` has so many cells.
    """

    def __init__(self, inner: keras.Model, places: int = 1, seed: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        layers.check_positive(places=places)
        self.inner = inner
        own = {"places": places, "seed": seed}
        chunk_size = inner.settings["chunk_size"] + 2 * places
        self.settings = {**inner.settings, **own, "chunk_size": chunk_size}
        self._own = own
        self.layer, width = _fine_layer(inner)
        self.heat = keras.layers.Conv2D(
            places,
            1,
            use_bias=False,  # a soft arg-max does not see it
            kernel_initializer=keras.initializers.GlorotUniform(seed=seed),
            dtype=self.dtype_policy,
        )
        self.heat.build((None, None, None, width))
        self.build((None, None, None, 3))

    def call(self, images: Tensor, training: bool | None = None) -> Tensor:
        """Encodes `[B, H, W, 3]` in [-1, 1]; `training` changes nothing."""
        return self.layer_maps(images, (CODE,))[CODE]

    def features(self, images: Tensor) -> Tensor:
        """As those of the inner encoder: the maps before its last convolution."""
        return self.inner.features(images)

    def heat_maps(self, images: Tensor) -> Tensor:
        """The heat before the softmax, `[B, h, w, places]`; quadrants are a half of each side."""
        return self.heat(self.inner.layer_maps(images, (self.layer,))[self.layer])

    @property
    def layer_names(self) -> list[str]:
        """The layers that `layer_maps` knows: those of the inner encoder."""
        return self.inner.layer_names

    def layer_maps(
        self, images: Tensor, names: Sequence[str], training: bool = False
    ) -> dict[str, Tensor]:
        """As the inner encoder's, the code with its places."""
        if CODE not in names:
            return self.inner.layer_maps(images, names, training)
        maps = self.inner.layer_maps(images, (*names, self.layer), training)
        rows, columns = maps[CODE].shape[1:3]
        places = keypoints(self.heat(maps[self.layer]), rows, columns)
        maps[CODE] = ops.concatenate([maps[CODE], ops.cast(places, maps[CODE].dtype)], axis=-1)
        return {name: maps[name] for name in names}

    @property
    def windows(self) -> list[receptive_field.Window]:
        """What sees what, from the image to a chunk; a place sees its whole quadrant at least."""
        return self.inner.windows


class PlaceDecoder(_AroundAnother):
    """Codes with places to images: `[B, 2, 2, chunk_size]` to `[B, H, W, 3]` in [-1, 1].

    Each chunk without its places stands at 4x4 cells of its quadrant, beside maps of where each
    cell lies relative to them (`around`). Two convolutions of 3x3 with ReLU read that, and another
    decoder begins there. They stand for the two doublings that it would have made before.

    Args:
        inner: the other decoder, of images a quarter as large, whose code has those cells.
        chunk_size: channels of a chunk, its places among them.
        places: how many, at least 1.
        width: maps of the first convolution; the second has as many as `inner` takes.
        separate_blocks: how many of the two see each chunk alone: 0 to 2.
        spectral_norm: whether they are spectrally normalised.
        seed: of their initial weights.

    Raises:
        ValueError: a size is not positive, nothing is left of a chunk, or `separate_blocks` is not
            0 to 2.
    """

    def __init__(
        self,
        inner: keras.Model,
        chunk_size: int,
        places: int = 1,
        width: int = 128,
        separate_blocks: int = 0,
        spectral_norm: bool = False,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        layers.check_positive(places=places, width=width)
        if chunk_size <= 2 * places:
            raise ValueError(f"chunk_size {chunk_size} has nothing beside {places} places.")
        if not 0 <= separate_blocks <= HALVINGS:
            raise ValueError(f"separate_blocks must be 0 to {HALVINGS}, not {separate_blocks}.")
        self.inner = inner
        self._own = {
            "chunk_size": chunk_size,
            "places": places,
            "width": width,
            "separate_blocks": separate_blocks,
            "spectral_norm": spectral_norm,
            "seed": seed,
        }
        image_size = inner.settings["image_size"] * CELLS
        self.settings = {**inner.settings, **self._own, "image_size": image_size}
        seeds, dtype = layers.layer_seeds("place decoder", seed), self.dtype_policy
        self.convs = [
            decoder_convs.conv(filters, _KERNEL, next(seeds), dtype, spectral_norm)
            for filters in (width, inner.settings["chunk_size"])
        ]
        self.convs[0].build((None, None, None, chunk_size + places))
        self.convs[1].build((None, None, None, width))
        self.build((None, 2, 2, chunk_size))

    def call(self, codes: Tensor, training: bool | None = None) -> Tensor:
        """Decodes `[B, 2, 2, chunk_size]`; `training` changes nothing."""
        rows, columns = codes.shape[1:3]
        separate = self._own["separate_blocks"]
        maps = around(ops.cast(codes, self.variable_dtype), self._own["places"])
        for number, conv in enumerate([None, *self.convs]):
            maps = maps if conv is None else ops.relu(conv(maps))
            if number == separate:
                maps = together(maps, rows, columns)  # [B, 4 rows, 4 columns, width]
        return self.inner(maps)

    @property
    def windows(self) -> list[receptive_field.Window]:
        """What sees what, from the code's cells to a pixel (`receptive_field.side`)."""
        repeated = receptive_field.Window(1, 1 / CELLS)
        shared = self.convs[self._own["separate_blocks"] :]
        return [repeated, *map(receptive_field.of, shared), *self.inner.windows]


def _fine_layer(encoder: keras.Model) -> tuple[str, int]:
    """The deepest layer in which a quadrant has `CELLS` cells a side or more, and its width."""
    side = encoder.settings["image_size"]
    names = encoder.layer_names
    made = encoder.layer_maps(keras.Input((side, side, 3)), names)  # nothing is computed
    fine = [name for name in names if made[name].shape[1] >= 2 * CELLS]
    if not fine:
        raise ValueError(f"no layer for images of {side} px has {CELLS} cells a quadrant's side.")
    return fine[-1], made[fine[-1]].shape[-1]
