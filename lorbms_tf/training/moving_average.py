"""Moving averages of networks, on one device or several."""

from collections.abc import Iterable, Sequence

import keras
import tensorflow as tf
from keras import ops


def move(
    averages: Iterable[keras.Model], networks: Iterable[keras.Model], decay: float, steps
) -> None:
    """Moves averaged networks towards the present ones; called on each device.

    Args:
      averages: as many as there are networks, of the same sizes.
      networks: whose trainable variables are averaged.
      decay: of a step, 0 to 1; less at the beginning, or the average would be of the initial
        weights for long.
      steps: made so far, a scalar.
    """
    pairs = [
        (average.value, present.value)
        for averaged, network in zip(averages, networks, strict=True)
        for average, present in zip(averaged.variables, network.variables, strict=True)
        if present.trainable  # singular vectors are the averaged kernels' own
    ]
    share = 1.0 - ops.minimum(decay, (1.0 + steps) / (10.0 + steps))
    # Variables of several devices change together, between the devices.
    tf.distribute.get_replica_context().merge_call(_across, args=(pairs, share))


def _across(strategy: tf.distribute.Strategy, pairs: Sequence[tuple], share) -> None:
    def step(average, present, share):
        average.assign_add((present - average) * share)

    for average, present in pairs:
        strategy.extended.update(average, step, args=(present, share), group=False)
