"""Random crops and mirror images, by which labels are learnt and not pictures."""

import tensorflow as tf

from lorbms_tf.data.images import tf_to_float

ASPECT = (3 / 4, 4 / 3)  # width over height of a crop, as usual


def crop_and_flip(images, seed, size: int, smallest_area: float = 0.08):
    """A random part of each image, resized, mirrored half of the time.

    Args:
      images: uint8 [B, H, W, 3].
      seed: integers [2]; the same seed gives the same crops.
      size: side of the results, pixels.
      smallest_area: of a crop, as a share of the image; areas are drawn uniformly from there to 1,
        then sides longer than the image are cut.

    Returns float32 [B, size, size, 3] in [-1, 1].
    """
    count = tf.shape(images)[0]
    areas, aspects, tops, lefts, flips = tf.unstack(
        tf.random.stateless_uniform((5, count), seed, dtype=tf.float32)
    )
    area = smallest_area + areas * (1.0 - smallest_area)  # [B]
    low, high = tf.math.log(ASPECT[0]), tf.math.log(ASPECT[1])
    aspect = tf.exp(low + aspects * (high - low))
    height = tf.minimum(tf.sqrt(area / aspect), 1.0)
    width = tf.minimum(tf.sqrt(area * aspect), 1.0)
    top, left = tops * (1.0 - height), lefts * (1.0 - width)
    right = left + width
    mirrored = flips < 0.5
    boxes = tf.stack(
        [top, tf.where(mirrored, right, left), top + height, tf.where(mirrored, left, right)],
        axis=1,
    )  # [B, 4]; a box from right to left mirrors
    return tf.image.crop_and_resize(tf_to_float(images), boxes, tf.range(count), (size, size))
