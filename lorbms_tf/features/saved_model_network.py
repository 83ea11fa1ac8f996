"""A SavedModel as a feature network: of quadrants at its own size, or of whole images."""

import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.features.network import AS_THEY_ARE, FeatureNetwork, Outputs, Reading
from lorbms_tf.features.quadrants import READING
from lorbms_tf.features.saved_model import ImageSignature

_OWN = "its own"


def quadrants(name: str, weights: str, seed: int, side: int) -> FeatureNetwork:
    """The features that a signature of a SavedModel computes (see `ImageSignature`).

    Raises UserError as that does, or where it is not said how many pixels to give to a model that
    takes any number.
    """
    batch = READING.batch
    signature = ImageSignature(name, batch)
    side = _side(name, signature.side, side)
    return _network(name, signature, side, signature.dimension(side, batch), READING)


def whole(name: str, side: int) -> FeatureNetwork:
    """Features of images that have `side` pixels already.

    Raises UserError as `ImageSignature` does, or where the model reads another size.
    """
    signature = ImageSignature(name)
    if signature.side not in (None, side):
        raise UserError(
            f"--features={name} reads images of {signature.side} px: pass "
            f"--image_size={signature.side}"
        )
    return _network(name, signature, side, signature.dimension(side), AS_THEY_ARE)


def _network(
    name: str, signature: ImageSignature, side: int, dimension: int, reading: Reading
) -> FeatureNetwork:
    batch = reading.batch if reading.padded else None

    def forward(images, training):
        return Outputs(tf.ensure_shape(signature(images), (batch, dimension)))

    digest, kind = signature.weights_hash, "saved_model"
    return FeatureNetwork(name, forward, side, dimension, digest, _OWN, kind=kind, reading=reading)


def _side(name: str, fixed: int | None, wanted: int) -> int:
    if fixed is None and not wanted:
        raise UserError(
            f"--features={name} takes images of any size: say which by --feature_size=PIXELS"
        )
    if None not in (fixed, wanted or None) and fixed != wanted:
        raise UserError(
            f"--features={name} reads images of {fixed} px: leave out --feature_size={wanted}"
        )
    return fixed or wanted
