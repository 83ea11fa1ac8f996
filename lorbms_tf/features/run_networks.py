"""`--features=encoder:RUN_DIR` and `discriminator:RUN_DIR`: networks that this project trained.

RUN_DIR is what `--run_dir` of training was, or "pretrained:NAME". The latest checkpoint is taken.
"""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from lorbms_tf.errors import UserError
from lorbms_tf.features import quadrants
from lorbms_tf.features.network import FeatureNetwork, Outputs
from lorbms_tf.networks.weights_files import hash_weights
from lorbms_tf.training import run_directory


def part(model: Any, kind: str) -> keras.Model:
    """The "encoder" or the "discriminator" of a trained model."""
    return model.generator[0] if kind == "encoder" else model.discriminator


def encoder(name: str, weights: str, seed: int, side: int) -> FeatureNetwork:
    """The encoder of a run: all chunks of a quadrant, taken as a whole image: D = 4 C, or 9 C.

    Averaged weights are taken where the run keeps them (`--ema_decay`). A quadrant is read at the
    image size of the run.
    """
    model, side = _load(name, side)

    def forward(images, training):
        return Outputs(model.encode(images))  # codes [B, 2, 2, C], or of nine tiles

    dimension = math.prod(model.encode(np.zeros((1, side, side, 3), np.float32)).shape[1:])
    return _network(name, forward, side, dimension, part(model, "encoder"))


def discriminator(name: str, weights: str, seed: int, side: int) -> FeatureNetwork:
    """The discriminator of a run: its penultimate maps averaged to 2 x 2 cells, D = 4 C."""
    model, side = _load(name, side)
    network = part(model, "discriminator")

    def forward(images, training):
        return Outputs(quadrants.cells(network.features(images)))

    return _network(name, forward, side, 4 * network.settings["widths"][-1], network)


def _network(
    name: str, forward: Callable, side: int, dimension: int, network: keras.Model
) -> FeatureNetwork:
    digest, kind = hash_weights(network), name.partition(":")[0]
    return FeatureNetwork(
        name, forward, side, dimension, digest, "", network, kind, quadrants.READING
    )


def _load(name: str, side: int) -> tuple[Any, int]:
    """The model of a run and the size it reads. Raises UserError where there is none."""
    model, config = run_directory.load_model(name.partition(":")[2])
    if side not in (0, config.image_size):
        raise UserError(
            f"{name} reads images of {config.image_size} px: leave out --feature_size={side}"
        )
    return model, config.image_size
