"""Codes of images under a finished generator (seed 003, A.2): a network guesses, descent refines.

The paper's losses are means whose axes it leaves open. Here the network's is the squared distance
of codes, and the refinement's the mean absolute difference of an image's pixels, each image
descending alone.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from lorbms_tf.augint import objective
from lorbms_tf.latent.slerp import unit_norm
from lorbms_tf.progress import track
from lorbms_tf.training import optimizers

STEPS, RATE, MOMENTUM = 6400, 1e-4, 0.1
CUT_EVERY = 1280  # steps after which the rate falls to a tenth
REFINING_STEPS, REFINING_RATE = 1000, 0.01


def train(
    network: Any,
    decode: Callable,
    code_size: int,
    steps: int = STEPS,
    batch_size: int = 64,
    rate: float = RATE,
    unit: bool = True,
    seed: int = 0,
) -> float:
    """Trains a network on the codes of images that a generator makes; shows its progress.

    Args:
      network: images [B, S, S, C] to codes [B, code_size], such as `networks.inversion`.
      decode: codes -> images in [-1, 1].
      code_size: D.
      steps: by SGD of momentum 0.1, whose rate falls to a tenth after each `CUT_EVERY`.
      batch_size: codes a step.
      rate: at the start.
      unit: whether the generator's codes have length one; else they are standard normal.
      seed: of the codes.

    Returns:
      the mean squared distance of codes over the last tenth of the steps; NaN for no steps.
    """
    cuts = range(CUT_EVERY, max(steps, CUT_EVERY + 1), CUT_EVERY)
    optimizer = optimizers.Sgd(optimizers.tenths(rate, cuts), momentum=MOMENTUM)
    optimizer.build(network.trainable_variables)

    @tf.function(autograph=False)
    def step(number):
        codes = tf.random.stateless_normal((batch_size, code_size), tf.stack([seed, number]))
        codes = unit_norm(codes) if unit else codes
        images = decode(codes)
        with tf.GradientTape() as tape:
            loss = objective.code_error(network(images, training=True), codes)
        variables = network.trainable_variables
        optimizer.update(tape.gradient(loss, [v.value for v in variables]), [variables])
        return loss

    numbers = track(range(steps), label="learning to invert", unit="step")
    losses = [step(tf.constant(number)) for number in numbers]
    return float(np.mean(losses[-max(1, steps // 10) :])) if losses else math.nan


def refiner(
    decode: Callable, steps: int = REFINING_STEPS, rate: float = REFINING_RATE, unit: bool = True
) -> Callable:
    """(images [B, S, S, C], codes [B, D]) -> codes that decode to images more like them.

    Plain gradient descent on the codes, as one graph.

    Args:
      decode: codes -> images in [-1, 1].
      steps: of the descent.
      rate: of it.
      unit: codes are brought back to length one after each step.
    """

    @tf.function(reduce_retracing=True, autograph=False)
    def refined(images, codes):
        def step(number, codes):
            with tf.GradientTape() as tape:
                tape.watch(codes)
                loss = tf.reduce_sum(objective.distances(images, decode(codes)))
            codes = codes - rate * tape.gradient(loss, codes)
            return number + 1, unit_norm(codes) if unit else codes

        return tf.while_loop(lambda number, _: number < steps, step, (0, codes))[1]

    return refined


def batches(count: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` that cover `count` items."""
    return (slice(start, start + size) for start in range(0, count, size))
