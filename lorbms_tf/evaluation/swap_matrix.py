"""The swap matrix: does each chunk hold its own quadrant, and nothing of the others?

A score for disentanglement that needs no labels, which the thesis misses (section 4.5). Chunk i of
one image's code is replaced by that of another, the result is decoded, and for each quadrant j the
picture is compared with the reconstructions of both images.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lorbms_tf.data.quadrants import NUM_QUADRANTS, quadrant
from lorbms_tf.evaluation.batches import in_batches
from lorbms_tf.evaluation.finite import check_finite


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
    describe: Callable | None = None,
) -> SwapMatrix:
    """The swap matrix over pairs of images: each image once as the first, once as the second.

    Args:
      encode: images [B, H, W, 3] -> codes [B, 2, 2, C]; or of a larger even side, where a chunk is
        all cells of its quadrant.
      decode: codes [B, 2, 2, C] -> images [B, H, W, 3].
      images: [N, H, W, 3] in [-1, 1], N >= 2.
      seed: of the pairs.
      batch_size: images that are encoded or decoded at a time.
      describe: quadrants [B, h, w, 3] -> what they are compared by, [B, ...]; None: their pixels.
        With features of a network the matrix is one of content.

    Raises:
      ValueError: fewer than two images; codes of an odd side; images, codes, or what is compared
        are not finite.
    """
    if len(images) < 2:
        raise ValueError(f"swapping needs at least two images, not {len(images)}")
    describe = describe or np.asarray
    codes = _codes(encode, images, batch_size)
    partners = partners_of(len(images), seed)
    shown = _described(in_batches(decode, batch_size, codes), describe, "reconstructions")
    spread = _by_chunk(np.square(codes - codes[partners]))  # [4]
    follows = np.empty((NUM_QUADRANTS, NUM_QUADRANTS))
    cycle_error = np.empty((NUM_QUADRANTS, NUM_QUADRANTS))
    for i in range(NUM_QUADRANTS):
        swapped = codes.copy()
        quadrant(swapped, i)[...] = quadrant(codes, i)[partners]
        mixes = in_batches(decode, batch_size, swapped)
        made = _described(mixes, describe, "pictures with a swapped chunk")
        for j in range(NUM_QUADRANTS):
            follows[i, j] = _share(made[j], shown[j], shown[j][partners])
        again = in_batches(encode, batch_size, mixes)
        check_finite(again, "codes of pictures with a swapped chunk")
        per_chunk = _by_chunk(np.square(again - swapped))  # [4]
        cycle_error[i] = np.divide(per_chunk, spread, out=np.ones(4), where=spread > 0)
    diagonal = np.eye(NUM_QUADRANTS, dtype=bool)
    locality = float(follows[diagonal].mean() - follows[~diagonal].mean())
    return SwapMatrix(follows, locality, cycle_error)


def _codes(encode: Callable, images: np.ndarray, batch_size: int) -> np.ndarray:
    """Codes [N, 2, 2, C] of images, or of a larger even side; see `swap_matrix`."""
    check_finite(images, "images")
    codes = in_batches(encode, batch_size, images)
    check_finite(codes, "codes")
    height, width = codes.shape[1:3]
    if height != width or height % 2:
        raise ValueError(f"codes of {height}x{width} cells have no four chunks")
    return codes


def _by_chunk(values: np.ndarray) -> np.ndarray:
    """The means of [N, side, side, C] over each quadrant: [4]."""
    means = values.mean(axis=(0, 3))
    half = len(means) // 2
    return means.reshape(2, half, 2, half).mean(axis=(1, 3)).reshape(-1)


def partners_of(count: int, seed: int) -> np.ndarray:
    """For each of `count` images another one, every one once: int [count]."""
    order = np.random.default_rng(seed).permutation(count)
    partners = np.empty(count, np.int64)
    partners[order] = np.roll(order, 1)
    return partners


def _described(images: np.ndarray, describe: Callable, what: str) -> list[np.ndarray]:
    """What each quadrant of images [N, H, W, 3] is compared by: four arrays [N, ...]."""
    check_finite(images, what)
    found = [np.asarray(describe(quadrant(images, j))) for j in range(NUM_QUADRANTS)]
    for features in found:
        check_finite(features, f"features of {what}")
    return found


def _share(mixed: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """Mean over the pairs of (way gone) / (way gone + way left), by mean absolute difference;
    a half where both are 0."""
    gone, left = (
        np.abs(mixed - one).reshape(len(one), -1).mean(axis=1, dtype=np.float64)
        for one in (first, second)
    )
    total = gone + left
    return float(np.mean(np.divide(gone, total, out=np.full(len(total), 0.5), where=total > 0)))
