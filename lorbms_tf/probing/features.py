"""`--features`: the representations that are probed (thesis, section 4.3).

encoder                     codes of an encoder, [h, w, 192]: 3x3x192 at 96 px
encoder_before_bottleneck   what its last convolution reads: 3x3x656
discriminator               its penultimate maps: 6x6x336
alexnet:conv1 ... conv5     maps of a convolution after ReLU and batch norm: 4x4x256 for conv5
alexnet:fc7                 the last hidden dense layer: 4096
saved_model:DIR             any SavedModel that takes one image (`lorbms_tf.features.saved_model`)
"""

import math
import re
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from lorbms_tf.data.images import tf_to_float
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.units import units
from lorbms_tf.features import saved_model
from lorbms_tf.files import is_file
from lorbms_tf.networks import weights_files
from lorbms_tf.networks.alexnet import AlexNet
from lorbms_tf.networks.discriminator import Discriminator
from lorbms_tf.networks.encoder import Encoder
from lorbms_tf.probing.labelled import Images
from lorbms_tf.probing.settings import SAVED_MODEL, FeatureConfig
from lorbms_tf.progress import track
from lorbms_tf.training import run_directory

RANDOM = "random"
_CLASSES = {"encoder": Encoder, "discriminator": Discriminator, "alexnet": AlexNet}


class Features:
    """Images [B, S, S, 3] in [-1, 1] to features [B, D].

    Attributes:
      name: as in `--features`.
      weights: where the weights are from, in words.
      weights_hash: SHA-256 that tells them from others.
      network: the Keras model; None for a SavedModel.
      kind: what a weights file calls that network.
      dimension: D.
    """

    def __init__(self, name, weights, weights_hash, network, kind, forward: Callable, size: int):
        """`forward`: images and whether batch norm uses the batch's statistics -> maps.

        Raises UserError where images of `size` pixels cannot be read.
        """
        self.name, self.weights, self.weights_hash = name, weights, weights_hash
        self.network, self.kind, self._forward = network, kind, forward
        self._units: tuple[np.ndarray, np.ndarray] | None = None
        try:
            self.dimension = int(self(tf.zeros((1, size, size, 3))).shape[1])
        except ValueError as error:
            bold = re.search(r"\x1b\[1m(.*?)\x1b", str(error))  # Keras puts much around the reason
            reason = bold.group(1) if bold else error
            raise UserError(f"--image_size={size}: {reason}") from error
        self._initial = network.get_weights() if network else None

    def __call__(self, images, training: bool = False):
        maps = self._forward(images, training)
        plain = tf.reshape(maps, (-1, math.prod(maps.shape[1:])))
        return plain if self._units is None else (plain - self._units[0]) / self._units[1]

    def standardize(self, features: np.ndarray) -> np.ndarray:
        """From now on each feature has mean 0 and deviation 1 over what `features` [N, D] are of.

        One that is constant there is only shifted. Returns `features` brought to that.
        """
        mean, deviation = self._units = units(features)
        return (features - mean) / deviation

    def reset(self) -> None:
        """Gives the network the weights back that it began with."""
        if self.network:
            self.network.set_weights(self._initial)


def make(config: FeatureConfig, seed: int, random: bool = False) -> Features:
    """The features that the flags name.

    Args:
      config: the flags.
      seed: of random weights.
      random: the network of the same sizes with random weights; for a SavedModel, whose weights
        cannot be drawn anew, the thesis's encoder.

    Raises UserError where the weights are missing or of another network, or images of that size
    cannot be read.
    """
    name = config.features
    if name.startswith(SAVED_MODEL):
        if not random:
            return _saved_model(config)
        name = "encoder"
    kind, _, layer = name.partition(":")
    kind = kind.removesuffix("_before_bottleneck")
    network, weights = _network(config, kind, layer)
    if random or not weights:
        network, weights = type(network)(**{**network.settings, "seed": seed}), RANDOM
    network.trainable = True  # a moving average was not
    digest = weights_files.hash_weights(network)
    forward = _forward(network, name, layer)
    return Features(name, weights, digest, network, kind, forward, config.image_size)


def compute(
    features: Features, images: Images, batch_size: int, label: str, prepare: Callable | None = None
) -> np.ndarray:
    """Features float32 [N, D] of N images.

    Args:
      features: which.
      images: the images, which are read in blocks of `batch_size`.
      batch_size: see there.
      label: what is done, for the progress.
      prepare: (uint8 [B, S, S, 3], number of the block) to [B, S, S, 3] in [-1, 1], as a graph;
        None: the images as they are.

    Raises UserError where a feature is not finite.
    """

    @tf.function(reduce_retracing=True)
    def run(pixels, number):
        return features(prepare(pixels, number) if prepare else tf_to_float(pixels))

    made = np.empty((len(images), features.dimension), np.float32)
    starts = range(0, len(images), batch_size)
    for number, start in enumerate(track(starts, label=label, unit="step")):
        places = np.arange(start, min(start + batch_size, len(images)))
        made[places] = run(tf.constant(images.take(places)), tf.constant(number))
        if not np.isfinite(made[places]).all():
            raise UserError(
                f"--features={features.name} ({features.weights}): the features of images "
                f"{places[0]} to {places[-1]} are not all finite"
            )
    return made


def _network(config: FeatureConfig, kind: str, layer: str) -> tuple[keras.Model, str]:
    """The network with its trained weights and where they are from; "" where there are none."""
    if config.run_dir:
        model, _ = run_directory.load_model(config.run_dir, config.checkpoint)
        step = run_directory.checkpoint_step(config.run_dir, config.checkpoint)
        network = model.generator[0] if kind == "encoder" else model.discriminator
        return network, f"{config.run_dir}, step {step}"
    sizes = {"image_size": config.image_size, "channels": 3, "layout": "standard", "outputs": 0}
    settings = sizes if kind == "alexnet" else {}
    if config.weights:
        settings = _settings_of(config.weights, kind)
    if layer.startswith("conv"):  # the dense layers would fix the size of the images
        settings = {**settings, "image_size": config.image_size, "dense_widths": (), "outputs": 0}
    try:
        network = _CLASSES[kind](**settings)
    except (TypeError, ValueError) as error:
        raise UserError(f"--features={config.features}: {error}") from error
    if not config.weights:
        return network, ""
    weights_files.load(network, config.weights, f"an {kind} of its settings")
    return network, config.weights


def _settings_of(path: str, kind: str) -> dict:
    if not is_file(path):
        raise UserError(f"--weights: there is no file {path}")
    try:
        return weights_files.read_settings(path, kind)
    except ValueError as error:
        raise UserError(
            f"--weights: {path} does not hold the weights of the network {kind}, as written by "
            f"--save_network or lorbms_tf.knowledge_transfer: {error}"
        ) from error


def _forward(network: keras.Model, name: str, layer: str) -> Callable:
    if layer.startswith("conv"):
        number = int(layer.removeprefix("conv"))
        return lambda images, training: network.maps(images, number, training)
    if layer:
        return lambda images, training: network.features(images, layer, training)
    if name == "encoder":
        return lambda images, training: network(images, training=training)
    return lambda images, training: network.features(images)


def _saved_model(config: FeatureConfig) -> Features:
    name, size = config.features, config.image_size
    signature = saved_model.ImageSignature(name)
    if signature.side not in (None, size):
        side = signature.side
        raise UserError(f"--features={name} reads images of {side} px: pass --image_size={side}")
    dimension = signature.dimension(size)

    def forward(images, training):
        return tf.ensure_shape(signature(images), (None, dimension))

    digest = signature.weights_hash
    return Features(name, "its own", digest, None, "saved_model", forward, size)
