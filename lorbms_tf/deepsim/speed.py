"""How many photos a second a training step takes; a plain step in PyTorch beside it, in turn."""

import functools
import importlib.util
from typing import Any

import numpy as np
import tensorflow as tf

from lorbms_tf.benchmarks import machine
from lorbms_tf.benchmarks.step_rates import step_rates
from lorbms_tf.deepsim.config import DeepsimConfig


def is_written_in_pytorch(config: DeepsimConfig) -> bool:
    """Whether `torch_step` knows this step: an inversion of SqueezeNet by all three losses."""
    return (
        config.mode == "inversion"
        and config.has_adversary
        and config.feature_weight > 0
        and not config.discriminator_features
        and config.precision == "float32"
        and {config.encoder, config.comparator} == {"squeezenet"}
    )


def measure(config: DeepsimConfig, model: Any, steps: int) -> dict[str, Any]:
    """The fields of the JSON line, by the fastest of `steps` steps each.

    PyTorch takes part where it is installed and knows the step. The steps take turns, so that a
    busy moment of the machine meets both.

    Args:
      config: of the training.
      model: a compiled `Deepsim` of it.
      steps: timed steps.
    """
    size = (config.batch_size, config.image_size, config.image_size, 3)
    images = np.random.default_rng(0).uniform(-1, 1, size).astype(np.float32)
    graph = tf.function(model.train_step, autograph=False)
    batch = {"image": tf.constant(images)}
    theirs = None
    if importlib.util.find_spec("torch") and is_written_in_pytorch(config):
        from lorbms_tf.deepsim import torch_step

        step = torch_step.step(model, config, machine.threads())
        theirs = functools.partial(step, images)
    rates = step_rates(config.batch_size, steps, lambda: graph(batch), theirs)
    sizes = {"batch_size": config.batch_size, "steps": steps}
    return {"benchmark": "deepsim", **rates, **sizes, **machine.described()}
