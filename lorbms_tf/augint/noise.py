"""Uniform noise of a frequency, and how well a model reconstructs it (seed 003, A.4)."""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from lorbms_tf.augint.scores import squared_errors


def noise(frequency: int, count: int, size: int, channels: int, seed: int) -> np.ndarray:
    """Uniform noise drawn at a small resolution and scaled up, bilinearly.

    Args:
      frequency: side of the small resolution, 1 to `size`; 1 gives flat images.
      count: N, the images.
      size: side of the images.
      channels: of them.
      seed: of the draws, which differ from frequency to frequency.

    Returns:
      float32 [N, size, size, channels] in [-1, 1]. ValueError for another frequency.
    """
    if not 1 <= frequency <= size:
        raise ValueError(f"a frequency of {frequency} is not in 1 to {size}")
    random = np.random.default_rng([seed, frequency])
    small = random.uniform(-1, 1, (count * channels, frequency, frequency)).astype(np.float32)
    large = np.stack([
        np.asarray(Image.fromarray(map_).resize((size, size), Image.Resampling.BILINEAR))
        for map_ in small
    ])  # fmt: skip
    large = large.reshape(count, channels, size, size).transpose(0, 2, 3, 1)
    return np.clip(large, -1.0, 1.0)


def errors(
    reconstruct: Callable[[np.ndarray], np.ndarray],
    frequencies: Sequence[int],
    trials: int,
    size: int,
    channels: int,
    seed: int,
) -> np.ndarray:
    """Mean squared difference of pixels in [0, 1] at each frequency, over `trials` images."""
    means = []
    for frequency in frequencies:
        images = noise(frequency, trials, size, channels, seed)
        means.append(squared_errors(images, reconstruct(images)).mean())
    return np.array(means)
