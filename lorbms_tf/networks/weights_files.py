"""Weights files of Keras, from any of its versions, and such that tell a network's sizes."""

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from lorbms_tf.errors import UserError
from lorbms_tf.files import not_writable, sync, temporary_directory

SUFFIX = ".weights.h5"


def load(model: keras.Model, weights: str | Path, network: str, flag: str = "weights") -> None:
    """Loads a weights file of Keras; `network` is what messages call the model.

    Raises UserError, naming `flag`, where the file holds something else.
    """
    try:
        with warnings.catch_warnings():
            # Keras warns of each part that an older file lacks; what matters it raises.
            warnings.simplefilter("ignore")
            model.load_weights(weights)
    except (ValueError, OSError, KeyError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UserError(
            f"--{flag}: {weights} does not hold the weights of {network}: {reason}"
        ) from error


def check_name(path: str | Path, flag: str = "") -> None:
    """Raises UserError where `write` could not write a file of that name."""
    if not Path(path).name.endswith(SUFFIX):
        raise UserError(f"{flag}{path} is not a valid name for weights: it must end in {SUFFIX}")


def write(network: keras.Model, path: str | Path, kind: str) -> None:
    """Writes a weights file that also holds `network.settings`, as JSON in its attribute `kind`.

    It is whole or not there. Raises UserError where it cannot be written or is not named
    *.weights.h5.
    """
    path = Path(path)
    check_name(path)
    try:
        with temporary_directory(path) as folder:
            made = folder / path.name  # Keras takes no other ending
            network.save_weights(made)
            with h5py.File(made, "a") as file:
                file.attrs[kind] = json.dumps(network.settings)
            sync(made)
            made.replace(path)
    except OSError as error:
        raise not_writable(path, error) from error


def read_settings(path: str | Path, kind: str) -> dict[str, Any]:
    """The settings of the network in a file of `write`; ValueError where it is no such file."""
    try:
        with h5py.File(path, "r") as file:
            return json.loads(file.attrs[kind])
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(str(error)) from error


def hash_weights(model: keras.Model) -> str:
    """SHA-256 of all weights of a model, in their order."""
    digest = hashlib.sha256()
    for variable in model.weights:
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(variable)).tobytes())
    return digest.hexdigest()
