"""The names of feature networks: one table for each use, because each reads them in its own way.

Quadrants (`--features` of the candidate search; thesis, 3.4), short features of small pictures:

    alexnet                  own AlexNet, random weights or --weights=FILE
    deepcluster              DeepCluster's AlexNet (thesis), --weights=FILE or none (random)
    mobilenet_v2             MobileNetV2 at 128 px, ImageNet weights, --weights=FILE or none
    keras:NAME               any network of keras.applications, weights likewise
    saved_model:DIR          any SavedModel that takes one image
    encoder:RUN_DIR          an encoder that this project trained
    discriminator:RUN_DIR    its discriminator

Scores (`--extractor`), features and logits at the published size: inception_2015, mobilenet_v2,
resnet50, inception_v3, vgg16, efficientnet_b0.

Probes (`--features` of `lorbms_tf.probe`): whole layers, see `lorbms_tf.features.probed`.

A further network is a function that returns a `FeatureNetwork`, entered in `QUADRANTS` or `SCORES`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lorbms_tf.errors import UserError
from lorbms_tf.features import (
    alexnet,
    applications,
    deepcluster,
    inception,
    run_networks,
    saved_model,
    saved_model_network,
)
from lorbms_tf.features.applications import IMAGENET, RANDOM
from lorbms_tf.features.network import FeatureNetwork, Reading
from lorbms_tf.files import is_file
from lorbms_tf.training import run_directory

RESIZES = ("legacy", "antialias")  # of the scores, as published
_SCORE_BATCH = 32


class Kind(NamedTuple):
    """One entry of the registry.

    build: (name, weights, seed, side) as `quadrant_network` takes them -> FeatureNetwork; an empty
      --weights is its `default` there.
    argument: what follows the name and a colon ("RUN_DIR"); "" where nothing does.
    words: what --weights may say instead of a file; None where weights are not asked for.
    default: what an empty --weights stands for; "" where one must be given, lest a network that is
      published with weights be random unawares.
    source: how its weights files are made, for the message where none was given.
    check: finds out cheaply whether the argument can be used; raises UserError.
    """

    build: Callable[[str, str, int, int], FeatureNetwork]
    argument: str = ""
    words: tuple[str, ...] | None = (RANDOM,)
    default: str = ""
    source: str = ""
    check: Callable[[str], object] | None = None


_WORDS = (IMAGENET, RANDOM)


def _check_run(name: str) -> None:
    run_directory.read_config(name.partition(":")[2])


QUADRANTS: dict[str, Kind] = {
    "alexnet": Kind(alexnet.build, default=RANDOM),
    "deepcluster": Kind(
        deepcluster.build,
        source="python -m tfrecords_tools.convert_deepcluster or tfrecords_tools.deepcluster",
    ),
    "mobilenet_v2": Kind(applications.mobilenet_v2, words=_WORDS, default=IMAGENET),
    "keras": Kind(applications.application, "NAME", _WORDS, IMAGENET, check=applications.check),
    "saved_model": Kind(saved_model_network.quadrants, "DIR", None, check=saved_model.check),
    "encoder": Kind(run_networks.encoder, "RUN_DIR", None, check=_check_run),
    "discriminator": Kind(run_networks.discriminator, "RUN_DIR", None, check=_check_run),
}


def valid_names() -> str:
    """The valid values of --features, for messages and help."""
    return ", ".join(f"{k}:{v.argument}" if v.argument else k for k, v in QUADRANTS.items())


def check_quadrant_network(name: str, weights: str = "") -> Kind:
    """Finds out cheaply whether --features and --weights can be used; returns the kind.

    Raises UserError, naming the flag and the valid values, where they cannot.
    """
    kind, colon, argument = name.partition(":")
    if kind not in QUADRANTS or bool(argument) != bool(QUADRANTS[kind].argument):
        raise UserError(f"--features={name} is not valid; valid values: {valid_names()}")
    entry = QUADRANTS[kind]
    if weights and entry.words is None:
        raise UserError(f"--weights={weights}: {kind} has its weights already; leave it out")
    if weights and weights not in entry.words and not is_file(weights):
        words = " or ".join(entry.words)
        raise UserError(f"--weights: there is no file {weights}; valid: a file, {words}")
    if entry.words is not None and not weights and not entry.default:
        raise UserError(
            f"--features={name} needs --weights=FILE, made by {entry.source}; "
            f"--weights={RANDOM} takes random ones"
        )
    if entry.check:
        entry.check(name)
    return entry


def origin(name: str, weights: str = "", seed: int = 0) -> str:
    """Where the weights of a network come from, in words: "random (seed 0)", "file w.weights.h5".

    Args:
      name, weights, seed: as `quadrant_network` takes them; good ones.
    """
    entry = QUADRANTS[name.partition(":")[0]]
    weights = weights or entry.default
    if entry.words is None:
        return "its own"
    if weights == RANDOM:
        return f"random (seed {seed})"
    return "ImageNet" if weights == IMAGENET else f"file {Path(weights).name}"


def quadrant_network(name: str, weights: str = "", seed: int = 0, side: int = 0) -> FeatureNetwork:
    """A network that compares quadrants.

    Args:
      name: as in the table above.
      weights: weights file; "none": seeded random weights; "": the same for alexnet, and the
        ImageNet weights that Keras downloads ("imagenet") for the networks of Keras.
      seed: of random weights.
      side: pixels a side that quadrants are resized to; 0 means the network's own choice.

    Raises:
      UserError: the name is unknown, the weights file is missing, not given where the network
        needs one, or of another network, the weights cannot be downloaded, or the network cannot
        read so many pixels.
    """
    kind = check_quadrant_network(name, weights)
    network = kind.build(name, weights or kind.default, seed, side)
    network.weights = origin(name, weights, seed)
    return network


# By their names here, what keras.applications calls them.
SCORES = {
    inception.NAME: "",
    "mobilenet_v2": "MobileNetV2",
    "resnet50": "ResNet50",
    "inception_v3": "InceptionV3",
    "vgg16": "VGG16",
    "efficientnet_b0": "EfficientNetB0",
}


def check_score_network(name: str, weights: str) -> None:
    """Raises UserError where there is no such network of the scores, or no weights file."""
    if name not in SCORES:
        raise UserError(f"--extractor: no extractor {name!r}; valid names: {', '.join(SCORES)}")
    if not weights:
        what = "classify_image_graph_def.pb" if name == inception.NAME else f"the weights of {name}"
        raise UserError(f"--extractor={name} needs --extractor_weights=FILE: {what}")
    if not is_file(weights):
        raise UserError(f"--extractor_weights: there is no file {weights}")


def score_network(name: str, weights: str, resize: str = "legacy") -> FeatureNetwork:
    """A network whose features and logits the scores of scenes are made of.

    The scores carry its name, and `resize` is part of their protocol too, because it moves them by
    several points.

    Args:
      name: one of `SCORES`.
      weights: inception_2015: classify_image_graph_def.pb; else a weights file with the top.
      resize: "legacy" or "antialias", see `Reading`.

    Raises:
      UserError: the name or `resize` is unknown, or the file missing or of another network.
    """
    check_score_network(name, weights)
    if resize not in RESIZES:
        raise UserError(f"--resize={resize} is not valid; valid values: {', '.join(RESIZES)}")
    reading = Reading(resize, _SCORE_BATCH, dtype="float32")
    if name == inception.NAME:
        return inception.build(weights, reading)
    return applications.with_classifier(name, SCORES[name], weights, reading)
