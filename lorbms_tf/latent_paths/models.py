"""Any trained model as an encoder and a decoder of flat codes."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lorbms_tf.data import quadrants
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.batches import in_batches
from lorbms_tf.serving import functions
from lorbms_tf.serving.functions import Function

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

        Of a code of 4x4 cells the mask is of cells.

        Raises UserError where the code has no chunks, or the mask is none.
        """
        if not mask:
            return None
        if len(self.shape) != 3 or self.shape[:2] not in ((2, 2), (4, 4)):
            raise UserError(f"--mask: a code of this model is {self.shape}, without chunks")
        try:
            chosen = quadrants.parse_mask(mask, self.shape[0])
        except UserError as error:
            raise UserError(f"--mask: {error}") from error
        return np.repeat(chosen, self.shape[2])


def of_run(run_dir: str, checkpoint: str = "latest") -> Codec:
    """The model of a run. UserError where no pictures are decoded from codes."""
    return _codec(functions.of_run(run_dir, checkpoint), f"--run_dir={run_dir}")


def of_saved_model(folder: str) -> Codec:
    """A SavedModel with a signature decode, and encode where there is one. UserError for others."""
    flag = f"--saved_model={folder}"
    served = functions.of_saved_model(folder, flag)
    if "decode" not in served and "serving_default" in served:
        served["decode"] = served["serving_default"]
    return _codec(served, flag)


def _codec(served: dict[str, Function], where: str) -> Codec:
    if "decode" not in served:
        names = ", ".join(served) or "none"
        raise UserError(
            f"{where}: the model has no function 'decode' of codes alone (of one input it has: "
            f"{names}), so there are no codes to go between"
        )
    decode = served["decode"]
    shape = tuple(decode.input.shape[1:])
    size = int(np.prod(shape))

    def pictures(batch: Any) -> Any:
        codes = tf.reshape(tf.cast(batch, tf.float32), (-1, *shape))
        return next(iter(decode.call(codes).values()))

    made = pictures(tf.zeros((1, size)))
    if len(made.shape) != 4:
        raise UserError(f"{where}: decode gives {tuple(made.shape)}, no pictures")
    side, channels = made.shape[1], made.shape[3]
    if "encode" not in served:
        return Codec(None, pictures, side, channels, shape)
    encode = served["encode"].call

    def flat(batch: Any) -> Any:
        return tf.reshape(next(iter(encode(tf.cast(batch, tf.float32)).values())), (-1, size))

    return Codec(lambda values: in_batches(flat, _BATCH, values), pictures, side, channels, shape)
