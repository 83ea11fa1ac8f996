"""Random numbers for the images of a step, by seed and step alone.

So a run that is continued draws what it would have drawn, and any number of devices together what
one would.
"""

import tensorflow as tf
from keras import ops


def for_images(images, columns: int, seed: int, step, kind: str = "uniform"):
    """Draws of this device for its images, float32 [B, columns].

    Those of the whole batch are drawn, and its own are taken.

    Args:
      images: [B, ...], as many on each device.
      columns: numbers an image.
      seed: of the stream.
      step: a whole number, also a tensor.
      kind: "uniform" in [0, 1), or "normal".
    """
    replica, count = tf.distribute.get_replica_context(), ops.shape(images)[0]
    pair = tf.stack([tf.constant(seed, tf.int64), tf.cast(step, tf.int64)])
    draw = tf.random.stateless_normal if kind == "normal" else tf.random.stateless_uniform
    drawn = draw([count * replica.num_replicas_in_sync, columns], pair)
    first = tf.cast(replica.replica_id_in_sync_group, tf.int32) * count
    return drawn[first : first + count]
