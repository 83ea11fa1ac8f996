"""Scene mixing in latent space: which quadrants are replaced, and the codes that result.

Source: thesis, section 3.5 and algorithm 1. Shapes: B references, four quadrants, chunks of
width C. A code of --grid=4 has 16 cells, four a quadrant; "cells" are four in the thesis.
"""

import keras
import numpy as np
from keras import ops

from lorbms_tf.data import quadrants
from lorbms_tf.lorbms.segments import by_cell


def replacement_mask(distances, tau):
    """Which quadrants are replaced by their drawn candidates (thesis, algorithm 1).

    A quadrant is kept iff its candidate is the farthest of the four, or farther than tau, and it
    is not the nearest of the four; else it is replaced. So one to three are always replaced.
    (Read literally, the last statement of the pseudocode would undo these two guarantees.) Ties:
    the nearest is the lowest index among equals, the farthest the highest.

    Args:
      distances: float [B, 4], squared L2 between the reference's quadrants and the candidates'.
      tau: threshold in the same unit; a quadrant at exactly tau is replaced.

    Returns:
      bool [B, 4], True where replaced.
    """
    distances = ops.convert_to_tensor(distances, "float32")
    last = quadrants.NUM_QUADRANTS - 1
    positions = ops.arange(quadrants.NUM_QUADRANTS)  # [4]
    nearest = ops.argmin(distances, axis=1)  # [B]; the first among equals
    farthest = last - ops.argmax(ops.flip(distances, axis=1), axis=1)  # [B]; the last
    is_nearest = ops.equal(positions, ops.cast(nearest, positions.dtype)[:, None])  # [B, 4]
    is_farthest = ops.equal(positions, ops.cast(farthest, positions.dtype)[:, None])  # [B, 4]
    keep = ops.logical_or(is_farthest, distances > tau)
    return ops.logical_or(is_nearest, ops.logical_not(keep))


def nearest_in_batch(codes):
    """For each quadrant the other image of the batch whose chunk is nearest (appendix D.2).

    Args:
      codes: [B, 2, 2, C].

    Returns:
      (partners, shares): whole numbers [B, 4] that say which image, and float [B, 4], its squared
      distance as a share of the mean squared distance of two chunks of that quadrant in the batch.
      So a threshold means the same while codes grow. Infinite in a batch of one.
    """
    chunks = ops.cast(quadrants.chunks(codes), "float32")  # [B, 4, C]
    squared = ops.sum(ops.square(chunks[:, None] - chunks[None]), axis=-1)  # [B, B, 4]
    count = ops.shape(chunks)[0]
    itself = ops.eye(count)[:, :, None] > 0
    pairs = ops.cast(ops.maximum(count * (count - 1), 1), "float32")
    mean = ops.sum(squared, axis=(0, 1)) / pairs  # [4]; an image is at 0 from itself
    others = ops.where(itself, float("inf"), squared)
    return ops.argmin(others, axis=1), ops.min(others, axis=1) / ops.maximum(mean, 1e-12)


def batch_mask(shares, threshold):
    """Which quadrants the nearest images of the batch replace (appendix D.2): bool [B, 4].

    Those below the threshold, but never all four: then the farthest of them is kept (the last
    among equals). There may be none.

    Args:
      shares: float [B, 4] of `nearest_in_batch`.
      threshold: in the same unit.
    """
    near = shares < threshold
    last = quadrants.NUM_QUADRANTS - 1
    farthest = last - ops.argmax(ops.flip(shares, axis=1), axis=1)  # [B]
    positions = ops.arange(quadrants.NUM_QUADRANTS)
    is_farthest = ops.equal(positions, ops.cast(farthest, positions.dtype)[:, None])
    everywhere = ops.all(near, axis=1, keepdims=True)
    return ops.logical_and(near, ops.logical_not(ops.logical_and(everywhere, is_farthest)))


def from_batch(values, partners):
    """Quadrant i's part of partner i: values [B, 4, ...], partners [B, 4] -> [B, 4, ...]."""
    taken = [ops.take(values[:, i], partners[:, i], axis=0) for i in range(quadrants.NUM_QUADRANTS)]
    return ops.stack(taken, axis=1)


def candidate_chunks(candidate_codes):
    """Of candidate i's code only chunk i is used: codes [B, 4, 2, 2, C] -> chunks [B, 4, C].

    Of a larger even grid, each cell from the candidate of its quadrant: [B, cells, C]. Of nine
    cells those at the corners.
    """
    rows, columns = candidate_codes.shape[2:4]
    if rows > 2 and rows % 2 == 0:
        own = [quadrants.quadrant(candidate_codes[:, i], i) for i in range(quadrants.NUM_QUADRANTS)]
        return cells(quadrants.join(ops.stack(own, axis=1)))
    return ops.stack(
        [
            candidate_codes[:, i, i // 2 * (rows - 1), i % 2 * (columns - 1)]
            for i in range(quadrants.NUM_QUADRANTS)
        ],
        axis=1,
    )


def cells(codes):
    """Codes [B, rows, columns, C] -> [B, rows * columns, C], row by row."""
    rows, columns, width = codes.shape[1:]
    return ops.reshape(codes, (-1, rows * columns, width))


def mix_codes(reference_codes, replacements, mask):
    """f_mix: the reference's code with the masked chunks replaced (thesis, section 3.2).

    Args:
      reference_codes: [B, 2, 2, C]; or more cells, [B, rows, columns, C].
      replacements: chunks [B, 4, C] (or one a cell) to put where the mask is True.
      mask: bool [B, 4] (or one a cell).

    Returns:
      codes [B, 2, 2, C] (or as many cells).
    """
    mixed = ops.where(mask[:, :, None], replacements, cells(reference_codes))
    return ops.reshape(mixed, (-1, *reference_codes.shape[1:]))


def mix_corners(reference_codes, replacements, mask):
    """As `mix_codes`, for a mask of quadrants: of nine cells those at the corners mix.

    On a larger even grid all cells of a quadrant do; the mask may also be one of cells.
    """
    rows, columns = reference_codes.shape[1:3]
    if rows % 2 == 0:
        return mix_codes(reference_codes, replacements, by_cell(mask, rows))
    corners = [0, columns - 1, (rows - 1) * columns, rows * columns - 1]
    none = quadrants.NUM_QUADRANTS  # the place of a chunk that is never taken
    quadrant_of = [corners.index(i) if i in corners else none for i in range(rows * columns)]
    padded = ops.pad(replacements, ((0, 0), (0, 1), (0, 0)))
    masked = ops.pad(mask, ((0, 0), (0, 1)))
    return mix_codes(
        reference_codes,
        ops.take(padded, quadrant_of, axis=1),  # [B, cells, C]
        ops.take(masked, quadrant_of, axis=1),  # [B, cells]
    )


def random_mask(count, num_cells: int, seed):
    """A fair coin for every cell (appendix D.1): bool [count, num_cells].

    seed: a `keras.random.SeedGenerator`, such as `draws.Draws`.
    """
    return keras.random.uniform((count, num_cells), seed=seed) < 0.5


def cycle_codes(reference_codes, mixed_again, mask):
    """f^_ref: the KEPT chunks of the re-encoded mix, the reference's own for the replaced.

    Args:
      reference_codes: f_ref [B, 2, 2, C].
      mixed_again: Enc(I_mix) [B, 2, 2, C].
      mask: bool [B, 4] of the mix.

    Returns:
      codes [B, 2, 2, C] (thesis, section 3.2, the second reconstruction).
    """
    return mix_codes(mixed_again, cells(reference_codes), mask)


def classifier_labels(mask):
    """Labels y^j of the four pairs (I_mix, I_qj): bit j is set iff quadrant j was replaced.

    Mask [B, 4] -> float32 [B, 4 pairs, 4 bits]; every bit besides the diagonal is 0 (eq. 3.5). Mask
    [B, cells] -> [B, 4 pairs, cells]: a bit is set iff that cell came from the pair's candidate.
    """
    own = quadrants.of_cells(quadrants.grid_side(mask.shape[1]))  # the quadrant of each cell
    belongs = np.arange(quadrants.NUM_QUADRANTS)[:, None] == own  # [4, cells], of four the identity
    return ops.cast(mask, "float32")[:, None] * belongs.astype("float32")


def origin_labels(mask):
    """Labels where one answer is on all cells (D.1, D.3): mask [B, n] -> float32 [B, 1, n]."""
    return ops.cast(mask, "float32")[:, None, :]


def paste_quadrants(reference, candidates, mask):
    """The mix in data space, I_{f_mix} of figure 4.2: quadrants pasted, nothing blended.

    Reference [B, H, W, C], candidates [B, 4, H, W, C], mask bool [B, 4], or one of cells on a grid,
    [B, cells] -> images [B, H, W, C].
    """
    side = quadrants.grid_side(mask.shape[1])
    if side > 2:
        height, width = reference.shape[1] // side, reference.shape[2] // side
        inside = ops.reshape(mask, (-1, side, side))
        inside = ops.repeat(ops.repeat(inside, height, axis=1), width, axis=2)
        everywhere = ops.ones_like(mask[:, :4])
        return ops.where(
            inside[..., None], paste_quadrants(reference, candidates, everywhere), reference
        )
    kept = quadrants.split(reference)  # [B, 4, H/2, W/2, C]
    replaced = ops.stack(
        [quadrants.quadrant(candidates[:, i], i) for i in range(quadrants.NUM_QUADRANTS)], axis=1
    )
    return quadrants.join(ops.where(mask[:, :, None, None, None], replaced, kept))
