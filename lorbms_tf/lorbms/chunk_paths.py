"""Paths between the chunks of two codes: what lies between two objects? Only keras.ops."""

from keras import ops

from lorbms_tf.data import quadrants
from lorbms_tf.latent.slerp import great_circle, line

PATHS = {"linear": line, "spherical": great_circle}


def between(start_codes, end_codes, mask, t: float, path=line):
    """Codes whose masked chunks have gone the share t of the way; the others stay.

    Args:
      start_codes: [B, 2, 2, C]; or [B, side, side, C] of an even side.
      end_codes: as many.
      mask: bool [B, 4], True where the chunk moves; or [B, side * side] of cells.
      t: 0 to 1.
      path: one of `PATHS`.

    Returns:
      codes of that shape. UserError for an odd side.
    """
    mask, side = ops.convert_to_tensor(mask, "bool"), start_codes.shape[1]
    if side > 2 and mask.shape[1] == side * side:  # every cell goes on a way of its own
        start, end = (ops.reshape(x, (-1, side**2, x.shape[-1])) for x in (start_codes, end_codes))
        moved = ops.where(mask[:, :, None], path(start, end, t), start)
        return ops.reshape(moved, (-1, *start_codes.shape[1:]))
    start, end = quadrants.chunks(start_codes), quadrants.chunks(end_codes)  # [B, 4, C]
    return quadrants.from_chunks(ops.where(mask[:, :, None], path(start, end, t), start), side)
