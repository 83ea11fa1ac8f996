"""Segments in place of quadrants: connected regions of a grid of cells (--mixing=segments).

Not in the thesis, whose outlook (chapter 5) asks for masks that follow objects. A code has
`side` x `side` cells, 2 or 4 a side; a mask one bit a cell, row by row.
"""

import keras
import numpy as np
from keras import ops

from lorbms_tf.data import quadrants


def by_cell(values, side: int):
    """What is said of the four quadrants, said of each cell: [B, 4] -> [B, side * side].

    Values that are given by cell already, and all on a grid of two, stay as they are.
    """
    if values.shape[1] == side * side:
        return values
    return ops.take(values, quadrants.of_cells(side), axis=1)


def random_segments(count, side: int, seed):
    """A connected region for each of `count` images: bool [count, side * side].

    Its size is any from one cell to all but one, equally likely. It grows from a random cell: of
    all cells beside it the one with the highest lot joins next.

    Args:
      count: how many; may be a tensor.
      side: cells a side of the grid, 2 or more.
      seed: a `keras.random.SeedGenerator`, such as `draws.Draws`.
    """
    cells = side * side
    lots = keras.random.uniform((count, cells), seed=seed)  # [count, cells]
    sizes = keras.random.randint((count,), 1, cells, seed=seed)  # 1 to cells - 1
    starts = ops.one_hot(ops.argmax(lots, axis=1), cells, dtype="float32")
    lots = keras.random.uniform((count, cells), 0.1, 1.0, seed=seed)  # other ones, all above 0
    beside = ops.convert_to_tensor(neighbours(side), "float32")
    region = starts
    for reached in range(1, cells - 1):
        border = ops.cast(ops.matmul(region, beside) > 0, "float32") * (1.0 - region)
        joining = ops.one_hot(ops.argmax(border * lots, axis=1), cells, dtype="float32")
        grows = ops.cast(sizes > reached, "float32")[:, None]
        region = region + grows * joining
    return region > 0


def neighbours(side: int) -> np.ndarray:
    """Which cells of a grid share an edge: bool [cells, cells]."""
    rows, columns = np.divmod(np.arange(side * side), side)
    apart = abs(rows[:, None] - rows) + abs(columns[:, None] - columns)
    return apart == 1


def candidates_in(mask):
    """Which of the four candidates give any cell: bool [B, cells] -> bool [B, 4]."""
    side = quadrants.grid_side(mask.shape[1])
    if side == 2:
        return mask
    cells = ops.reshape(mask, (-1, side, side, 1))
    return ops.any(quadrants.split(cells), axis=(2, 3, 4))
