"""Images a second of a training step on noise in memory; a plain PyTorch step's beside it.

Where PyTorch is installed, the same networks learn the same in it, in turn with ours, so that a
busy moment of the machine meets both.
"""

import importlib.util

import numpy as np
import tensorflow as tf

from lorbms_tf.augint.config import AugintConfig
from lorbms_tf.benchmarks import machine
from lorbms_tf.benchmarks.step_rates import step_rates
from lorbms_tf.training import strategies
from lorbms_tf.training.method import Trainable, parameter_rows


def measure(config: AugintConfig, model: Trainable, steps: int) -> dict:
    """The fields of the JSON line: images a second by the fastest of `steps` steps.

    Args:
      config: only sizes, objective, augmentation, batch_size and jit are looked at.
      model: built from it, its optimizers made.
      steps: that are timed, after the first call.
    """
    side = config.image_size
    shape = (config.batch_size, side, side, config.channels)
    images = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    theirs = None
    if importlib.util.find_spec("torch") and is_written_in_pytorch(config):
        from lorbms_tf.augint.benchmarks import torch_step

        theirs = torch_step.step(config, images, machine.threads())
    ours = _step(config, model, images)
    return {
        "benchmark": "train_step",
        **step_rates(config.batch_size, steps, ours, theirs),
        "batch_size": config.batch_size,
        "image_size": side,
        "objective": config.objective,
        "parameters": sum(count for _, count in parameter_rows(model)),
        "steps": steps,
        **machine.described(),
    }


def is_written_in_pytorch(config: AugintConfig) -> bool:
    """Whether `torch_step` knows this step: augint or ae by L1, batch norms, no adversary."""
    return (
        config.objective in ("augint", "ae")
        and not config.has_adversary
        and config.norm == "batch"
        and config.precision == "float32"
        and config.reconstruction_norm == 1
        and not config.clip_norm
    )


def _step(config: AugintConfig, model: Trainable, images: np.ndarray):
    jit = strategies.compiles(config.jit, tf.distribute.get_strategy()) or None
    graph = tf.function(getattr(model, model.phase(1)), autograph=False, jit_compile=jit)
    batch = {"image": tf.constant(images), "label": tf.zeros(len(images), tf.int64)}
    return lambda: graph(batch)
