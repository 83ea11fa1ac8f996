"""The networks that quadrants may be compared by; `--features` names one (thesis, 3.4).

    alexnet                  own AlexNet, random weights or --weights=FILE
    deepcluster              DeepCluster's AlexNet (thesis), --weights=FILE
    mobilenet_v2             MobileNetV2 at 128 px, ImageNet weights, --weights=FILE or none
    keras:NAME               any network of keras.applications, weights likewise
    saved_model:DIR          any SavedModel that takes one image
    encoder:RUN_DIR          an encoder that this project trained
    discriminator:RUN_DIR    its discriminator

A further network is a function that returns a `FeatureNetwork`, entered in `NETWORKS`.
"""

from collections.abc import Callable
from typing import NamedTuple

from lorbms_tf import run_directory
from lorbms_tf.errors import UserError
from lorbms_tf.files import is_file
from tfrecords_tools.feature_networks import (
    alexnet,
    deepcluster,
    keras_applications,
    run_networks,
    saved_model,
)
from tfrecords_tools.feature_networks.base import BATCH, FeatureNetwork

__all__ = ["BATCH", "NETWORKS", "FeatureNetwork", "Kind", "check", "extractor"]


class Kind(NamedTuple):
    """One entry of the registry.

    build: (name, weights, seed, input_size) as `extractor` takes them -> FeatureNetwork.
    argument: what follows the name and a colon ("RUN_DIR"); "" where nothing does.
    words: what --weights may say instead of a file; None where weights are not asked for.
    check: finds out cheaply whether the argument can be used; raises UserError.
    """

    build: Callable[[str, str, int, int], FeatureNetwork]
    argument: str = ""
    words: tuple[str, ...] | None = ()
    check: Callable[[str], object] | None = None


_WORDS = (keras_applications.IMAGENET, keras_applications.RANDOM)


def _check_run(name: str) -> None:
    run_directory.read_config(name.partition(":")[2])


NETWORKS: dict[str, Kind] = {
    "alexnet": Kind(alexnet.build),
    "deepcluster": Kind(deepcluster.build),
    "mobilenet_v2": Kind(keras_applications.mobilenet_v2, words=_WORDS),
    "keras": Kind(keras_applications.application, "NAME", _WORDS, keras_applications.check),
    "saved_model": Kind(saved_model.build, "DIR", None, saved_model.check),
    "encoder": Kind(run_networks.encoder, "RUN_DIR", None, _check_run),
    "discriminator": Kind(run_networks.discriminator, "RUN_DIR", None, _check_run),
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
        others = f"; {' and '.join(entry.words)} are valid too" if entry.words else ""
        raise UserError(f"--weights: there is no file {weights}{others}")
    if entry.check:
        entry.check(name)
    return entry


def extractor(name: str, weights: str = "", seed: int = 0, input_size: int = 0) -> FeatureNetwork:
    """The feature network `name`.

    Args:
      name: as in the table above.
      weights: weights file; "" means seeded random weights for alexnet and deepcluster, and the
        ImageNet weights that Keras downloads for the networks of Keras.
      seed: of random weights.
      input_size: pixels a side that quadrants are resized to; 0 means the network's own choice.

    Raises:
      UserError: the name is unknown, the weights file is missing or belongs to another network,
        the weights cannot be downloaded, or the network cannot read so many pixels.
    """
    return check(name, weights).build(name, weights, seed, input_size)
