"""The features that a probe reads: named by flags, computed in blocks, brought to units."""

from collections.abc import Callable

import numpy as np

from lorbms_tf.evaluation.units import units
from lorbms_tf.features import probed
from lorbms_tf.features.network import FeatureNetwork, Outputs
from lorbms_tf.features.probed import RANDOM
from lorbms_tf.probing.labelled import Images
from lorbms_tf.probing.settings import FeatureConfig

__all__ = ["RANDOM", "compute", "make", "standardized"]


def make(config: FeatureConfig, seed: int, random: bool = False) -> FeatureNetwork:
    """The features that the flags name; `seed`, `random` and errors as `probed.build`."""
    source = probed.Source(config.image_size, config.run_dir, config.checkpoint, config.weights)
    return probed.build(config.features, source, seed, random)


def compute(
    network: FeatureNetwork,
    images: Images,
    batch_size: int,
    label: str,
    prepare: Callable | None = None,
) -> np.ndarray:
    """Features float32 [N, D] of N images.

    Args:
      network: which.
      images: the images, which are read in blocks of `batch_size`.
      batch_size: see there.
      label: what is done, for the progress.
      prepare: (uint8 [B, S, S, 3], number of the block) to [B, S, S, 3] in [-1, 1], as a graph;
        None: the images as they are.

    Raises UserError where a feature is not finite.
    """
    return network.outputs(images, batch_size, prepare, label, finite=True).features


def standardized(
    network: FeatureNetwork, features: np.ndarray
) -> tuple[FeatureNetwork, np.ndarray]:
    """A network whose features have mean 0 and deviation 1 over the images of `features` [N, D].

    One that is constant there is only shifted. Also returns `features` brought to that.
    """
    mean, deviation = units(features)

    def forward(images, training):
        return Outputs((network.forward(images, training) - mean) / deviation)

    brought = FeatureNetwork(
        network.name,
        forward,
        network.side,
        network.dimension,
        network.weights_hash,
        network.weights,
        network.network,
        network.kind,
        network.reading,
    )
    return brought, (features - mean) / deviation
