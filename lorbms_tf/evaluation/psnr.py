"""Peak signal-to-noise ratio of reconstructions (thesis, section 3.6.1)."""

import numpy as np

PEAK = 2.0  # the range of images in [-1, 1]


def psnr(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """PSNR in dB for each image: 10 log10(2^2 / mean squared error).

    Args:
      images: float [B, H, W, 3] in [-1, 1].
      reconstructions: the same shape and range.

    Returns:
      float64 [B]; infinite where an image is reproduced exactly.
    """
    error = np.asarray(images, np.float64) - np.asarray(reconstructions, np.float64)
    squared = np.mean(np.square(error), axis=(1, 2, 3))  # [B]
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(PEAK**2 / squared)
