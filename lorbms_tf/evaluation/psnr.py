"""Peak signal-to-noise ratio of reconstructions (thesis, section 3.6.1)."""

import numpy as np

from lorbms_tf.evaluation.image_pairs import PEAK, image_pairs


def psnr(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """PSNR in dB for each image: 10 log10(2^2 / mean squared error).

    Args:
      images: float [B, H, W, 3] in [-1, 1].
      reconstructions: the same shape and range.

    Returns:
      float64 [B]; infinite where an image is reproduced exactly.

    Raises:
      ValueError: shapes differ, or values are not finite or outside [-1, 1].
    """
    images, reconstructions = image_pairs(images, reconstructions)
    squared = np.mean(np.square(images - reconstructions), axis=(1, 2, 3))  # [B]
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(PEAK**2 / squared)
