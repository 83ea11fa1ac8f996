"""Kernel distance between two sets of features (Binkowski et al., 2018; with Inception: KID)."""

from typing import NamedTuple

import numpy as np

from lorbms_tf.evaluation.frechet import check_features

BLOCK = 1024  # samples; as in TF-GAN


class KernelDistance(NamedTuple):
    """An estimate of the squared maximum mean discrepancy; it may be a little below 0."""

    value: float
    standard_error: float  # over the blocks; NaN where there is only one


def kernel_distance(
    real: np.ndarray, generated: np.ndarray, block_size: int = BLOCK
) -> KernelDistance:
    """Unbiased squared MMD with the cubic kernel (x.y / D + 1)^3, averaged over blocks.

    Both sets are cut into the same number of blocks, in the order given, so that no block holds
    more than `block_size` samples of either: shuffle each set by itself where its order means
    something. Unbiased where the two sets are drawn independently: images and what a model makes
    of the very same images come out a little lower.

    Args:
      real: [N, D].
      generated: [M, D].
      block_size: memory is block_size^2; the expected value is the same for any.

    Raises:
      ValueError: other shapes, values that are not finite, or a block of fewer than two samples.
    """
    real, generated = check_features(real, generated)
    if block_size < 2:
        raise ValueError(f"block_size must be at least 2, not {block_size}")
    count = -(-max(len(real), len(generated)) // block_size)
    if min(len(real), len(generated)) < 2 * count:
        raise ValueError(
            f"{len(real)} real and {len(generated)} generated samples do not fill {count} blocks "
            f"with two each: take sets of more equal size, or a block_size above {block_size}"
        )
    blocks = zip(_cut(real, count), _cut(generated, count), strict=True)
    values = np.array([_squared_discrepancy(x, y) for x, y in blocks])
    error = values.std(ddof=1) / np.sqrt(count) if count > 1 else np.nan
    return KernelDistance(float(values.mean()), float(error))


def _cut(samples: np.ndarray, count: int) -> list[np.ndarray]:
    """`count` parts in order whose sizes differ by at most one, the larger ones last."""
    small, larger = divmod(len(samples), count)
    sizes = [small] * (count - larger) + [small + 1] * larger
    return np.split(samples, np.cumsum(sizes)[:-1])


def _squared_discrepancy(x: np.ndarray, y: np.ndarray) -> float:
    width = x.shape[1]

    def kernel(a, b):
        return (a @ b.T / width + 1.0) ** 3

    def mean_of_others(a):
        values = kernel(a, a)
        return (values.sum() - np.trace(values)) / (len(a) * (len(a) - 1))

    return mean_of_others(x) + mean_of_others(y) - 2.0 * kernel(x, y).mean()
