"""What a training step draws, by seed and step alone.

The draws are of the whole batch, and each device takes its own: any number of devices sees what one
sees.
"""

from typing import Any

import tensorflow as tf

_NOISE = 1 << 32  # added to the seed: other draws than those of dropout
_KINDS = 3  # of pictures that a step's discriminator sees


def dropout(seed: int, step: Any, count: Any, numbers: int) -> list:
    """Uniform draws in [0, 1) for a discriminator, three times [count, numbers].

    Args:
      seed: of the run.
      step: how many steps were made, int64 [].
      count: pictures on this device, int32 [].
      numbers: that each picture takes.
    """
    drawn = _own(tf.random.stateless_uniform, seed, step, count, (_KINDS, numbers))
    return [drawn[:, kind] for kind in range(_KINDS)]


def noise(seed: int, step: Any, count: Any, numbers: int) -> Any:
    """Standard normal draws [count, numbers] for a vae's codes; arguments as above."""
    return _own(tf.random.stateless_normal, seed + _NOISE, step, count, (numbers,))


def _own(kind: Any, seed: int, step: Any, count: Any, shape: tuple[int, ...]) -> Any:
    replica = tf.distribute.get_replica_context()
    key = tf.stack([tf.constant(seed, tf.int64), tf.cast(step, tf.int64)])
    first = tf.cast(replica.replica_id_in_sync_group, tf.int32) * count
    return kind([count * replica.num_replicas_in_sync, *shape], key)[first : first + count]
