"""What `lorbms_tf.export` serves of AugIntAE and its baselines.

Images are float32 in [-1, 1], S pixels a side with C colours, codes have D numbers:

    decode       codes [B, D] -> images [B, S, S, C]; also `serving_default`
    encode       images [B, S, S, C] -> codes [B, D]
    interpolate  start and end [B, S, S, C], shares [B] of the way -> images, codes

Of a run of wgan_gp the encoder's guess is served, without the refinement by descent.
"""

from typing import Any

import tensorflow as tf

from lorbms_tf.serving.signature import Signature


def signatures(model: Any) -> dict[str, Signature]:
    """The signatures by name. model: an `Autoencoder` or one of the baselines."""
    config = model.config
    image = (config.image_size, config.image_size, config.channels)
    code = (model.decoder.settings["code_size"],)
    both = (model.encoder, model.decoder)

    def spec(name: str, *shape: int) -> tf.TensorSpec:
        return tf.TensorSpec((None, *shape), tf.float32, name)

    def images(random, count: int):
        return tf.constant(random.uniform(-1, 1, (count, *image)), tf.float32)

    def codes(random, count: int):
        return model.encode(images(random, count))

    def interpolate(start, end, shares):
        between = model.between(model.encode(start), model.encode(end), shares)
        return {"images": model.decode(between), "codes": between}

    return {
        "decode": Signature(
            lambda codes: {"images": model.decode(codes)},
            [spec("codes", *code)],
            (model.decoder,),
            lambda random, count: {"codes": codes(random, count)},
            "Decode a code of zeros",
        ),
        "encode": Signature(
            lambda images: {"codes": model.encode(images)},
            [spec("images", *image)],
            (model.encoder,),
            lambda random, count: {"images": images(random, count)},
        ),
        "interpolate": Signature(
            interpolate,
            [spec("start", *image), spec("end", *image), spec("shares")],
            both,
            lambda random, count: {
                "start": images(random, count),
                "end": images(random, count),
                "shares": tf.constant(random.uniform(size=count), tf.float32),
            },
        ),
    }
