"""The networks of keras.applications without their classifiers, with published or other weights."""

from collections.abc import Callable

import keras

from lorbms_tf.errors import UserError
from lorbms_tf.networks import applications, weights_files

IMAGENET, RANDOM = "imagenet", "none"  # what --weights says instead of a file


def without_classifier(
    network: str,
    weights: str,
    name: str,
    side: int | None = None,
    pooling: str | None = None,
    seed: int = 0,
) -> keras.Model:
    """A network of keras.applications: prepared images [B, S, S, 3] -> maps [B, h, w, C] or [B, C].

    Args:
      network: its name there, "ResNet50".
      weights: a file of its weights, with or without the classifier; "imagenet": those that Keras
        downloads; "none": random ones.
      name: what messages call it.
      side: S, pixels; None for any.
      pooling: None for maps, "avg" for their mean over all places.
      seed: of random weights.

    Raises UserError where the file is missing or of another network, the weights cannot be
    downloaded, or images of that size cannot be read.
    """
    function = applications.constructor(network)
    if weights == RANDOM:
        keras.utils.set_random_seed(seed)  # these networks take no seed of their own
    published = IMAGENET if weights == IMAGENET else None
    model = _model(function, name, side, pooling, published)
    if weights not in (IMAGENET, RANDOM):
        _load_file(model, function, weights, name)
    return model


def _model(
    function: Callable, name: str, side: int | None, pooling: str | None, weights: str | None
) -> keras.Model:
    try:
        return function(
            include_top=False, weights=weights, input_shape=(side, side, 3), pooling=pooling
        )
    except ValueError as error:  # the image is too small, or not of the published size
        raise UserError(f"{name} cannot read images of {side or 'any'} px: {error}") from error
    except Exception as error:
        # A failed download is a plain Exception of Keras, known only by its text.
        if "URL fetch failure" not in str(error):
            raise
        raise UserError(
            f"the ImageNet weights of {name} cannot be downloaded: pass a file of them by "
            f"--weights=FILE, or --weights={RANDOM} ({error})"
        ) from error


def _load_file(model: keras.Model, function: Callable, weights: str, name: str) -> None:
    """Loads a file with or without the classifier. Raises UserError where it is neither."""
    try:
        weights_files.load(model, weights, name)
        return
    except UserError as error:
        without_top = error
    # Older files are read by the number of layers, so one with a classifier needs the whole.
    full = function(include_top=True, weights=None, classes=1000)
    try:
        weights_files.load(full, weights, name)
    except UserError:
        raise without_top from None
    kept = full.get_weights()[: len(model.weights)]
    if [value.shape for value in kept] != [value.shape for value in model.get_weights()]:
        raise without_top
    model.set_weights(kept)
