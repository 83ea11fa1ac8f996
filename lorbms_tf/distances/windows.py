"""Patches of pictures, and the windows over which sets of patches are compared.

Shapes: B pictures of H x W, patches of p x p pixels as vectors of D = 3 p p numbers, windows of
w x w places, n = w w of them, N windows a picture.
"""

from typing import Any

import keras
from keras import ops


def check(images: Any, patch: int, window: int, stride: int) -> None:
    """Raises ValueError where patches or windows do not fit pictures [B, H, W, 3]."""
    height, width = images.shape[1:3]
    if patch < 1 or patch % 2 == 0:
        raise ValueError(f"A patch has an odd number of pixels a side, not {patch}.")
    if stride < 1:
        raise ValueError(f"Windows are at least 1 pixel apart, not {stride}.")
    if not 1 <= window <= min(height, width):
        raise ValueError(
            f"Windows of {window} px do not fit pictures of {width}x{height} px; valid sides are "
            f"1 to {min(height, width)}."
        )
    if patch // 2 >= min(height, width):
        raise ValueError(f"Patches of {patch} px are too large for {width}x{height} px.")


def check_alike(images: Any, others: Any) -> None:
    """Raises ValueError where pictures [B, H, W, 3] and others have different shapes."""
    if tuple(images.shape[1:]) != tuple(others.shape[1:]):
        raise ValueError(
            f"Pictures of {tuple(images.shape[1:])} and {tuple(others.shape[1:])} do not compare."
        )


def generator(seed: Any) -> keras.random.SeedGenerator:
    """A generator of draws: `seed` itself, or one that begins at a whole number.

    So that several draws from one number differ from each other.
    """
    if isinstance(seed, keras.random.SeedGenerator):
        return seed
    return keras.random.SeedGenerator(int(seed))


def reflected(images: Any, patch: int) -> Any:
    """Pictures with a border, mirrored at the outermost pixels, so that every pixel has a patch."""
    border = (patch // 2, patch // 2)
    return ops.pad(images, ((0, 0), border, border, (0, 0)), mode="reflect")


def patches(images: Any, patch: int, remove_dc: bool = False) -> Any:
    """The patch around every pixel: [B, H, W, 3] -> [B, H, W, p * p * 3].

    remove_dc: subtract from each patch its mean in each colour.
    """
    bordered = reflected(images, patch)
    height, width, channels = images.shape[1:]
    parts = [bordered[:, y : y + height, x : x + width] for y in range(patch) for x in range(patch)]
    stacked = ops.stack(parts, axis=3)  # [B, H, W, p * p, 3]
    if remove_dc:
        stacked = stacked - ops.mean(stacked, axis=3, keepdims=True)
    return ops.reshape(stacked, (-1, height, width, patch * patch * channels))


def pooled(maps: Any, window: int, stride: int) -> Any:
    """The mean of maps over each window: [B, H, W, C] -> [B, rows, columns, C]."""
    times = window // stride
    if times * stride != window or times == 1:
        return ops.average_pool(maps, window, strides=stride, padding="valid")
    # Windows that overlap share blocks of stride x stride places: each place is read once.
    rows, columns = ((size - window) // stride + times for size in maps.shape[1:3])  # of blocks
    maps, channels = maps[:, : rows * stride, : columns * stride], maps.shape[-1]
    maps = ops.sum(ops.reshape(maps, (-1, rows, stride, columns * stride, channels)), axis=2)
    maps = ops.sum(ops.reshape(maps, (-1, rows, columns, stride, channels)), axis=3)
    return ops.average_pool(maps / stride**2, times, strides=1, padding="valid")


def sets(maps: Any, window: int, stride: int) -> Any:
    """The vectors of each window as a set: [B, H, W, C] -> [B * N, n, C], picture by picture."""
    height, width, channels = maps.shape[1:]
    corners = [
        (y, x)
        for y in range(0, height - window + 1, stride)
        for x in range(0, width - window + 1, stride)
    ]
    parts = [maps[:, y : y + window, x : x + window] for y, x in corners]
    return ops.reshape(ops.stack(parts, axis=1), (-1, window * window, channels))


def squared_distances(first: Any, second: Any) -> Any:
    """Squared Euclidean distances between two sets: [..., n, D], [..., m, D] -> [..., n, m]."""
    # From the middle of the first set both are short, so that little is lost by cancellation.
    middle = ops.stop_gradient(ops.mean(first, axis=-2, keepdims=True))
    first, second = first - middle, second - middle
    lengths = ops.sum(ops.square(first), axis=-1)[..., :, None]
    others = ops.sum(ops.square(second), axis=-1)[..., None, :]
    inner = ops.matmul(first, ops.swapaxes(second, -1, -2))
    return ops.maximum(lengths + others - 2.0 * inner, 0.0)


def mmd_of_sets(first: Any, second: Any, kernel: Any, unbiased: bool = False) -> Any:
    """The squared maximum mean discrepancy of pairs of sets [S, n, D] and [S, n, D] -> [S].

    One pair after another, so that no more than three kernel matrices are in memory.

    Args:
      first: S sets.
      second: S sets.
      kernel: (sets [n, D], [m, D]) -> [n, m].
      unbiased: leave pairs of an element with itself out (the U-statistic, which may be below 0)
        instead of the V-statistic, which is 0 for equal sets.
    """

    def one(pair: Any) -> Any:
        x, y = pair
        within = _mean(kernel(x, x), unbiased) + _mean(kernel(y, y), unbiased)
        return within - 2.0 * ops.mean(kernel(x, y))

    return ops.map(one, (first, second))


def _mean(matrix: Any, without_diagonal: bool) -> Any:
    if not without_diagonal:
        return ops.mean(matrix)
    count = matrix.shape[-1]
    return (ops.sum(matrix) - ops.trace(matrix)) / (count * (count - 1))
