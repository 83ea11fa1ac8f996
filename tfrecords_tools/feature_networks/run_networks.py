"""`--features=encoder:RUN_DIR` and `discriminator:RUN_DIR`: networks that this project trained.

RUN_DIR is what `--run_dir` of training was, or "pretrained:NAME". The latest checkpoint is taken.
"""

import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.training import run_directory
from tfrecords_tools.feature_networks import base


def encoder(name: str, weights: str, seed: int, input_size: int) -> base.FeatureNetwork:
    """The encoder of a run: the four chunks of a quadrant, taken as a whole image, D = 4 C.

    Averaged weights are taken where the run keeps them (`--ema_decay`). A quadrant is read at the
    image size of the run.
    """
    model, input_size = _load(name, input_size)

    def forward(images):
        codes = model.encode(images)  # [B, 2, 2, C]
        return tf.reshape(codes, (-1, dimension))

    dimension = 4 * model.config.chunk_size
    digest = base.hash_weights(model.generator[0])
    return base.FeatureNetwork(name, forward, input_size, dimension, digest)


def discriminator(name: str, weights: str, seed: int, input_size: int) -> base.FeatureNetwork:
    """The discriminator of a run: its penultimate maps averaged to 2 x 2 cells, D = 4 C."""
    model, input_size = _load(name, input_size)
    network = model.discriminator

    def forward(images):
        return base.cells(network.features(images))

    dimension = 4 * network.settings["widths"][-1]
    digest = base.hash_weights(network)
    return base.FeatureNetwork(name, forward, input_size, dimension, digest)


def _load(name: str, input_size: int):
    """The model of a run and the size it reads. Raises UserError where there is none."""
    model, config = run_directory.load_model(name.partition(":")[2])
    if input_size not in (0, config.image_size):
        raise UserError(
            f"{name} reads images of {config.image_size} px: leave out --feature_size={input_size}"
        )
    return model, config.image_size
