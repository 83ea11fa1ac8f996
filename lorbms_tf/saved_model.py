"""A trained model as a TensorFlow SavedModel: what its signatures are, writing it, checking it.

Signatures, each with named inputs and outputs and any batch size B; images are float32 in [-1, 1]
(`x / 127.5 - 1`), S is the model's image size and C its chunk size:

    encode   images [B, S, S, 3] -> codes [B, 2, 2, C]
    decode   codes [B, 2, 2, C] -> images [B, S, S, 3]; also `serving_default`
    mix      reference [B, S, S, 3], candidates [B, 4, S, S, 3], mask bool [B, 4] (true where the
             quadrant is replaced) -> images [B, S, S, 3], codes [B, 2, 2, C]
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from lorbms_tf import mixing, objective
from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_directory
from lorbms_tf.quadrants import NUM_QUADRANTS

TOLERANCE = 1e-4  # of images on [-1, 1] and of codes, which have about that size
_CHECKED_BATCHES = (1, 3)


class ServedModel(tf.Module):
    """The three functions that are served, with the variables of encoder and decoder alone.

    Args:
      model: a `Lorbms`.
    """

    def __init__(self, model):
        super().__init__(name="lorbms")
        self._variables_to_save = [
            variable.value for variable in model.encoder.variables + model.decoder.variables
        ]
        image = (model.config.image_size, model.config.image_size, 3)
        code = (2, 2, model.config.chunk_size)

        def spec(name: str, shape: tuple, dtype=tf.float32) -> tf.TensorSpec:
            return tf.TensorSpec((None, *shape), dtype, name)

        @tf.function(input_signature=[spec("images", image)])
        def encode(images):
            return {"codes": model.encode(images)}

        @tf.function(input_signature=[spec("codes", code)])
        def decode(codes):
            return {"images": model.decode(codes)}

        @tf.function(input_signature=[
            spec("reference", image),
            spec("candidates", (NUM_QUADRANTS, *image)),
            spec("mask", (NUM_QUADRANTS,), tf.bool),
        ])  # fmt: skip
        def mix(reference, candidates, mask):
            codes, chunks = objective.encode_scene(model.encoder, reference, candidates)
            codes = mixing.mix_codes(codes, chunks, mask)
            return {"images": model.decode(codes), "codes": codes}

        self.functions = {
            "serving_default": decode,
            "decode": decode,
            "encode": encode,
            "mix": mix,
        }


def next_version(export_dir: Path) -> int:
    """One more than the highest version in the folder; 1 where there is none."""
    names = [entry.name for entry in export_dir.iterdir()] if export_dir.is_dir() else []
    return 1 + max((int(name) for name in names if name.isascii() and name.isdigit()), default=0)


def write(model, folder: Path) -> float:
    """Writes the SavedModel, reloads it, compares it with the model, and only then names it.

    Until the comparison has passed it lies under a temporary name that is no version number, so
    that TensorFlow Serving, which watches the parent folder, loads it whole or not at all.

    Args:
      model: a `Lorbms`.
      folder: a version folder, such as DIR/1.

    Returns:
      The largest absolute difference between reloaded and original outputs.

    Raises:
      UserError: the folder exists and is not empty, or cannot be written.
      RuntimeError: the outputs differ by more than 1e-4; nothing is kept.
    """
    served = ServedModel(model)
    with atomic_directory(folder) as temporary:
        try:
            tf.saved_model.save(served, str(temporary), signatures=served.functions)
        except tf.errors.OpError as error:
            raise UserError(f"cannot write {folder}: {error.message}") from error
        difference = largest_difference(model, tf.saved_model.load(str(temporary)))
        if not difference <= TOLERANCE:  # a NaN fails as well
            raise RuntimeError(
                f"the reloaded model differs from the original by {difference:.2g}, more than "
                f"{TOLERANCE:g}; {folder} was not written"
            )
    return difference


def largest_difference(model, reloaded, seed: int = 0) -> float:
    """Runs all signatures on random inputs of batch size 1 and 3 beside the model itself.

    Args:
      model: the `Lorbms` that was exported.
      reloaded: what `tf.saved_model.load` gave.
      seed: of the inputs.

    Returns:
      The largest absolute difference of any output value.
    """
    size = model.config.image_size
    random = np.random.default_rng(seed)
    differences = []
    with _full_precision():
        for batch in _CHECKED_BATCHES:
            images, candidates = (
                tf.constant(random.uniform(-1, 1, shape).astype(np.float32))
                for shape in ((batch, size, size, 3), (batch, NUM_QUADRANTS, size, size, 3))
            )
            mask = tf.constant(random.integers(0, 2, (batch, NUM_QUADRANTS)).astype(bool))
            codes = tf.convert_to_tensor(model.encode(images))
            given = {
                "encode": {"images": images},
                "decode": {"codes": codes},
                "serving_default": {"codes": codes},
                "mix": {"reference": images, "candidates": candidates, "mask": mask},
            }
            made = {name: reloaded.signatures[name](**given[name]) for name in given}
            pairs = [
                (made["encode"]["codes"], codes),
                (made["decode"]["images"], model.decode(codes)),
                (made["serving_default"]["images"], model.decode(codes)),
                (made["mix"]["images"], model.mix(images, candidates, mask)),
                (model.decode(made["mix"]["codes"]), made["mix"]["images"]),
            ]
            differences += [np.max(np.abs(np.subtract(*pair))) for pair in pairs]
    return float(np.max(differences))


@contextlib.contextmanager
def _full_precision() -> Iterator[None]:
    """Without TF32, in which a GPU may round a graph and the eager model differently."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)
