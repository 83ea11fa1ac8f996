"""How long the value and the gradient of distances take, by name; PyTorch's beside them.

Networks have random weights, which take the same time. Where PyTorch is installed, plain forms of
the same distances in it are measured in turn with ours.
"""

import importlib.util
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from lorbms_tf import progress
from lorbms_tf.benchmarks import machine
from lorbms_tf.distances.distance_config import TO_CONV2_2, DistanceConfig
from lorbms_tf.features import named_distances

SIDES = (64, 128)  # pixels
BATCH = 8


def measure(names: Sequence[str], calls: int) -> dict:
    """The fields of the JSON line: seconds of the fastest of `calls` calls, by name and side.

    Distances take turns, so that a busy moment of the machine meets all of them.
    """
    config = DistanceConfig(
        vgg16_weights="none",
        vgg19_weights="none",
        squeezenet_weights="none",
        alexnet_weights="none",
    )
    forms = {name: _gradient(named_distances.make(name, config)) for name in names}
    libraries = {"seconds": forms}
    if importlib.util.find_spec("torch"):
        from lorbms_tf.benchmarks import torch_distances

        libraries["seconds_pytorch"] = torch_distances.forms(names, config, machine.threads())
    found = {library: {name: {} for name in functions} for library, functions in libraries.items()}
    for side in SIDES:
        for library, seconds in _in_turn(libraries, side, calls).items():
            for name, value in seconds.items():
                found[library][name][f"{side}px"] = value
    return {"batch_size": BATCH, **found, **_ratios(found), **machine.described()}


def _gradient(distance: Callable) -> Callable:
    """Pictures -> the distance of a batch, and its gradient by the first pictures."""

    @tf.function(autograph=False)
    def graph(images: tf.Tensor, others: tf.Tensor, draw: tf.Tensor) -> tuple:
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(distance(images, others, draw))
        return total, tape.gradient(total, images)

    return lambda images, others, draw: machine.wait_for(
        graph(tf.constant(images), tf.constant(others), tf.constant(draw))
    )


def _in_turn(libraries: dict, side: int, calls: int) -> dict:
    random = np.random.default_rng(side)
    images, others = random.uniform(-1, 1, (2, BATCH, side, side, 3)).astype(np.float32)
    found = {library: {} for library in libraries}
    for call in range(calls + 1):  # the first one, which makes graphs, does not count
        for library, functions in libraries.items():
            for name, function in functions.items():
                progress.say(f"{side} px, call {call} of {calls}: {name} ({library})")
                seconds = machine.seconds_of(function, images, others, call)
                if call:
                    found[library][name] = min(seconds, found[library].get(name, np.inf))
    return found


def _ratios(found: dict) -> dict:
    """Ours to PyTorch's, and patch MMD to VGG-16 to conv2_2, where both were measured."""
    ratios = {}
    ours, theirs = found["seconds"], found.get("seconds_pytorch", {})
    if theirs:
        ratios["times_pytorch"] = {
            name: {side: ours[name][side] / value for side, value in sides.items()}
            for name, sides in theirs.items()
        }
    if {"mmd", TO_CONV2_2} <= set(ours):
        vgg = ours[TO_CONV2_2]
        ratios["mmd_times_vgg16_to_conv2_2"] = {
            side: value / vgg[side] for side, value in ours["mmd"].items()
        }
    return ratios
