"""What `lorbms_tf.export` serves of DeePSiM.

Images are float32 in [-1, 1], S pixels a side; features have the shape of the encoder's layer:

    decode  features [B, ...] -> images [B, S, S, 3]; also `serving_default`
    encode  images [B, S, S, 3] -> features
    invert  images [B, S, S, 3] -> images, as they are drawn back, and features
"""

from typing import Any

import tensorflow as tf

from lorbms_tf.serving.signature import Signature


def signatures(model: Any) -> dict[str, Signature]:
    """The signatures by name. model: a `Deepsim`."""
    size = model.config.image_size
    image, features = (size, size, 3), model.feature_shape

    def spec(name: str, shape: tuple[int, ...]) -> tf.TensorSpec:
        return tf.TensorSpec((None, *shape), tf.float32, name)

    def photos(random: Any, count: int) -> dict[str, Any]:
        return {"images": tf.constant(random.uniform(-1, 1, (count, *image)), tf.float32)}

    def codes(random: Any, count: int) -> dict[str, Any]:
        return {"features": model.encode(photos(random, count)["images"])}

    def invert(images: Any) -> dict[str, Any]:
        found = model.encode(images)
        return {"images": model.decode(found), "features": found}

    encoder = model.encoder_network
    return {
        "decode": Signature(
            lambda features: {"images": model.decode(features)},
            [spec("features", features)],
            (model.generator,),
            codes,
            "Draw features of zeros",
        ),
        "encode": Signature(
            lambda images: {"features": model.encode(images)},
            [spec("images", image)],
            (encoder,),
            photos,
        ),
        "invert": Signature(invert, [spec("images", image)], (encoder, model.generator), photos),
    }
