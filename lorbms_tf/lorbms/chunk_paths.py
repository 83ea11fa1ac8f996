"""Paths between the chunks of two codes: what lies between two objects? Only keras.ops."""

from keras import ops

from lorbms_tf.data import quadrants
from lorbms_tf.latent.slerp import great_circle, line

PATHS = {"linear": line, "spherical": great_circle}


def between(start_codes, end_codes, mask, t: float, path=line):
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
