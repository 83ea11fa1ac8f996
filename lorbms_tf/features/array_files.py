"""Weights in NumPy's .npz files: "conv1_1/kernel" [k, k, C, filters] and "conv1_1/bias" [filters].

Many published networks are handed on in this form, freed of the framework that trained them.
"""

import re
from collections.abc import Iterable, Mapping

import keras
import numpy as np

from lorbms_tf.errors import UserError
from lorbms_tf.files import DAMAGED

SUFFIX = ".npz"


def read(path: str, network: str, flag: str = "weights") -> dict[str, np.ndarray]:
    """The arrays of a file by name; `network` is what messages call the network, given by `flag`.

    Raises UserError where the file is missing, damaged or no .npz file.
    """
    try:
        with np.load(path) as stored:
            return {name: stored[name] for name in stored}
    except DAMAGED as error:
        raise UserError(
            f"--{flag}: {path} does not hold the weights of {network}: {error}"
        ) from error


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
    """Gives convolutions, by name, the kernels and biases of a file.

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
