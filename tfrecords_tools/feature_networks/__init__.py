"""The networks that quadrants may be compared by; `--features` names one (thesis, 3.4).

    alexnet                  own AlexNet, random weights or --weights=FILE
    deepcluster              DeepCluster's AlexNet (thesis), --weights=FILE or none (random)
    mobilenet_v2             MobileNetV2 at 128 px, ImageNet weights, --weights=FILE or none
    keras:NAME               any network of keras.applications, weights likewise
    saved_model:DIR          any SavedModel that takes one image
    encoder:RUN_DIR          an encoder that this project trained
    discriminator:RUN_DIR    its discriminator

A further network is a function that returns a `FeatureNetwork`, entered in `NETWORKS`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lorbms_tf.errors import UserError
from lorbms_tf.files import is_file
from lorbms_tf.training import run_directory
from tfrecords_tools.feature_networks import (
    alexnet,
    base,
    deepcluster,
    keras_applications,
    run_networks,
    saved_model,
)
from tfrecords_tools.feature_networks.base import BATCH, FeatureNetwork

__all__ = ["BATCH", "NETWORKS", "FeatureNetwork", "Kind", "check", "extractor", "origin"]


class Kind(NamedTuple):
    """One entry of the registry.

    build: (name, weights, seed, input_size) as `extractor` takes them -> FeatureNetwork; an empty
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
    words: tuple[str, ...] | None = (base.RANDOM,)
    default: str = ""
    source: str = ""
    check: Callable[[str], object] | None = None


_WORDS = (keras_applications.IMAGENET, base.RANDOM)


def _check_run(name: str) -> None:
    run_directory.read_config(name.partition(":")[2])


NETWORKS: dict[str, Kind] = {
    "alexnet": Kind(alexnet.build, default=base.RANDOM),
    "deepcluster": Kind(
        deepcluster.build,
        source="python -m tfrecords_tools.convert_deepcluster or tfrecords_tools.deepcluster",
    ),
    "mobilenet_v2": Kind(
        keras_applications.mobilenet_v2, words=_WORDS, default=keras_applications.IMAGENET
    ),
    "keras": Kind(
        keras_applications.application,
        "NAME",
        _WORDS,
        keras_applications.IMAGENET,
        check=keras_applications.check,
    ),
    "saved_model": Kind(saved_model.build, "DIR", None, check=saved_model.check),
    "encoder": Kind(run_networks.encoder, "RUN_DIR", None, check=_check_run),
    "discriminator": Kind(run_networks.discriminator, "RUN_DIR", None, check=_check_run),
}


def valid_names() -> str:
    """The valid values of --features, for messages and help."""
    return ", ".join(f"{k}:{v.argument}" if v.argument else k for k, v in NETWORKS.items())


def check(name: str, weights: str = "") -> Kind:
    """Finds out cheaply whether --features and --weights can be used; returns the kind.

    Raises UserError, naming the flag and the valid values, where they cannot.
    """
    kind, colon, argument = name.partition(":")
    if kind not in NETWORKS or bool(argument) != bool(NETWORKS[kind].argument):
        raise UserError(f"--features={name} is not valid; valid values: {valid_names()}")
    entry = NETWORKS[kind]
    if weights and entry.words is None:
        raise UserError(f"--weights={weights}: {kind} has its weights already; leave it out")
    if weights and weights not in entry.words and not is_file(weights):
        words = " or ".join(entry.words)
        raise UserError(f"--weights: there is no file {weights}; valid: a file, {words}")
    if entry.words is not None and not weights and not entry.default:
        raise UserError(
            f"--features={name} needs --weights=FILE, made by {entry.source}; "
            f"--weights={base.RANDOM} takes random ones"
        )
    if entry.check:
        entry.check(name)
    return entry


def origin(name: str, weights: str = "", seed: int = 0) -> str:
    """Where the weights of a network come from, in words: "random (seed 0)", "file w.weights.h5".

    Args:
      name, weights, seed: as `extractor` takes them; good ones.
    """
    entry = NETWORKS[name.partition(":")[0]]
    weights = weights or entry.default
    if entry.words is None:
        return "its own"
    if weights == base.RANDOM:
        return f"random (seed {seed})"
    return "ImageNet" if weights == keras_applications.IMAGENET else f"file {Path(weights).name}"


def extractor(name: str, weights: str = "", seed: int = 0, input_size: int = 0) -> FeatureNetwork:
    """The feature network `name`.

    Args:
      name: as in the table above.
      weights: weights file; "none": seeded random weights; "": the same for alexnet, and the
        ImageNet weights that Keras downloads ("imagenet") for the networks of Keras.
      seed: of random weights.
      input_size: pixels a side that quadrants are resized to; 0 means the network's own choice.

    Raises:
      UserError: the name is unknown, the weights file is missing, not given where the network
        needs one, or of another network, the weights cannot be downloaded, or the network cannot
        read so many pixels.
    """
    kind = check(name, weights)
    return kind.build(name, weights or kind.default, seed, input_size)
