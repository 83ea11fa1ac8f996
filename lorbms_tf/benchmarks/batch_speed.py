"""How many references a second the input of any method gives, and what training waits for it."""

import time
from typing import Any

import tensorflow as tf

from lorbms_tf.benchmarks import machine
from lorbms_tf.benchmarks.input_speed import waiting_share
from lorbms_tf.training.method import Data, Share, Trainable

_WARM_UP_BATCHES = 5


def measure(
    config: Any, data: Data, model: Trainable, steps: int, seconds: float
) -> dict[str, Any]:
    """The fields of the JSON line.

    Args:
      config: of the training.
      data: what it learns from.
      model: built from it and compiled; its training steps are what input is waited for.
      steps: training steps over which the wait is measured.
      seconds: over which batches are read, at least one.

    Raises UserError for data that are missing or cannot be read.
    """
    machine.say("reading batches")
    batches = iter(data.checked(data.training(0, Share())))
    for _ in range(_WARM_UP_BATCHES):
        next(batches)
    start, count = time.perf_counter(), 0
    while not count or time.perf_counter() - start < seconds:
        next(batches)
        count += 1
    rate = count * config.batch_size / (time.perf_counter() - start)
    machine.say(f"{rate:.0f} references a second; waiting for input in training")
    step = tf.function(getattr(model, model.phase(1)), autograph=False)
    return {
        "benchmark": "input",
        "references_per_s": rate,
        "share_of_step_waiting": waiting_share(batches, step, steps),
        "batch_size": config.batch_size,
        "steps": steps,
        **machine.described(),
    }
