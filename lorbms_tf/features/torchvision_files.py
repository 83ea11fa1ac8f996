"""Weights of torchvision's networks: a state dict as an .npz file.

Where PyTorch is installed, this makes one:

    state = torchvision.models.vgg16(weights="DEFAULT").state_dict()
    numpy.savez("vgg16.npz", **{name: value.numpy() for name, value in state.items()})
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from keras import ops

from lorbms_tf.errors import UserError

_KERNEL = r"features\.(\d+)(?:\.(\w+))?\.weight"
_DENSE = r"classifier\.(\d+)\.weight"
_STEM = "features.0.weight"
_FIRE = ("squeeze", "expand1x1", "expand3x3")
# Mean and deviation of RGB of 0 to 1 over ImageNet, as torchvision's networks read it.
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def is_state_dict(arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether the arrays are those of such a network."""
    return _STEM in arrays


def prepare(images: Any) -> Any:
    """RGB [B, H, W, 3] in [-1, 1] -> less ImageNet's mean, in its deviations."""
    mean, deviation = (ops.convert_to_tensor(v, "float32") for v in (_MEAN, _DEVIATION))
    return ((images + 1.0) / 2.0 - mean) / deviation


def renamed(
    arrays: Mapping[str, np.ndarray], names: Sequence[str], path: str, network: str
) -> dict[str, np.ndarray]:
    """The arrays of all convolutions by their names here: "conv1_1/kernel" [k, k, C, filters].

    Args:
      arrays: the state dict.
      names: of the convolutions, in the order of the network.
      path: the file, and
      network: what messages call it.

    Raises UserError where there are more or fewer convolutions, or a bias is missing.
    """
    kernels = {
        name: (int(match[1]), _FIRE.index(match[2]) if match[2] in _FIRE else 0)
        for name in arrays
        if (match := re.fullmatch(_KERNEL, name))
    }
    held = sorted(kernels, key=kernels.get)
    if "classifier.1.weight" in arrays and arrays["classifier.1.weight"].ndim == 4:
        held.append("classifier.1.weight")  # SqueezeNet's last convolution
    if len(held) != len(names):
        raise UserError(
            f"--weights: {path} does not hold the weights of {network}: it has {len(held)} "
            f"convolutions, wanted {len(names)}"
        )
    found = {}
    for name, kernel in zip(names, held, strict=True):
        bias = f"{kernel.removesuffix('weight')}bias"
        if bias not in arrays or arrays[kernel].ndim != 4:
            raise UserError(
                f"--weights: {path} does not hold the weights of {network}: {kernel} is no "
                "convolution with a bias"
            )
        found[f"{name}/kernel"] = arrays[kernel].transpose(2, 3, 1, 0)
        found[f"{name}/bias"] = arrays[bias]
    return found


def dense(arrays: Mapping[str, np.ndarray], names: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays of a classifier's first dense layers by their names here, as many as there are.

    "fc6/kernel" [in, out], its rows channels before places, as PyTorch flattens maps.
    """
    held = [name for name in arrays if re.fullmatch(_DENSE, name) and arrays[name].ndim == 2]
    found = {}
    for name, kernel in zip(names, sorted(held, key=_number), strict=False):
        found[f"{name}/kernel"] = arrays[kernel].T
        bias = f"{kernel.removesuffix('weight')}bias"
        if bias in arrays:
            found[f"{name}/bias"] = arrays[bias]
    return found


def _number(name: str) -> int:
    return int(re.fullmatch(_DENSE, name)[1])
