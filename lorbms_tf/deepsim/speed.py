"""How many photos a second a training step takes; a plain step in PyTorch beside it, in turn."""

import importlib.util
from typing import Any

import numpy as np
import tensorflow as tf

from lorbms_tf import progress
from lorbms_tf.benchmarks import machine
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
    forms = {"ours": lambda: machine.wait_for(graph({"image": tf.constant(images)}))}
    if importlib.util.find_spec("torch") and is_written_in_pytorch(config):
        from lorbms_tf.deepsim import torch_step

        theirs = torch_step.step(model, config, machine.threads())
        forms["pytorch"] = lambda: float(theirs(images))
    seconds: dict[str, float] = {}
    for number in range(steps + 1):  # the first one, which makes graphs, does not count
        for name, form in forms.items():
            progress.say(f"step {number} of {steps}: {name}")
            taken = machine.seconds_of(form)
            if number:
                seconds[name] = min(taken, seconds.get(name, np.inf))
    found = {"benchmark": "deepsim", "images_per_s": config.batch_size / seconds["ours"]}
    if "pytorch" in seconds:
        found["images_per_s_pytorch"] = config.batch_size / seconds["pytorch"]
        found["times_pytorch"] = seconds["pytorch"] / seconds["ours"]
    return {**found, "batch_size": config.batch_size, "steps": steps, **machine.described()}
