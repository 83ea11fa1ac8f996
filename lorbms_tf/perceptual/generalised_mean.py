"""The generalised mean of pictures: the picture whose mean distance from them is smallest.

Amir and Weiss (2021), supplement, 2.2. It begins as the plain mean and is found by Adam on random
batches of the targets. Under the squared error of pixels it stays the plain mean.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8  # Adam's defaults in PyTorch
_EDGE = 0.999  # tanh reaches 1 nowhere
_CHUNK = 50  # steps in one call of the graph, after which Ctrl-C is heard


class Descent(NamedTuple):
    """How the mean is looked for; the defaults are the paper's.

    epochs: passes over the targets.
    batch_size: targets in a step.
    learning_rate: of Adam.
    pixel_weight: of the mean squared error of pixels, which is added to the distance. The paper
      says that there is one; the value is that of a later work by its authors.
    """

    epochs: int = 400
    batch_size: int = 5
    learning_rate: float = 0.01
    pixel_weight: float = 0.001


PAPER = Descent()


class MeanSearch:
    """Finds generalised means under one distance; its graph is traced once.

    Args:
      distance: (images [1, S, S, 3] in [-1, 1], others [B, S, S, 3], step, an integer tensor that
        its draws follow from) -> [B], with gradients.
      descent: see there.
    """

    def __init__(self, distance: Callable[[Any, Any, Any], Any], descent: Descent = PAPER):
        self._distance, self._descent = distance, descent
        self._steps = tf.function(self._graph, autograph=False, reduce_retracing=True)

    def __call__(self, targets: np.ndarray, seed: int, number: int = 0) -> np.ndarray:
        """The mean of targets [N, S, S, 3] in [-1, 1]: float32 [S, S, 3] in (-1, 1).

        seed, number: of the problem; the order of the targets follows from both, the draws of the
          distance from the number.

        Raises ValueError where a batch is larger than the set of targets, or the search leaves
        finite numbers.
        """
        batch = self._descent.batch_size
        if not 1 <= batch <= len(targets):
            raise ValueError(f"batches of {batch} do not come of {len(targets)} targets")
        order = batches(len(targets), self._descent, [seed, number])  # [steps, B]
        # In double precision: a mean of equal pictures shall be these pictures.
        mean = targets.mean(axis=0, keepdims=True, dtype=np.float64)
        free = np.arctanh(np.clip(mean, -_EDGE, _EDGE)).astype(np.float32)
        state = (tf.constant(free), tf.zeros(free.shape), tf.zeros(free.shape), tf.constant(0.0))
        targets = tf.constant(targets, tf.float32)
        for start in range(0, len(order), _CHUNK):
            first = tf.constant(number * len(order) + start)  # of all problems' steps
            state = self._steps(state, targets, tf.constant(order[start : start + _CHUNK]), first)
        made = np.tanh(state[0].numpy()[0])
        if not np.isfinite(made).all():
            raise ValueError("the search for the mean has left finite numbers")
        return made

    def _graph(self, state: tuple, targets: tf.Tensor, order: tf.Tensor, first: tf.Tensor) -> tuple:
        def step(number: tf.Tensor, state: tuple) -> tuple:
            chosen = tf.ensure_shape(
                tf.gather(targets, order[number]), (order.shape[1], *targets.shape[1:])
            )
            gradient = self._gradient(state[0], chosen, first + number)
            return number + 1, adam(state, gradient, self._descent)

        return tf.while_loop(
            lambda number, _: number < tf.shape(order)[0],
            step,
            (tf.constant(0), state),
            maximum_iterations=_CHUNK,
        )[1]

    def _gradient(self, free: tf.Tensor, targets: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(free)
            image = tf.tanh(free)  # [1, S, S, 3]
            loss = tf.reduce_mean(self._distance(image, targets, step))
            loss += self._descent.pixel_weight * tf.reduce_mean(tf.square(image - targets))
        return tape.gradient(loss, free)


def adam(state: tuple, gradient: Any, descent: Descent) -> tuple:
    """One update of (value, first moment, second moment, updates so far)."""
    value, first, second, count = state
    count = count + 1.0
    first = _BETA_1 * first + (1.0 - _BETA_1) * gradient
    second = _BETA_2 * second + (1.0 - _BETA_2) * tf.square(gradient)
    mean = first / (1.0 - _BETA_1**count)
    deviation = tf.sqrt(second / (1.0 - _BETA_2**count))
    return value - descent.learning_rate * mean / (deviation + _EPSILON), first, second, count


def batches(count: int, descent: Descent, seed: Any) -> np.ndarray:
    """Which targets come in each step: int32 [steps, B]; every epoch is an order of its own.

    Of a last batch that is not whole nothing comes.
    """
    rng = np.random.default_rng(seed)
    whole = count // descent.batch_size
    orders = [rng.permutation(count)[: whole * descent.batch_size] for _ in range(descent.epochs)]
    return np.concatenate(orders).reshape(-1, descent.batch_size).astype(np.int32)
