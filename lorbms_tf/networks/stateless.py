"""A network judged in training mode without its moving averages moving."""

from collections.abc import Callable

import keras
from keras import ops


def stateless(network: keras.Model) -> Callable:
    """A function that calls a network as it is and leaves all its variables alone.

    In training mode batch norm then takes the batch's own statistics, and its moving averages
    stay: for networks that are looked at in the update of another.
    """

    def call(*inputs, training: bool = True):
        outputs, _ = network.stateless_call(
            [ops.convert_to_tensor(v) for v in network.trainable_variables],
            [ops.convert_to_tensor(v) for v in network.non_trainable_variables],
            *inputs,
            training=training,
        )
        return outputs

    return call
