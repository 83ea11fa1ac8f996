"""What a training step draws, by seed and step alone (`lorbms_tf.training.draws`)."""

from typing import Any

import tensorflow as tf

from lorbms_tf.training import draws

_NOISE = 1 << 32  # added to the seed: other draws than those of dropout
_KINDS = 3  # of pictures that a step's discriminator sees


def dropout(seed: int, step: Any, images: Any, numbers: int) -> list:
    """Uniform draws in [0, 1) for a discriminator, three times [B, numbers].

    Args:
      seed: of the run.
      step: how many steps were made, int64 [].
      images: of this device [B, ...].
      numbers: that each picture takes.
    """
    drawn = draws.for_images(images, _KINDS * numbers, seed, step)
    return tf.unstack(tf.reshape(drawn, (-1, _KINDS, numbers)), axis=1)


def noise(seed: int, step: Any, images: Any, numbers: int) -> Any:
    """Standard normal draws [B, numbers] for a vae's codes; arguments as above."""
    return draws.for_images(images, numbers, seed + _NOISE, step, "normal")
