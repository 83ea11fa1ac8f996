"""Paths between the chunks of two codes: what lies between two objects? Only keras.ops."""

from keras import ops

from lorbms_tf.data import quadrants

# Below this sine of the angle the two paths differ by at most a millionth where the directions are
# the same; where they are opposite, rounding of the cosine decides which circle it would be.
_LEAST_SINE = 1e-3


def linear(start, end, t: float):
    """The straight line: chunks [..., C] at t = 0 and t = 1 -> the chunk at t."""
    return (1.0 - t) * start + t * end


def spherical(start, end, t: float):
    """Along the great circle between two directions (Shoemake, 1985), at constant angular speed.

    Chunks [..., C] at t = 0 and t = 1 -> the chunk at t. Where the two point the same way, or
    exactly opposite ways, or one is zero, no circle is determined and it is the straight line.
    """
    start, end = ops.convert_to_tensor(start), ops.convert_to_tensor(end)
    norms = ops.norm(start, axis=-1, keepdims=True) * ops.norm(end, axis=-1, keepdims=True)
    inner = ops.sum(start * end, axis=-1, keepdims=True)
    cosine = ops.clip(inner / ops.where(norms > 0, norms, 1.0), -1.0, 1.0)
    angle = ops.arccos(ops.where(norms > 0, cosine, 1.0))
    sine = ops.sin(angle)
    bent = sine > _LEAST_SINE
    divisor = ops.where(bent, sine, 1.0)
    weights = ops.sin((1.0 - t) * angle) / divisor, ops.sin(t * angle) / divisor
    return ops.where(bent, weights[0] * start + weights[1] * end, linear(start, end, t))


PATHS = {"linear": linear, "spherical": spherical}


def between(start_codes, end_codes, mask, t: float, path=linear):
    """Codes whose masked chunks have gone the share t of the way; the others stay.

    Args:
      start_codes: [B, 2, 2, C].
      end_codes: [B, 2, 2, C].
      mask: bool [B, 4], True where the chunk moves.
      t: 0 to 1.
      path: one of `PATHS`.

    Returns:
      codes [B, 2, 2, C].
    """
    start, end = quadrants.chunks(start_codes), quadrants.chunks(end_codes)  # [B, 4, C]
    mask = ops.convert_to_tensor(mask, "bool")
    return quadrants.from_chunks(ops.where(mask[:, :, None], path(start, end, t), start))
