"""`--features=saved_model:DIR`: any TensorFlow SavedModel that takes one image."""

import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.features.saved_model import ImageSignature, check
from tfrecords_tools.feature_networks import base

__all__ = ["build", "check"]


def build(name: str, weights: str, seed: int, input_size: int) -> base.FeatureNetwork:
    """The features that a signature of a SavedModel computes (see `ImageSignature`).

    Raises UserError as that does, or where it is not said how many pixels to give to a model that
    takes any number.
    """
    signature = ImageSignature(name, base.BATCH)
    size = _input_size(name, signature.side, input_size)
    dimension = signature.dimension(size, base.BATCH)

    def forward(images):
        return tf.ensure_shape(signature(images), (base.BATCH, dimension))

    return base.FeatureNetwork(name, forward, size, dimension, signature.weights_hash)


def _input_size(name: str, fixed: int | None, wanted: int) -> int:
    if fixed is None and not wanted:
        raise UserError(
            f"--features={name} takes images of any size: say which by --feature_size=PIXELS"
        )
    if None not in (fixed, wanted or None) and fixed != wanted:
        raise UserError(
            f"--features={name} reads images of {fixed} px: leave out --feature_size={wanted}"
        )
    return fixed or wanted
