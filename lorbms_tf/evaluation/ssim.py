"""Structural similarity of reconstructions (Wang et al., 2004)."""

import numpy as np

from lorbms_tf.evaluation.image_pairs import PEAK, image_pairs

LEAST_SIDE = 11  # pixels; the Gaussian window
_SIGMA = 1.5
_LUMINANCE, _CONTRAST = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2  # as published


def ssim(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """SSIM of each image with a Gaussian window of 11 pixels, mean over places and channels.

    In double precision: variances are differences of means of squares, and what single precision
    leaves of them in a flat picture is enough to lift the measure above 1.

    Args:
      images: float [B, H, W, 3] in [-1, 1], H and W at least 11.
      reconstructions: the same shape and range.

    Returns:
      float64 [B], at most 1, which only an exact reproduction reaches.

    Raises:
      ValueError: shapes differ, images are too small, or values are not finite or outside [-1, 1].
    """
    pairs = image_pairs(images, reconstructions)
    if min(pairs[0].shape[1:3]) < LEAST_SIDE:
        raise ValueError(f"images must have {LEAST_SIDE} pixels a side, not {pairs[0].shape[1:3]}")
    one, two = (values + 1.0 for values in pairs)  # brightnesses are compared from black = 0 on
    mean_one, mean_two = _windowed(one), _windowed(two)
    product = mean_one * mean_two
    squares = np.square(mean_one) + np.square(mean_two)
    variances = _windowed(np.square(one) + np.square(two)) - squares
    covariance = _windowed(one * two) - product
    luminance = (2.0 * product + _LUMINANCE) / (squares + _LUMINANCE)
    structure = (2.0 * covariance + _CONTRAST) / (variances + _CONTRAST)
    return np.minimum(np.mean(luminance * structure, axis=(1, 2, 3)), 1.0)


def _windowed(values: np.ndarray) -> np.ndarray:
    """Gaussian means [B, H - 10, W - 10, C] of values [B, H, W, C]."""
    rows, columns = (_window(size) for size in values.shape[1:3])
    batch, height, width, channels = values.shape
    down = rows @ values.reshape(batch, height, width * channels)
    return columns @ down.reshape(batch, len(rows), width, channels)


def _window(size: int) -> np.ndarray:
    """[size - 10, size]: what times a line of pixels gives the Gaussian mean at each place."""
    taps = np.exp(-0.5 * np.square((np.arange(LEAST_SIDE) - LEAST_SIDE // 2) / _SIGMA))
    taps /= taps.sum()
    places = size - LEAST_SIDE + 1
    matrix = np.zeros((places, size))
    for i in range(places):
        matrix[i, i : i + LEAST_SIDE] = taps
    return matrix
