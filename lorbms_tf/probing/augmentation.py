"""How images are varied while a probe learns (thesis, section 4.3.1, after Jenni & Favaro 2018)."""

import tensorflow as tf

from lorbms_tf.pseudo_labels.augmentation import crop_and_flip

SMALLEST_AREA = 0.33  # of a crop
# The thesis names brightness and saturation and gives no amounts: those of TensorFlow's Slim.
BRIGHTNESS = 32 / 127.5  # added or taken away, at most, where an image has the range [-1, 1]
SATURATION = (0.5, 1.5)
LUMINANCE = (0.299, 0.587, 0.114)


def augment(images, seed, size: int):
    """A crop of each image, resized, mirrored half of the time, its colours changed.

    Args:
      images: uint8 [B, H, W, 3].
      seed: integers [2]; the same seed gives the same results.
      size: side of the results, pixels.

    Returns float32 [B, size, size, 3] in [-1, 1].
    """
    crops = crop_and_flip(images, seed, size, SMALLEST_AREA)
    draws = tf.random.stateless_uniform((2, tf.shape(images)[0], 1, 1, 1), seed + (0, 2**30))
    saturation = SATURATION[0] + draws[0] * (SATURATION[1] - SATURATION[0])
    grey = tf.reduce_sum(crops * LUMINANCE, axis=-1, keepdims=True)
    brightness = (2.0 * draws[1] - 1.0) * BRIGHTNESS
    return tf.clip_by_value(grey + saturation * (crops - grey) + brightness, -1.0, 1.0)
