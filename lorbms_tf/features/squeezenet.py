"""SqueezeNet with published weights, from a file of arrays (`lorbms_tf.features.array_files`).

The names are those of Caffe's layers: "conv1/kernel", "fire2/squeeze1x1/bias", "conv10/kernel". Or
it is a state dict of torchvision (`lorbms_tf.features.torchvision_files`), prepared its own way.
"""

import functools
from collections.abc import Callable

from lorbms_tf.errors import UserError
from lorbms_tf.features import array_files, torchvision_files
from lorbms_tf.features.applications import RANDOM
from lorbms_tf.features.vgg import caffe_pixels
from lorbms_tf.networks.squeezenet import LAYOUTS, SqueezeNet

MEAN_BGR = (104.0, 117.0, 123.0)  # of 0 to 255, as Caffe's SqueezeNet subtracts it
_PARTS = ("squeeze1x1", "expand1x1", "expand3x3")
_FIRES = [f"fire{number}/{part}" for number in range(2, 10) for part in _PARTS]
_NAMES = ["conv1", *_FIRES, "conv10"]  # all convolutions in the order of the network
prepare = functools.partial(caffe_pixels, mean=MEAN_BGR)


def build(weights: str, seed: int) -> tuple[SqueezeNet, Callable]:
    """The network, and the function that prepares images in [-1, 1] for it.

    Args:
      weights: a file of arrays, or "none" for random ones in version 1.0.
      seed: of random weights.

    Raises UserError where the file is missing, damaged or of another network.
    """
    if weights == RANDOM:
        return SqueezeNet(seed=seed), prepare
    arrays = array_files.read(weights, "SqueezeNet")
    of_torchvision = torchvision_files.is_state_dict(arrays)
    if of_torchvision:
        arrays = torchvision_files.renamed(arrays, _NAMES, weights, "SqueezeNet")
    stem = arrays.get("conv1/kernel")
    sizes = {(kernel, width): version for version, ((width, kernel), _) in LAYOUTS.items()}
    version = sizes.get((stem.shape[0], stem.shape[-1])) if stem is not None else None
    if version is None:
        raise UserError(
            f"--weights: {weights} does not hold the weights of SqueezeNet "
            f"{' or '.join(LAYOUTS)}: it has no conv1/kernel of their shapes"
        )
    network = SqueezeNet(version)
    array_files.assign(convolutions(network), arrays, weights, f"SqueezeNet {version}")
    return network, torchvision_files.prepare if of_torchvision else prepare


def convolutions(network: SqueezeNet) -> list:
    """All convolutions of a network, as (name in the file, layer)."""
    convs = [("conv1", network.conv1), ("conv10", network.conv10)]
    for number, fire in enumerate(network.fires, start=2):
        convs += [(f"fire{number}/{part}", getattr(fire, part)) for part in _PARTS]
    return convs
