"""Quadrants of images and chunks of codes: the only file that knows their order.

Row-major: q1 top left, q2 top right, q3 bottom left, q4 bottom right (index 0 to 3). A latent code
is `[B, 2, 2, C]`, so that a chunk is a cell; flattened it is the thesis's 1 x 4C vector
(thesis, section 3.2). A mask bit is 1 where the quadrant is replaced: "0010" is bottom left.

A code may have more cells, on a grid of `side` x `side`. Where the side is even, each quadrant has
as many, and its chunk is all of them. A mask may then have a bit for each cell, row by row.
"""

import math

import numpy as np
from keras import ops

from lorbms_tf.errors import UserError

NUM_QUADRANTS = 4
NAMES = ("q1", "q2", "q3", "q4")
PLACES = ("top left", "top right", "bottom left", "bottom right")


def quadrant(images, index: int):
    """Quadrant `index` (0 to 3) of `images` [..., H, W, C] -> [..., H/2, W/2, C].

    Plain slicing, so it takes NumPy arrays and tensors alike. H and W must be even and known.
    """
    if not 0 <= index < NUM_QUADRANTS:
        raise ValueError(f"quadrant index {index} is not one of 0, 1, 2, 3")
    height, width = images.shape[-3] // 2, images.shape[-2] // 2
    row, column = divmod(index, 2)
    return images[..., row * height : (row + 1) * height, column * width : (column + 1) * width, :]


def split(images):
    """Images [B, H, W, C] -> their quadrants [B, 4, H/2, W/2, C]."""
    return ops.stack([quadrant(images, i) for i in range(NUM_QUADRANTS)], axis=1)


def join(quads):
    """Quadrants [B, 4, h, w, C] -> images [B, 2h, 2w, C]; the inverse of `split`."""
    top = ops.concatenate([quads[:, 0], quads[:, 1]], axis=2)  # [B, h, 2w, C]
    bottom = ops.concatenate([quads[:, 2], quads[:, 3]], axis=2)  # [B, h, 2w, C]
    return ops.concatenate([top, bottom], axis=1)  # [B, 2h, 2w, C]


def chunks(codes):
    """Codes [B, 2, 2, C], or [B * 4, C] -> chunks [B, 4, C].

    Of [B, side, side, C] the four parts [B, 4, C side^2 / 4]. UserError for an odd side.
    """
    if len(codes.shape) == 4 and tuple(codes.shape[1:3]) != (2, 2):
        rows, columns, width = codes.shape[1:]
        if rows % 2 or columns % 2:
            raise UserError(
                f"codes of {rows}x{columns} cells have no chunk for each quadrant (a "
                "model of --mixing=tiles?)"
            )
        return ops.reshape(split(codes), (-1, NUM_QUADRANTS, rows * columns // 4 * width))
    return ops.reshape(codes, (-1, NUM_QUADRANTS, codes.shape[-1]))


def from_chunks(chunked, side: int = 2):
    """Chunks [B, 4, C] -> codes [B, 2, 2, C]; of larger ones [B, side, side, 4 C / side^2]."""
    if side == 2:
        return ops.reshape(chunked, (-1, 2, 2, chunked.shape[-1]))
    half = side // 2
    width = chunked.shape[-1] // half**2
    return join(ops.reshape(chunked, (-1, NUM_QUADRANTS, half, half, width)))


def of_cells(side: int) -> np.ndarray:
    """The quadrant, 0 to 3, of each cell of an even grid, row by row: int [side * side]."""
    lower = np.arange(side) >= side // 2
    return (2 * lower[:, None] + lower[None]).reshape(-1)


def grid_side(cells: int) -> int:
    """Cells a side of a square grid of so many. ValueError where there is none."""
    side = math.isqrt(cells)
    if side**2 != cells:
        raise ValueError(f"{cells} cells are no square grid")
    return side


def parse_mask(text: str, side: int = 2) -> np.ndarray:
    """A mask such as "0010" -> bool [4], True where the quadrant is replaced (thesis, 4.2.2).

    On a grid of `side` cells a side as many bits, row by row: bool [side * side]. Raises UserError
    unless the text is so many characters of 0 and 1.
    """
    if len(text) == side * side and not set(text) - {"0", "1"}:
        return np.array([bit == "1" for bit in text])
    if side == 2:
        raise UserError(
            f"mask {text!r} is not valid: four digits, 1 where the quadrant is replaced, in the "
            "order top left, top right, bottom left, bottom right (0010 is bottom left)"
        )
    raise UserError(
        f"mask {text!r} is not valid: {side * side} digits for the {side}x{side} cells of this "
        "model, row by row from the top left, 1 where the cell is replaced"
    )


def mask_text(mask) -> str:
    """Mask [4], or of more cells, -> text such as "0010"; the inverse of `parse_mask`."""
    return "".join("1" if bit else "0" for bit in np.asarray(mask))
