"""Any trained model as an encoder and a decoder of flat codes."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lorbms_tf.data import quadrants
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.batches import in_batches
from lorbms_tf.tensorflow_paths import without_signs
from lorbms_tf.training import run_directory

_BATCH = 16  # pictures that are encoded at a time


class Codec(NamedTuple):
    """A model whose codes are rows of numbers.

    encode: images float32 [B, S, S, C] in [-1, 1] -> codes [B, D]; None where it encodes none.
    decode: codes [B, D] -> images, with gradients.
    side: S.
    channels: C.
    shape: of one code in the model itself, which is D numbers.
    """

    encode: Callable[[np.ndarray], np.ndarray] | None
    decode: Callable[[Any], Any]
    side: int
    channels: int
    shape: tuple[int, ...]

    @property
    def chunks(self) -> int:
        """How many equal parts a code has: those of a map [2, 2, C], else one."""
        return int(np.prod(self.shape[:2])) if len(self.shape) == 3 else 1

    def free(self, mask: str) -> np.ndarray | None:
        """Which of the D numbers belong to the quadrants of a mask, bool [D]; None for "".

        Raises UserError where the code has no chunks, or the mask is none.
        """
        if not mask:
            return None
        if self.shape[:2] != (2, 2) or len(self.shape) != 3:
            raise UserError(f"--mask: a code of this model is {self.shape}, without chunks")
        try:
            chosen = quadrants.parse_mask(mask)
        except UserError as error:
            raise UserError(f"--mask: {error}") from error
        return np.repeat(chosen, self.shape[2])


def of_run(run_dir: str, checkpoint: str = "latest") -> Codec:
    """The model of a run. UserError where no pictures are decoded from codes."""
    model, _ = run_directory.load_model(run_dir, checkpoint)
    functions = {
        name: (one.function, one.inputs)
        for name, one in model.signatures().items()
        if len(one.inputs) == 1
    }
    return _codec(functions, f"--run_dir={run_dir}")


def of_saved_model(folder: str) -> Codec:
    """A SavedModel with a signature decode, and encode where there is one. UserError for others."""
    try:
        with without_signs(folder) as readable:
            loaded = tf.saved_model.load(readable)
    except (OSError, tf.errors.OpError, ValueError) as error:
        raise UserError(f"--saved_model={folder}: {str(error).splitlines()[0]}") from error
    functions = {}
    for name, signature in loaded.signatures.items():
        specs = signature.structured_input_signature[1]
        if len(specs) == 1:
            functions[name] = (_by_name(signature, *specs, loaded), list(specs.values()))
    if "decode" not in functions and "serving_default" in functions:
        functions["decode"] = functions["serving_default"]
    return _codec(functions, f"--saved_model={folder}")


def _by_name(signature: Any, key: str, keeper: Any) -> Callable:
    # A loaded function does not keep its model's variables alive; `keeper` does.
    return lambda values, keeper=keeper: signature(**{key: values})


def _codec(functions: dict[str, tuple], where: str) -> Codec:
    if "decode" not in functions:
        names = ", ".join(functions) or "none"
        raise UserError(
            f"{where}: the model has no function 'decode' of codes alone (of one input it has: "
            f"{names}), so there are no codes to go between"
        )
    decode, (codes,) = functions["decode"]
    shape = tuple(codes.shape[1:])
    size = int(np.prod(shape))

    def pictures(batch: Any) -> Any:
        return next(iter(decode(tf.reshape(tf.cast(batch, tf.float32), (-1, *shape))).values()))

    made = pictures(tf.zeros((1, size)))
    if len(made.shape) != 4:
        raise UserError(f"{where}: decode gives {tuple(made.shape)}, no pictures")
    side, channels = made.shape[1], made.shape[3]
    if "encode" not in functions:
        return Codec(None, pictures, side, channels, shape)
    encode = functions["encode"][0]

    def flat(batch: Any) -> Any:
        return tf.reshape(next(iter(encode(tf.cast(batch, tf.float32)).values())), (-1, size))

    return Codec(lambda values: in_batches(flat, _BATCH, values), pictures, side, channels, shape)
