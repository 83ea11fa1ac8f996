"""What a model of the thesis is served with.

Images are float32 in [-1, 1] (`x / 127.5 - 1`), S is the model's image size and C its chunk size:

    decode   codes [B, 2, 2, C] -> images [B, S, S, 3]; also `serving_default`
    encode   images [B, S, S, 3] -> codes [B, 2, 2, C]
    mix      reference [B, S, S, 3], candidates [B, 4, S, S, 3], mask bool [B, 4] (true where the
             quadrant is replaced) -> images [B, S, S, 3], codes [B, 2, 2, C]

A model of nine tiles (--mixing=tiles) has codes [B, 3, 3, C], and mixes those at the corners. One
of --grid=4 has codes [B, 4, 4, C] and masks [B, 16], row by row.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.lorbms import variants
from lorbms_tf.serving.signature import Signature


def signatures(model: Any) -> dict[str, Signature]:
    """The three functions of a `Lorbms`, by name; of its networks they run encoder and decoder."""
    image = (model.config.image_size, model.config.image_size, 3)
    cells = variants.tiles_a_side(model.config)
    bits = model.config.grid**2
    code = (cells, cells, model.config.chunk_size)

    def spec(name: str, shape: tuple, dtype: Any = tf.float32) -> tf.TensorSpec:
        return tf.TensorSpec((None, *shape), dtype, name)

    def images(random: np.random.Generator, *shape: int) -> tf.Tensor:
        return tf.constant(random.uniform(-1, 1, (*shape, *image)).astype(np.float32))

    def encode(images: tf.Tensor) -> dict:
        return {"codes": model.encode(images)}

    def decode(codes: tf.Tensor) -> dict:
        return {"images": model.decode(codes)}

    def mix(reference: tf.Tensor, candidates: tf.Tensor, mask: tf.Tensor) -> dict:
        codes = model.mix_codes(reference, candidates, mask)[1]
        return {"images": model.decode(codes), "codes": codes}

    def mixed(random: np.random.Generator, batch: int) -> dict:
        return {
            "reference": images(random, batch),
            "candidates": images(random, batch, NUM_QUADRANTS),
            "mask": tf.constant(random.integers(0, 2, (batch, bits)).astype(bool)),
        }

    scene = [
        spec("reference", image),
        spec("candidates", (NUM_QUADRANTS, *image)),
        spec("mask", (bits,), tf.bool),
    ]
    return {
        "decode": Signature(
            decode,
            [spec("codes", code)],
            model.generator,
            lambda random, batch: {"codes": model.encode(images(random, batch))},
            example_title="Decode a code of zeros",
        ),
        "encode": Signature(
            encode,
            [spec("images", image)],
            model.generator,
            lambda random, batch: {"images": images(random, batch)},
        ),
        "mix": Signature(mix, scene, model.generator, mixed),
    }
