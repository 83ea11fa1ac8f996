"""The networks of keras.applications, with published or other weights."""

from collections.abc import Callable
from pathlib import Path

import keras

from lorbms_tf.errors import UserError
from lorbms_tf.features import quadrants
from lorbms_tf.features.network import FeatureNetwork, Outputs, Reading
from lorbms_tf.files import sha256_file
from lorbms_tf.networks import applications, weights_files

IMAGENET, RANDOM = "imagenet", "none"  # what --weights says instead of a file
SMALLEST = 32  # pixels of a quadrant; some networks ask for more, and say so themselves


def check(name: str) -> str:
    """The network's name out of "keras:NAME". Raises UserError where there is no such network."""
    network = name.partition(":")[2]
    if network not in applications.names():
        valid = ", ".join(applications.names())
        raise UserError(f"--features={name}: no such network; valid names: {valid}")
    return network


def mobilenet_v2(name: str, weights: str, seed: int, side: int) -> FeatureNetwork:
    """MobileNetV2: D = 1280, reads quadrants of 128 px. As "keras:MobileNetV2" else."""
    return _of_quadrants(name, "MobileNetV2", weights, seed, side or 128)


def application(name: str, weights: str, seed: int, side: int) -> FeatureNetwork:
    """A network of keras.applications by its name there; reads the size it was published for.

    Its maps are averaged over all places after the last convolution and scaled to length 1.

    Args:
      name: "keras:ResNet50", for example.
      weights: a file of the network's weights, with or without its classifier; "imagenet":
        the ImageNet weights that Keras downloads; "none": random weights from `seed`.
      seed: of random weights.
      side: pixels a side; 0: as published.
    """
    network = check(name)
    return _of_quadrants(name, network, weights, seed, side or applications.published_size(network))


def _of_quadrants(name: str, network: str, weights: str, seed: int, side: int) -> FeatureNetwork:
    if side < SMALLEST:
        raise quadrants.too_small(name, side, SMALLEST)
    model = without_classifier(network, weights, name, side, "avg", seed, what="quadrants")
    preprocess = applications.preprocessing(network)

    def forward(images, training):
        pixels = (images + 1.0) * 127.5  # [B, S, S, 3], 0 to 255
        return Outputs(quadrants.unit_length(model(preprocess(pixels), training=training)))

    from_file = weights not in (IMAGENET, RANDOM)
    digest = sha256_file(weights) if from_file else weights_files.hash_weights(model)
    return FeatureNetwork(
        name, forward, side, model.output_shape[-1], digest, network=model,
        reading=quadrants.READING,
    )  # fmt: skip


def with_classifier(name: str, network: str, weights: str, reading: Reading) -> FeatureNetwork:
    """A network of keras.applications: features before its classifier, logits before softmax.

    Args:
      name: what it is called here.
      network: its name in keras.applications.
      weights: a file of its weights with the classifier.
      reading: how images come to the size that it was published for.

    Raises UserError where the file is of another network.
    """
    model = applications.constructor(network)(weights=None, classifier_activation=None)
    weights_files.load(model, weights, f"{name} with its classifier", flag="extractor_weights")
    side, preprocess = applications.published_size(network), applications.preprocessing(network)
    both = keras.Model(model.input, [model.layers[-2].output, model.output])

    def forward(images, training):
        return Outputs(*both(preprocess(images * 127.5 + 127.5), training=training))

    origin, digest = f"file {Path(weights).name}", sha256_file(weights)
    dimension = both.output_shape[0][-1]
    return FeatureNetwork(
        name, forward, side, dimension, digest, origin, network=model, reading=reading
    )


def without_classifier(
    network: str,
    weights: str,
    name: str,
    side: int | None = None,
    pooling: str | None = None,
    seed: int = 0,
    what: str = "images",
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
      what: what messages call the images.

    Raises UserError where the file is missing or of another network, the weights cannot be
    downloaded, or images of that size cannot be read.
    """
    function = applications.constructor(network)
    if weights == RANDOM:
        keras.utils.set_random_seed(seed)  # these networks take no seed of their own
    published = IMAGENET if weights == IMAGENET else None
    model = _model(function, name, side, pooling, published, what)
    if weights not in (IMAGENET, RANDOM):
        _load_file(model, function, weights, name)
    return model


def _model(
    function: Callable,
    name: str,
    side: int | None,
    pooling: str | None,
    weights: str | None,
    what: str,
) -> keras.Model:
    try:
        return function(
            include_top=False, weights=weights, input_shape=(side, side, 3), pooling=pooling
        )
    except ValueError as error:  # the image is too small, or not of the published size
        raise UserError(f"{name} cannot read {what} of {side or 'any'} px: {error}") from error
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
