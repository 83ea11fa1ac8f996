"""Patch MMD: are the small patches around a place distributed alike in two pictures?

Amir and Weiss, "Understanding and simplifying perceptual distances" (2021), section 4 and
supplement. Pictures are float [B, H, W, 3] in [-1, 1], in which unit `sigma` is; every distance is
[B], 0 for equal pictures.

The kernel is k(p, q) = exp(-|p - q|^2 / (2 sigma^2)) on patches as vectors, so that k(p, p) = 1.
The squared maximum mean discrepancy of the patches of a window is taken in its biased form (the
V-statistic) unless said otherwise, and averaged over the windows.
"""

import math
from typing import Any, NamedTuple

import keras
from keras import ops

from lorbms_tf.distances import windows


class PatchMMD(NamedTuple):
    """The settings of a patch MMD; the defaults are the paper's.

    patch: pixels a side of a patch.
    window: pixels a side of a window.
    stride: pixels from window to window.
    sigma: width of the kernel; 0.54 to 0.72 in the paper.
    remove_dc: subtract from each patch its mean in each colour.
    """

    patch: int = 3
    window: int = 32
    stride: int = 16
    sigma: float = 0.6
    remove_dc: bool = False

    def check(self, images: Any) -> None:
        """Raises ValueError where a setting is wrong, or does not fit the pictures."""
        windows.check(images, self.patch, self.window, self.stride)
        check_sigma(self.sigma)


PAPER = PatchMMD()


LOCAL_WEIGHT, LOCAL_SIGMA = 0.025, 0.9  # of MMD++ (supplement)
PIXEL_WEIGHT = 0.001  # the paper says "small"; the value is that of a later work by its authors


def check_sigma(sigma: float) -> None:
    """Raises ValueError unless a kernel can be so wide."""
    if not (sigma > 0 and math.isfinite(sigma)):
        raise ValueError(f"sigma is a positive number, not {sigma}.")


def exact(images: Any, others: Any, settings: PatchMMD = PAPER, unbiased: bool = False) -> Any:
    """The mean over windows of the squared MMD, from all pairs of patches: [B].

    For a window of 32 px three kernel matrices of 1024 x 1024; for measuring rather than training.

    Args:
      images: [B, H, W, 3].
      others: [B, H, W, 3].
      settings: see there.
      unbiased: the U-statistic instead of the V-statistic.

    Raises ValueError where the pictures have different shapes or are smaller than a window.
    """
    _check_pair(images, others, settings)

    def of(pictures: Any) -> Any:
        vectors = windows.patches(pictures, settings.patch, settings.remove_dc)  # [B, H, W, D]
        return windows.sets(vectors, settings.window, settings.stride)  # [B * N, n, D]

    def kernel(first: Any, second: Any) -> Any:
        squared = windows.squared_distances(first, second)
        return ops.exp(squared / (-2.0 * settings.sigma**2))

    found = windows.mmd_of_sets(of(images), of(others), kernel, unbiased)  # [B * N]
    count = ops.shape(images)[0]
    return ops.mean(ops.reshape(found, (count, -1)), axis=1)


def random_features(
    images: Any,
    others: Any,
    seed: Any,
    settings: PatchMMD = PAPER,
    features: int = 1024,
    unbiased: bool = False,
) -> Any:
    """`exact` by random Fourier features (Rahimi and Recht, 2007), unbiased in the draw: [B].

    phi(p) = sqrt(2 / F) cos(w^T p + b) with w ~ N(0, sigma^-2 I), b ~ U[0, 2 pi]: one product of
    matrices gives it at all places, one average pool its mean over every window.

    Args:
      images: [B, H, W, 3].
      others: [B, H, W, 3].
      seed: a whole number, for the same draw at each call, or a `keras.random.SeedGenerator`.
      settings: see there.
      features: F, in the paper 512, 1024 or 2048.
      unbiased: the U-statistic instead of the V-statistic.

    Raises ValueError as `exact` does, and where there are no features.
    """
    _check_pair(images, others, settings)
    if features < 1:
        raise ValueError(f"There is at least 1 random feature, not {features}.")
    drawn = _draw(images.shape[-1], settings, features, seed)  # [D + 1, F]

    def of(pictures: Any) -> tuple[Any, Any]:
        vectors = windows.patches(pictures, settings.patch)  # [B, H, W, D]
        vectors = ops.concatenate([vectors, ops.ones_like(vectors[..., :1])], axis=-1)
        maps = ops.sin(ops.matmul(vectors, drawn))  # [B, H, W, F]
        means = windows.pooled(maps, settings.window, settings.stride)  # [B, rows, columns, F]
        means = means * math.sqrt(2.0 / features)
        if not unbiased:
            return means, None
        own = 2.0 * ops.mean(ops.square(maps), axis=-1, keepdims=True)  # about k(p, p) = 1
        return means, windows.pooled(own, settings.window, settings.stride)[..., 0]

    (first, first_own), (second, second_own) = of(images), of(others)
    if not unbiased:
        squared = ops.sum(ops.square(first - second), axis=-1)  # [B, rows, columns]
        return ops.mean(squared, axis=(1, 2))
    count = settings.window**2

    def within(means: Any, own: Any) -> Any:
        return (count * ops.sum(ops.square(means), axis=-1) - own) / (count - 1)

    between = ops.sum(first * second, axis=-1)
    squared = within(first, first_own) + within(second, second_own) - 2.0 * between
    return ops.mean(squared, axis=(1, 2))


def local(images: Any, others: Any, patch: int = 3, sigma: float = LOCAL_SIGMA) -> Any:
    """The local term of MMD++: mean over places of 1 - k(p, q), both patches at the place: [B]."""
    windows.check(images, patch, 1, 1)
    check_sigma(sigma)
    difference = windows.patches(images, patch) - windows.patches(others, patch)
    squared = ops.sum(ops.square(difference), axis=-1)  # [B, H, W]
    return ops.mean(1.0 - ops.exp(squared / (-2.0 * sigma**2)), axis=(1, 2))


def plus_plus(
    images: Any,
    others: Any,
    seed: Any,
    settings: PatchMMD = PAPER,
    features: int = 1024,
    local_weight: float = LOCAL_WEIGHT,
    local_sigma: float = LOCAL_SIGMA,
    pixel_weight: float = PIXEL_WEIGHT,
) -> Any:
    """MMD++ (supplement): patch MMD without the mean of a patch, a local term, and pixels: [B].

    Takes what `random_features` takes; the patches' means are always removed, since the local term
    and the squared error of pixels look after them.
    """
    without_dc = settings._replace(remove_dc=True)
    return (
        random_features(images, others, seed, without_dc, features)
        + local_weight * local(images, others, settings.patch, local_sigma)
        + pixel_weight * ops.mean(ops.square(images - others), axis=(1, 2, 3))
    )


def _draw(channels: int, settings: PatchMMD, features: int, seed: Any) -> Any:
    """w and, in the last row, b of random features: [D + 1, F]; with b the cosine is a sine.

    Adding b costs nothing as one more number of a patch, and the gradient of a sine is one pass
    over the maps less.
    """
    seed = windows.generator(seed)
    shape = (settings.patch**2, channels, features)
    weights = keras.random.normal(shape, stddev=1.0 / settings.sigma, seed=seed)
    if settings.remove_dc:
        # w^T (p - mean of p) = (w - mean of w)^T p, in each colour.
        weights = weights - ops.mean(weights, axis=0, keepdims=True)
    phases = keras.random.uniform((1, features), 0.0, 2.0 * math.pi, seed=seed)
    return ops.concatenate([ops.reshape(weights, (-1, features)), phases + math.pi / 2.0], axis=0)


def _check_pair(images: Any, others: Any, settings: PatchMMD) -> None:
    windows.check_alike(images, others)
    settings.check(images)
