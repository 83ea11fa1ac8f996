"""Random draws that follow from numbers alone, one of which may be a tensor such as the step.

A generator of Keras keeps a state, which a checkpoint would have to hold. These have none, so that
training goes on bit for bit as it would have without a stop.
"""

from typing import Any

import keras
from keras import ops

_SPREAD, _APART = 1_000_003, 2_654_435_761  # odd numbers: neighbours lie far apart
_LIMIT = 2**31


class Draws(keras.random.SeedGenerator):
    """A generator for one call: its draws differ from each other, and follow from both numbers.

    Args:
      step: a whole number, or an integer tensor [].
      seed: a whole number.
    """

    def __init__(self, step: Any, seed: int = 0):  # no state, so nothing of Keras's is made
        self._step, self._seed, self._count = step, int(seed), 0

    def next(self, ordered: bool = True) -> Any:
        """Two integers [2], other ones at each call."""
        second = (self._seed * _SPREAD + self._count * _APART) % _LIMIT
        self._count += 1
        dtype = "uint32" if keras.backend.backend() == "jax" else "int32"
        step = ops.cast(self._step, dtype)
        return ops.stack([step, ops.cast(second, dtype)])
