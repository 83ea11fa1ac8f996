"""Reading the weights files of Keras, as any of its versions wrote them."""

import warnings
from pathlib import Path

import keras

from lorbms_tf.errors import UserError


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
