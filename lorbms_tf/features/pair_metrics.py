"""Several distances and similarities of pairs of pictures at once, by their names.

ssim, psnr    similarities, higher is better (`lorbms_tf.evaluation`)
all others    distances, 0 for equal pictures (`lorbms_tf.features.named_distances`)
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from lorbms_tf.distances.distance_config import DistanceConfig
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation import ssim as ssim_score
from lorbms_tf.evaluation.psnr import psnr
from lorbms_tf.features import named_distances

SIMILARITIES = {"ssim": ssim_score.ssim, "psnr": psnr}
MOST_PIXELS = 2**19  # of a picture; inner maps of more do not fit the memory of usual machines
# Differences of nearly equal means: single precision would leave nothing of small distances.
_DOUBLE = ("l1", "l2", "mmd_exact", "nngp")
_PIXEL_WISE = ("l1", "l2", *SIMILARITIES)


class PairMetrics:
    """Named metrics of pairs of pictures.

    Attributes:
      names: as they were asked for.
      weights: by name, where a network's weights are from; of those that have a network.

    Args:
      names: of distances or similarities.
      config: what distances need to know.
      seed: of draws.

    Raises UserError as `named_distances.make` does.
    """

    def __init__(self, names: Iterable[str], config: DistanceConfig, seed: int = 0):
        self.names = tuple(dict.fromkeys(names))
        self._distances = {
            name: named_distances.make(name, config, seed)
            for name in self.names
            if name not in SIMILARITIES
        }
        self.weights = {n: d.weights for n, d in self._distances.items() if d.weights}

    def refusal(self, height: int, width: int) -> str:
        """Why pictures of this size cannot be measured; "" where they can."""
        size = f"{width}x{height} px"
        for name, distance in self._distances.items():
            if min(height, width) < distance.least_side:
                flag = "--mmd_window" if distance.window > 1 else f"what {name} reads"
                return f"smaller than {flag}, {distance.least_side} px a side ({size})"
        if "ssim" in self.names and min(height, width) < ssim_score.LEAST_SIDE:
            return f"smaller than ssim's window, {ssim_score.LEAST_SIDE} px a side ({size})"
        whole = all(name in _PIXEL_WISE for name in self.names)
        if not whole and height * width > MOST_PIXELS:
            return f"too large without --image_size, at most {MOST_PIXELS} pixels ({size})"
        return ""

    def __call__(self, images: np.ndarray, others: np.ndarray, draw: int = 0) -> Mapping[str, Any]:
        """Each metric of each pair: float64 [B] by name.

        Args:
          images: float32 [B, H, W, 3] in [-1, 1], of a size without a `refusal`.
          others: the same.
          draw: which draw, of distances that are drawn.

        Raises UserError where a network reads pictures of another size only, or a distance is not
        finite.
        """
        found = {}
        for name in self.names:
            if name in SIMILARITIES:
                found[name] = SIMILARITIES[name](images, others)
                continue
            size = f"{images.shape[2]}x{images.shape[1]} px"
            dtype = np.float64 if name in _DOUBLE else np.float32
            pair = (np.asarray(pictures, dtype) for pictures in (images, others))
            try:
                values = self._distances[name](*pair, draw)
            except (ValueError, tf.errors.InvalidArgumentError) as error:
                reason = str(error).strip().splitlines()[0]
                raise UserError(f"{name} cannot read pictures of {size}: {reason}") from error
            found[name] = np.asarray(values, np.float64)
            if not np.isfinite(found[name]).all():
                raise UserError(f"{name} of pictures of {size} is not finite")
        return found
