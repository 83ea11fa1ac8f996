"""How fast a training step is on random batches in memory, and where its time goes."""

import statistics

import numpy as np
import tensorflow as tf

from lorbms_tf.benchmarks import machine
from lorbms_tf.lorbms.benchmarks import operations
from lorbms_tf.lorbms.config import ModelConfig
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.progress import track
from lorbms_tf.training import strategies


def random_batch(config: ModelConfig, batch_size: int) -> dict[str, tf.Tensor]:
    """A batch of noise whose distances lie around tau; the same at each call."""
    rng = np.random.default_rng(0)
    image = (config.image_size, config.image_size, 3)
    shapes = {"reference": (batch_size, *image), "candidates": (batch_size, 4, *image)}
    batch = {
        name: tf.constant(rng.uniform(-1, 1, shape), tf.float32) for name, shape in shapes.items()
    }
    distances = rng.uniform(0, 2 * config.tau, (batch_size, 4))
    return {**batch, "distances": tf.constant(distances, tf.float32)}


def _phases(model: Lorbms, batch: dict, steps: int, jit: bool | None) -> dict[str, float]:
    """Median seconds of one update in each phase, each phase a graph of its own."""

    def compiled(update):
        return tf.function(update, autograph=False, jit_compile=jit)

    def discriminator(scene):
        logs: dict = {}
        model._update_discriminator(scene, logs)
        return logs

    def classifier(scene):
        logs: dict = {}
        model._update_classifier(scene, logs)
        return logs

    machine.say("timing the generator's update by itself")
    generator = compiled(lambda b: model._update_generator(b, {}))
    scene = generator(batch)
    seconds = {"generator": _median(generator, batch, steps)}
    for update in (discriminator, classifier):
        machine.say(f"timing the {update.__name__}'s update by itself")
        function = compiled(update)
        function(scene)
        seconds[update.__name__] = _median(function, scene, steps)
    return seconds


def _median(function, argument, steps: int) -> float:
    return statistics.median(machine.seconds_of(function, argument) for _ in range(steps))


def measure(config, model: Lorbms, steps: int, matrix_side: int) -> dict:
    """The fields of the JSON line: rates, seconds by phase, operations, and the machine's share.

    Args:
      config: a `LorbmsConfig`; only sizes, batch_size, precision and jit are looked at.
      model: built from it and compiled.
      steps: whole iterations that are timed, after the first call.
      matrix_side: of the matrix product that measures the machine.
    """
    batch = random_batch(config, config.batch_size)
    machine.say("tracing the training step, and its first call")
    jit = strategies.compiles(config.jit, tf.distribute.get_strategy()) or None
    model.dynamic_shapes = not jit
    step = tf.function(model.train_step, autograph=False, jit_compile=jit)
    first = machine.seconds_of(step, batch)
    machine.say(f"{first:.1f} s; timing {steps} iterations")
    iterations = track(range(steps), label="timing", unit="iteration")
    seconds = [machine.seconds_of(step, batch) for _ in iterations]
    peak = machine.described()
    phases = _phases(model, batch, steps, jit)
    machine.say("timing a matrix product")
    rate = machine.matrix_rate(matrix_side)
    counted = operations.of_phases(model.networks, config.generator_updates, model.part_classifier)
    images_per_s = config.batch_size * steps / sum(seconds)
    return {
        "benchmark": "train_step",
        "images_per_s": images_per_s,
        "batch_size": config.batch_size,
        "image_size": config.image_size,
        "precision": config.precision,
        "jit": bool(jit),
        "steps": steps,
        "seconds_per_step": {
            "median": statistics.median(seconds), "min": min(seconds), "max": max(seconds),
        },
        "seconds_per_update": phases,
        "updates_per_step": {
            "generator": config.generator_updates, "discriminator": 1, "classifier": 1,
        },
        "first_call_seconds": first,
        "multiply_adds_per_image": counted,
        "float32_matrix_flops": rate,
        "share_of_matrix_rate": 2.0 * counted["iteration"] * images_per_s / rate,
        **peak,
    }  # fmt: skip
