"""Structural similarity of reconstructions (Wang et al., 2004)."""

import numpy as np
import tensorflow as tf

from lorbms_tf.evaluation.psnr import PEAK

LEAST_SIDE = 11  # pixels; the Gaussian window


def ssim(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """SSIM of each image with a Gaussian window of 11 pixels, mean over places and channels.

    Args:
      images: float [B, H, W, 3] in [-1, 1], H and W at least 11.
      reconstructions: the same shape and range.

    Returns:
      float32 [B], at most 1, which only an exact reproduction reaches.

    Raises:
      ValueError: shapes differ, or images are too small.
    """
    images, reconstructions = np.asarray(images), np.asarray(reconstructions)
    if images.shape != reconstructions.shape or images.ndim != 4:
        raise ValueError(
            f"both must be [B, H, W, 3], not {list(images.shape)} and {list(reconstructions.shape)}"
        )
    if min(images.shape[1:3]) < LEAST_SIDE:
        raise ValueError(f"images must have {LEAST_SIDE} pixels a side, not {images.shape[1:3]}")
    # The measure compares brightnesses from black = 0 on.
    from_black = [tf.constant(batch + 1.0, tf.float32) for batch in (images, reconstructions)]
    return tf.image.ssim(*from_black, max_val=PEAK).numpy()
