"""The energy of paths, whose least value belongs to the shortest one with equal steps.

A path of N segments has the energy N * sum of m^2 over its segments, m being the distance of
neighbouring pictures; it is the squared length where all steps are equal, and more where they are
not (seed 002). Only keras.ops.
"""

from collections.abc import Callable
from typing import Any

from keras import ops

from lorbms_tf.latent_paths.equalise import equalised_neighbours


class PathMetric:
    """Squared distances of neighbours on a path of pictures.

    Args:
      squared: (images [M, H, W, C], others) -> m^2 [M].
      equalise: one of `equalise.WAYS`.
    """

    def __init__(self, squared: Callable[[Any, Any], Any], equalise: str = "none"):
        self._squared, self._equalise = squared, equalise

    def steps(self, pictures: Any) -> Any:
        """m^2 of each picture and the next: [P, K, H, W, C] -> [P, K - 1]."""
        first, second = equalised_neighbours(pictures, self._equalise)
        shape = ops.shape(first)
        flat = (-1, *pictures.shape[2:])
        values = self._squared(ops.reshape(first, flat), ops.reshape(second, flat))
        return ops.reshape(values, shape[:2])

    def energies(self, pictures: Any) -> Any:
        """Energy of each path: [P, K, H, W, C] -> [P]."""
        steps = self.steps(pictures)
        return ops.cast(ops.shape(steps)[1], steps.dtype) * ops.sum(steps, axis=1)


def pixels(images: Any, others: Any) -> Any:
    """The squared distance of pixels: their mean square, [M]."""
    return ops.mean(ops.square(images - others), axis=(1, 2, 3))
