"""Metrics by name: NAME or NAME/WAY, the way in which brightness and contrast are equalised."""

from typing import Any

from lorbms_tf.features import named_distances
from lorbms_tf.latent_paths.config import PIXELS, PLAIN, SearchConfig
from lorbms_tf.latent_paths.energy import PathMetric, pixels


class Metrics:
    """The metrics of one command; the network of each is built once.

    Attributes:
      config: how paths are found, and the files of weights.

    Args:
      seed: of what metrics draw.
    """

    def __init__(self, config: SearchConfig, seed: int = 0):
        self.config, self._seed = config, seed
        self._distances: dict[str, named_distances.Distance] = {}

    def metric(self, name: str) -> PathMetric:
        """The metric of a name. UserError for weights that are missing."""
        bare, _, way = name.partition("/")
        way = way or self.config.equalise
        if bare == PIXELS:
            return PathMetric(pixels, way)
        distance = self._distance(bare)
        if distance.by_features:
            return PathMetric(distance.by_features.compared, way, distance.by_features.features)

        def squared(images: Any, others: Any) -> Any:
            values = distance(images, others)
            return values * values if bare == "l1" else values  # all others are sums of squares

        return PathMetric(squared, way)

    def weights(self, name: str) -> str:
        """Where the weights of a metric's network are from, in words; "" without a network."""
        bare = name.partition("/")[0]
        return "" if bare in (*PLAIN, PIXELS) else self._distance(bare).weights

    def _distance(self, bare: str) -> named_distances.Distance:
        if bare not in self._distances:
            self._distances[bare] = named_distances.make(bare, self.config, self._seed)
        return self._distances[bare]
