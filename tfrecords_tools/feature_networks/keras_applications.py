"""`--features=keras:NAME` and `mobilenet_v2`: the networks that come with Keras.

All are averaged over all places after the last convolution and scaled to length 1.
"""

import keras

from lorbms_tf.errors import UserError
from lorbms_tf.files import sha256_file
from lorbms_tf.networks import applications, weights_files
from tfrecords_tools.feature_networks import base

IMAGENET = "imagenet"  # what --weights says instead of a file
SMALLEST = 32  # pixels; some networks ask for more, and say so themselves


def check(name: str) -> str:
    """The network's name out of "keras:NAME". Raises UserError where there is no such network."""
    network = name.partition(":")[2]
    if network not in applications.names():
        valid = ", ".join(applications.names())
        raise UserError(f"--features={name}: no such network; valid names: {valid}")
    return network


def mobilenet_v2(name: str, weights: str, seed: int, input_size: int) -> base.FeatureNetwork:
    """MobileNetV2: D = 1280, reads quadrants of 128 px. As "keras:MobileNetV2" else."""
    return _build(name, "MobileNetV2", weights, seed, input_size or 128)


def application(name: str, weights: str, seed: int, input_size: int) -> base.FeatureNetwork:
    """A network of keras.applications by its name there; reads the size it was published for.

    Args:
      name: "keras:ResNet50", for example.
      weights: a file of the network's weights, with or without its classifier; "imagenet":
        the ImageNet weights that Keras downloads; "none": random weights from `seed`.
      seed: of random weights.
      input_size: pixels a side; 0: as published.
    """
    network = check(name)
    return _build(name, network, weights, seed, input_size or applications.published_size(network))


def _build(name: str, network: str, weights: str, seed: int, input_size: int):
    if input_size < SMALLEST:
        raise base.too_small(name, input_size, SMALLEST)
    function = applications.constructor(network)
    if weights == IMAGENET:
        model = _make(name, function, input_size, "imagenet")
    else:
        if weights == base.RANDOM:
            keras.utils.set_random_seed(seed)  # these networks take no seed of their own
        model = _make(name, function, input_size, None)
        if weights != base.RANDOM:
            _load_file(model, function, weights, name)
    preprocess = applications.preprocessing(network)

    def forward(images):
        pixels = (images + 1.0) * 127.5  # [B, S, S, 3], 0 to 255
        return base.unit_length(model(preprocess(pixels), training=False))  # [B, D]

    from_file = weights not in (IMAGENET, base.RANDOM)
    digest = sha256_file(weights) if from_file else base.hash_weights(model)
    return base.FeatureNetwork(name, forward, input_size, model.output_shape[-1], digest)


def _make(name: str, function, input_size: int, weights: str | None) -> keras.Model:
    """The network without its classifier: images [B, S, S, 3] -> [B, D]."""
    shape = (input_size, input_size, 3)
    try:
        return function(include_top=False, weights=weights, input_shape=shape, pooling="avg")
    except ValueError as error:  # the image is too small, or not of the published size
        raise UserError(f"{name} cannot read quadrants of {input_size} px: {error}") from error
    except Exception as error:
        # A failed download is a plain Exception of Keras, known only by its text.
        if "URL fetch failure" not in str(error):
            raise
        raise UserError(
            f"the ImageNet weights of {name} cannot be downloaded: pass a file of them by "
            f"--weights=FILE, or take --features=alexnet ({error})"
        ) from error


def _load_file(model: keras.Model, function, weights: str, name: str) -> None:
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
