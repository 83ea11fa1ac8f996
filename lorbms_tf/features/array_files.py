"""Weights as arrays by name: "conv1_1/kernel" [k, k, C, filters] and "conv1_1/bias" [filters].

Read from NumPy's .npz files, in which many published networks are handed on, freed of the framework
that trained them; or from Caffe's .caffemodel files (`caffe_files`).
"""

import re
from collections.abc import Iterable, Mapping

import keras
import numpy as np

from lorbms_tf.errors import UserError
from lorbms_tf.features import caffe_files
from lorbms_tf.files import DAMAGED

SUFFIXES = (".npz", caffe_files.SUFFIX)


def read(path: str, network: str, flag: str = "weights") -> dict[str, np.ndarray]:
    """The arrays of a file by name; `network` is what messages call the network, given by `flag`.

    Raises UserError where the file is missing, damaged or neither an .npz nor a .caffemodel file.
    """
    if path.endswith(caffe_files.SUFFIX):
        return caffe_files.arrays(path, network, flag)
    try:
        with np.load(path) as stored:
            return {name: stored[name] for name in stored}
    except DAMAGED as error:
        raise UserError(
            f"--{flag}: {path} does not hold the weights of {network}: {error}"
        ) from error


def with_places_first(
    arrays: Mapping[str, np.ndarray], layer: str, channels: int
) -> dict[str, np.ndarray]:
    """The arrays, with the rows of a dense layer behind maps, [C h w, out], as [h w C, out].

    Caffe and PyTorch flatten maps channel by channel, we place by place. What has no such layer, or
    rows of other maps, stays as it is: `assign` says what is wrong with its shape.
    """
    name = f"{layer}/kernel"
    kernel = arrays.get(name)
    if kernel is None or kernel.ndim != 2 or len(kernel) % channels:
        return dict(arrays)
    by_place = kernel.reshape(channels, -1, kernel.shape[-1]).swapaxes(0, 1)
    return {**arrays, name: by_place.reshape(kernel.shape)}


def below(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names begin with the prefix, without it; all where none does."""
    inside = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    return inside or dict(arrays)


def layers(arrays: Mapping[str, np.ndarray], pattern: str) -> list[str]:
    """Names of the layers whose kernels the file holds and that match a pattern, in its order."""
    names = (name.removesuffix("/kernel") for name in arrays if name.endswith("/kernel"))
    return [name for name in names if re.fullmatch(pattern, name)]


def assign(
    convs: Iterable[tuple[str, keras.layers.Layer]],
    arrays: Mapping[str, np.ndarray],
    path: str,
    network: str,
) -> None:
    """Gives convolutions and dense layers, by name, the kernels and biases of a file.

    Raises UserError, naming the file and the array, where one is missing or has another shape.
    """
    for name, conv in convs:
        for part, variable in (("kernel", conv.kernel), ("bias", conv.bias)):
            value = arrays.get(f"{name}/{part}")
            if value is None or tuple(value.shape) != tuple(variable.shape):
                held = "is missing" if value is None else f"has the shape {list(value.shape)}"
                raise UserError(
                    f"--weights: {path} does not hold the weights of {network}: {name}/{part} "
                    f"{held}, wanted {list(variable.shape)}"
                )
            variable.assign(value)
