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

    encode: images float32 [B, S, S, C] in [-1, 1] -> codes [B, D].
    decode: codes [B, D] -> images, with gradients.
    side: S.
    channels: C.
    shape: of one code in the model itself, which is D numbers.
    """

    encode: Callable[[np.ndarray], np.ndarray]
    decode: Callable[[Any], Any]
    side: int
    channels: int
    shape: tuple[int, ...]

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
    """The model of a run. UserError where it has no code that pictures are decoded from."""
    model, _ = run_directory.load_model(run_dir, checkpoint)
    signatures = model.signatures()
    _check(signatures, f"--run_dir={run_dir}")
    encode, decode = signatures["encode"], signatures["decode"]
    return _codec(encode.function, decode.function, encode.inputs[0], decode.inputs[0])


def of_saved_model(folder: str) -> Codec:
    """A SavedModel with signatures named encode and decode. UserError for any other folder."""
    try:
        with without_signs(folder) as readable:
            loaded = tf.saved_model.load(readable)
    except (OSError, tf.errors.OpError, ValueError) as error:
        raise UserError(f"--saved_model={folder}: {str(error).splitlines()[0]}") from error
    _check(loaded.signatures, f"--saved_model={folder}")

    def called(name: str) -> tuple[Callable, tf.TensorSpec]:
        signature = loaded.signatures[name]
        ((key, spec),) = signature.structured_input_signature[1].items()
        return (lambda values: signature(**{key: values})), spec

    (encode, images), (decode, codes) = called("encode"), called("decode")
    # A loaded function keeps its model alive only through the function itself.
    return _codec(lambda x, held=loaded: encode(x), decode, images, codes)


def _check(signatures: Any, where: str) -> None:
    for name in ("encode", "decode"):
        if name not in signatures:
            raise UserError(
                f"{where}: the model has no function {name!r} (it has {', '.join(signatures)}), so "
                "there are no codes to go between"
            )


def _codec(encode: Callable, decode: Callable, images: Any, codes: Any) -> Codec:
    shape = tuple(codes.shape[1:])

    def flat(batch: Any) -> Any:
        return tf.reshape(next(iter(encode(tf.cast(batch, tf.float32)).values())), (-1, size))

    def pictures(batch: Any) -> Any:
        return next(iter(decode(tf.reshape(tf.cast(batch, tf.float32), (-1, *shape))).values()))

    size = int(np.prod(shape))
    side, channels = images.shape[1], images.shape[3]
    return Codec(lambda values: in_batches(flat, _BATCH, values), pictures, side, channels, shape)
