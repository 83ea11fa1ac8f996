"""The swap matrix: does each chunk hold its own quadrant, and nothing of the others?

A score for disentanglement that needs no labels, which the thesis misses (section 4.5). Chunk i of
one image's code is replaced by that of another, the result is decoded, and for each quadrant j the
picture is compared with the reconstructions of both images.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lorbms_tf.quadrants import NUM_QUADRANTS, quadrant


class SwapMatrix(NamedTuple):
    """What swapping single chunks does.

    follows: [4, 4]; row i: chunk i was swapped; column j: how far quadrant j went from the first
      image's reconstruction (0) to the second's (1). Ideal is the identity.
    locality: mean of the diagonal less the mean of the rest. 1: each chunk rules its quadrant
      alone. 0: chunks say nothing about places, be it that one of them rules everything (the
      shortcut problem) or that the decoder ignores its codes.
    cycle_error: [4, 4]; the swapped picture is encoded again: squared distance of chunk j to what
      was decoded, over the mean squared distance between two images' chunks j. Ideal is 0.
    """

    follows: np.ndarray
    locality: float
    cycle_error: np.ndarray


def swap_matrix(
    encode: Callable,
    decode: Callable,
    images: np.ndarray,
    seed: int = 0,
    batch_size: int = 32,
    distance: Callable | None = None,
) -> SwapMatrix:
    """The swap matrix over pairs of images: each image once as the first, once as the second.

    Args:
      encode: images [B, H, W, 3] -> codes [B, 2, 2, C].
      decode: codes [B, 2, 2, C] -> images [B, H, W, 3].
      images: [N, H, W, 3] in [-1, 1], N >= 2.
      seed: of the pairs.
      batch_size: images that are encoded or decoded at a time.
      distance: two batches of quadrants [B, h, w, 3] -> [B], at least 0; None: mean absolute
        difference. With a distance of features the matrix is one of content, not of pixels.

    Raises:
      ValueError: fewer than two images.
    """
    if len(images) < 2:
        raise ValueError(f"swapping needs at least two images, not {len(images)}")
    distance = distance or _pixel_distance
    codes = _in_batches(encode, images, batch_size)  # [N, 2, 2, C]
    partners = partners_of(len(images), seed)
    shown = _in_batches(decode, codes, batch_size)  # the reconstructions [N, H, W, 3]
    spread = np.mean(np.square(codes - codes[partners]), axis=(0, 3)).reshape(-1)  # [4]
    follows = np.empty((NUM_QUADRANTS, NUM_QUADRANTS))
    cycle_error = np.empty((NUM_QUADRANTS, NUM_QUADRANTS))
    for i in range(NUM_QUADRANTS):
        swapped = codes.copy()
        swapped[:, i // 2, i % 2] = codes[partners, i // 2, i % 2]
        mixes = _in_batches(decode, swapped, batch_size)
        for j in range(NUM_QUADRANTS):
            follows[i, j] = _share(mixes, shown, partners, j, distance)
        error = np.square(_in_batches(encode, mixes, batch_size) - swapped)
        per_chunk = error.mean(axis=(0, 3)).reshape(-1)  # [4]
        cycle_error[i] = np.divide(per_chunk, spread, out=np.ones(4), where=spread > 0)
    diagonal = np.eye(NUM_QUADRANTS, dtype=bool)
    locality = float(follows[diagonal].mean() - follows[~diagonal].mean())
    return SwapMatrix(follows, locality, cycle_error)


def partners_of(count: int, seed: int) -> np.ndarray:
    """For each of `count` images another one, every one once: int [count]."""
    order = np.random.default_rng(seed).permutation(count)
    partners = np.empty(count, np.int64)
    partners[order] = np.roll(order, 1)
    return partners


def _share(mixes, shown, partners, j: int, distance: Callable) -> float:
    """Mean over the pairs of (way gone) / (way gone + way left); a half where both are 0."""
    mixed, first = quadrant(mixes, j), quadrant(shown, j)
    gone = np.asarray(distance(mixed, first), np.float64)  # [N]
    left = np.asarray(distance(mixed, first[partners]), np.float64)
    total = gone + left
    return float(np.mean(np.divide(gone, total, out=np.full(len(total), 0.5), where=total > 0)))


def _pixel_distance(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    return np.abs(one - two).mean(axis=(1, 2, 3))


def _in_batches(function: Callable, values: np.ndarray, batch_size: int) -> np.ndarray:
    starts = range(0, len(values), batch_size)
    return np.concatenate([np.asarray(function(values[s : s + batch_size])) for s in starts])
