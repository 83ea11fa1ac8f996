"""The energy of paths, whose least value belongs to the shortest one with equal steps.

A path of N segments has the energy N * sum of m^2 over its segments, m being the distance of
neighbouring pictures; it is the squared length where all steps are equal, and more where they are
not (seed 002). Only keras.ops.
"""

from collections.abc import Callable
from typing import Any

from keras import ops, tree

from lorbms_tf.latent_paths.equalise import equalised


def _unchanged(pictures: Any) -> Any:
    return pictures


class PathMetric:
    """Squared distances of neighbours on a path, each picture being looked at once.

    Args:
      squared: (features, features) -> m^2 [M].
      equalise: one of `config.WAYS`.
      features: pictures [M, H, W, C] -> what is compared of each: a tensor [M, ...], or a dict or
        list of such. Left out: the pictures themselves.
    """

    def __init__(
        self,
        squared: Callable[[Any, Any], Any],
        equalise: str = "none",
        features: Callable[[Any], Any] = _unchanged,
    ):
        self._squared, self._equalise, self._features = squared, equalise, features

    def seen(self, pictures: Any, ends: Any) -> Any:
        """The features of pictures on paths, equalised.

        Args:
          pictures: [P, K, H, W, C].
          ends: [P, 2, H, W, C], the first and the last picture of each path.

        Returns:
          tensors [P, K, ...].
        """
        even = equalised(pictures, ends, self._equalise)
        features = self._features(ops.reshape(even, (-1, *pictures.shape[2:])))
        count = ops.shape(pictures)[1]
        return tree.map_structure(
            lambda part: ops.reshape(part, (-1, count, *part.shape[1:])), features
        )

    def between(self, first: Any, second: Any) -> Any:
        """m^2 of points on paths by the features of each and the next, [P, N, ...]: [P, N]."""
        count = ops.shape(tree.flatten(first)[0])[1]
        first, second = (
            tree.map_structure(lambda part: ops.reshape(part, (-1, *part.shape[2:])), side)
            for side in (first, second)
        )
        return ops.reshape(self._squared(first, second), (-1, count))

    def steps(self, pictures: Any) -> Any:
        """m^2 of each picture and the next: whole paths [P, K, H, W, C] -> [P, K - 1]."""
        pictures = ops.convert_to_tensor(pictures)
        seen = self.seen(pictures, ops.stack([pictures[:, 0], pictures[:, -1]], axis=1))
        first = tree.map_structure(lambda part: part[:, :-1], seen)
        return self.between(first, tree.map_structure(lambda part: part[:, 1:], seen))

    def energies(self, pictures: Any) -> Any:
        """Energy of each path: [P, K, H, W, C] -> [P]."""
        return energies(self.steps(pictures))


def energies(steps: Any) -> Any:
    """Energy of each path by its squared steps: [P, N] -> [P]."""
    return ops.cast(ops.shape(steps)[1], steps.dtype) * ops.sum(steps, axis=1)


def pixels(images: Any, others: Any) -> Any:
    """The squared distance of pixels: their mean square, [M]."""
    return ops.mean(ops.square(images - others), axis=(1, 2, 3))
