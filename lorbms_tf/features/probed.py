"""`--features`: the representations that are probed (thesis, section 4.3).

encoder                     codes of an encoder, [h, w, 192]: 3x3x192 at 96 px
encoder_before_bottleneck   what its last convolution reads: 3x3x656
discriminator               its penultimate maps: 6x6x336
alexnet:conv1 ... conv5     maps of a convolution after ReLU and batch norm: 4x4x256 for conv5
alexnet:fc7                 the last hidden dense layer: 4096
deepcluster:conv1 ... fc7   the same of DeepCluster's AlexNet; its fc7 is before ReLU
saved_model:DIR             any SavedModel that takes one image (`lorbms_tf.features.saved_model`)
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.features import run_networks, saved_model_network
from lorbms_tf.features.names import SAVED_MODEL
from lorbms_tf.features.network import FeatureNetwork, Outputs
from lorbms_tf.files import is_file
from lorbms_tf.networks import weights_files
from lorbms_tf.networks.alexnet import AlexNet
from lorbms_tf.networks.deepcluster import DeepClusterAlexNet
from lorbms_tf.networks.discriminator import Discriminator
from lorbms_tf.networks.encoder import Encoder
from lorbms_tf.training import run_directory

RANDOM = "random"
_CLASSES = {
    "encoder": Encoder,
    "discriminator": Discriminator,
    "alexnet": AlexNet,
    "deepcluster": DeepClusterAlexNet,
}


class Source(NamedTuple):
    """Which weights of which size: of a run, or of a file; random ones with neither."""

    image_size: int
    run_dir: str = ""
    checkpoint: str = "latest"
    weights: str = ""


def build(name: str, source: Source, seed: int, random: bool = False) -> FeatureNetwork:
    """A network whose layer is probed; its images have their size already.

    Args:
      name: one of `names.PROBED`, or saved_model:DIR.
      source: its weights, and pixels a side of the images.
      seed: of random weights.
      random: the network of the same sizes with random weights; for a SavedModel, whose weights
        cannot be drawn anew, the thesis's encoder.

    Raises UserError where the weights are missing or of another network, or images of that size
    cannot be read.
    """
    if name.startswith(SAVED_MODEL):
        if not random:
            return saved_model_network.whole(name, source.image_size)
        name = "encoder"
    kind, _, layer = name.partition(":")
    kind = kind.removesuffix("_before_bottleneck")
    network, weights = _network(name, source, kind, layer)
    if random or not weights:
        network, weights = type(network)(**{**network.settings, "seed": seed}), RANDOM
    network.trainable = True  # a moving average was not
    digest = weights_files.hash_weights(network)
    forward = _forward(network, name, layer)
    dimension = _dimension(forward, source.image_size)
    return FeatureNetwork(
        name,
        lambda images, training: Outputs(forward(images, training)),
        None,
        dimension,
        digest,
        weights,
        network,
        kind,
    )


def _dimension(forward: Callable[[Any, bool], Any], size: int) -> int:
    """Numbers that a network makes of an image. UserError where it cannot read that size."""
    try:
        return int(tf.size(forward(tf.zeros((1, size, size, 3)), False)))
    except ValueError as error:
        bold = re.search(r"\x1b\[1m(.*?)\x1b", str(error))  # Keras puts much around the reason
        reason = bold.group(1) if bold else error
        raise UserError(f"--image_size={size}: {reason}") from error


def _network(name: str, source: Source, kind: str, layer: str) -> tuple[keras.Model, str]:
    """The network with its trained weights and where they are from; "" where there are none."""
    if source.run_dir:
        model, _ = run_directory.load_model(source.run_dir, source.checkpoint)
        step = run_directory.checkpoint_step(source.run_dir, source.checkpoint)
        return run_networks.part(model, kind), f"{source.run_dir}, step {step}"
    settings = _usual_settings(kind, source.image_size)
    if source.weights:
        settings = _settings_of(source.weights, kind)
    if kind == "alexnet" and layer.startswith("conv"):  # its dense layers would fix the size
        settings = {**settings, "image_size": source.image_size, "dense_widths": (), "outputs": 0}
    try:
        network = _CLASSES[kind](**settings)
    except (TypeError, ValueError) as error:
        raise UserError(f"--features={name}: {error}") from error
    if not source.weights:
        return network, ""
    weights_files.load(network, source.weights, f"an {kind} of its settings")
    return network, source.weights


def _usual_settings(kind: str, image_size: int) -> dict:
    """The sizes of a network without a weights file, as published."""
    if kind == "alexnet":
        return {"image_size": image_size, "channels": 3, "layout": "standard", "outputs": 0}
    return {"image_size": image_size} if kind == "deepcluster" else {}


def _settings_of(path: str, kind: str) -> dict:
    if not is_file(path):
        raise UserError(f"--weights: there is no file {path}")
    try:
        return weights_files.read_settings(path, kind)
    except ValueError as error:
        raise UserError(
            f"--weights: {path} does not hold the weights of the network {kind}, as written by "
            f"--save_network, lorbms_tf.knowledge_transfer or, for deepcluster, "
            f"tfrecords_tools.deepcluster: {error}"
        ) from error


def _forward(network: keras.Model, name: str, layer: str) -> Callable:
    if layer.startswith("conv"):
        number = int(layer.removeprefix("conv"))
        return lambda images, training: network.maps(images, number, training)
    if name == "deepcluster:fc7":
        return network.features
    if layer:
        return lambda images, training: network.features(images, layer, training)
    if name == "encoder":
        return lambda images, training: network(images, training=training)
    return lambda images, training: network.features(images)
