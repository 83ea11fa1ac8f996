"""Images beside what a model makes of them: what scores of single pictures look at first."""

import numpy as np

from lorbms_tf.evaluation.finite import check_finite

PEAK = 2.0  # the range of images in [-1, 1]
_ROUNDING = 1e-3  # beyond -1 and 1; a grey level is 8e-3


def image_pairs(images: np.ndarray, reconstructions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 [B, H, W, C].

    Raises:
      ValueError: shapes differ, which else would be broadcast, there is no image, values are not
        finite, or lie outside [-1, 1].
    """
    pairs = []
    shapes = [list(np.shape(images)), list(np.shape(reconstructions))]
    if shapes[0] != shapes[1] or len(shapes[0]) != 4 or 0 in shapes[0]:
        raise ValueError(f"both must be [B, H, W, 3], not {shapes[0]} and {shapes[1]}")
    for what, values in (("images", images), ("reconstructions", reconstructions)):
        values = np.asarray(values, np.float64)
        check_finite(values, what)
        low, high = values.min(), values.max()
        if low < -1 - _ROUNDING or high > 1 + _ROUNDING:
            raise ValueError(f"{what} must lie in [-1, 1], not {low:.4g} to {high:.4g}")
        pairs.append(values)
    return pairs[0], pairs[1]
