"""A trained model as a TensorFlow SavedModel: what its signatures are, writing it, checking it.

Signatures, each with named inputs and outputs and any batch size B, also 0; images are float32 in
[-1, 1] (`x / 127.5 - 1`), S is the model's image size and C its chunk size:

    encode   images [B, S, S, 3] -> codes [B, 2, 2, C]
    decode   codes [B, 2, 2, C] -> images [B, S, S, 3]; also `serving_default`
    mix      reference [B, S, S, 3], candidates [B, 4, S, S, 3], mask bool [B, 4] (true where the
             quadrant is replaced) -> images [B, S, S, 3], codes [B, 2, 2, C]

and the same of the bytes of picture files (JPEG, PNG, GIF, BMP or WebP, of any size of at least S a
side; the central square counts, and EXIF's orientation). TensorFlow Serving takes them as
{"b64": "..."}; what comes out are PNG files:

    encode_bytes   image_bytes [B] -> codes
    decode_bytes   codes -> image_bytes [B]
    mix_bytes      reference_bytes [B], candidates_bytes [B, 4], mask -> image_bytes [B], codes
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_directory
from lorbms_tf.serving import picture_graph
from lorbms_tf.tensorflow_paths import without_signs

TOLERANCE = 1e-4  # of images in [-1, 1]; of larger values (codes) relative to the largest
_CHECKED_BATCHES = (1, 3)


class ServedModel(tf.Module):
    """The three functions that are served, with the variables of encoder and decoder alone.

    Args:
      model: a `Lorbms`.
    """

    def __init__(self, model):
        super().__init__(name="lorbms")
        self._variables_to_save = [
            variable.value for network in model.generator for variable in network.variables
        ]
        image = (model.config.image_size, model.config.image_size, 3)
        code = (2, 2, model.config.chunk_size)

        def spec(name: str, shape: tuple, dtype=tf.float32) -> tf.TensorSpec:
            return tf.TensorSpec((None, *shape), dtype, name)

        @tf.function(input_signature=[spec("images", image)])
        @_also_empty
        def encode(images):
            return {"codes": model.encode(images)}

        @tf.function(input_signature=[spec("codes", code)])
        @_also_empty
        def decode(codes):
            return {"images": model.decode(codes)}

        @tf.function(input_signature=[
            spec("reference", image),
            spec("candidates", (NUM_QUADRANTS, *image)),
            spec("mask", (NUM_QUADRANTS,), tf.bool),
        ])  # fmt: skip
        @_also_empty
        def mix(reference, candidates, mask):
            codes = model.mix_codes(reference, candidates, mask)[1]
            return {"images": model.decode(codes), "codes": codes}

        size = model.config.image_size

        @tf.function(input_signature=[spec("image_bytes", (), tf.string)])
        def encode_bytes(image_bytes):
            return encode(picture_graph.float_images(image_bytes, size))

        @tf.function(input_signature=[spec("codes", code)])
        def decode_bytes(codes):
            return {"image_bytes": picture_graph.encoded_images(decode(codes)["images"])}

        @tf.function(input_signature=[
            spec("reference_bytes", (), tf.string),
            spec("candidates_bytes", (NUM_QUADRANTS,), tf.string),
            spec("mask", (NUM_QUADRANTS,), tf.bool),
        ])  # fmt: skip
        def mix_bytes(reference_bytes, candidates_bytes, mask):
            reference = picture_graph.float_images(reference_bytes, size)
            candidates = picture_graph.float_images(tf.reshape(candidates_bytes, (-1,)), size)
            candidates = tf.reshape(candidates, (-1, NUM_QUADRANTS, *image))
            made = mix(reference, candidates, mask)
            return {
                "image_bytes": picture_graph.encoded_images(made["images"]),
                "codes": made["codes"],
            }

        self.functions = {
            "serving_default": decode,
            "decode": decode,
            "encode": encode,
            "mix": mix,
            "encode_bytes": encode_bytes,
            "decode_bytes": decode_bytes,
            "mix_bytes": mix_bytes,
        }


def _also_empty(function: Callable) -> Callable:
    """A function of tensors [B, ...] to a dict of such, that takes a B of 0 as well.

    TensorFlow's kernels for CPUs refuse empty batches, so the networks see one item of zeros then.
    """

    @functools.wraps(function)
    def wrapped(*batches):
        count = tf.shape(batches[0])[0]
        missing = tf.cast(tf.equal(count, 0), tf.int32)
        filled = [
            tf.ensure_shape(
                tf.concat([batch, tf.zeros((missing, *batch.shape[1:]), batch.dtype)], axis=0),
                batch.shape,
            )
            for batch in batches
        ]
        return {name: values[:count] for name, values in function(*filled).items()}

    return wrapped


def next_version(export_dir: Path) -> int:
    """One more than the highest version in the folder; 1 where there is none."""
    names = [entry.name for entry in export_dir.iterdir()] if export_dir.is_dir() else []
    return 1 + max((int(name) for name in names if name.isascii() and name.isdigit()), default=0)


class Probe(NamedTuple):
    """Random inputs of all signatures and what the model makes of them; tensors by name."""

    inputs: dict[str, dict]
    outputs: dict[str, dict]


def write(model, folder: Path, name: str = "the model") -> float:
    """Writes the SavedModel, reloads it, compares it with the model, and only then names it.

    Until the comparison has passed it lies under a temporary name that is no version number, so
    that TensorFlow Serving, which watches the parent folder, loads it whole or not at all.

    Args:
      model: a `Lorbms`.
      folder: a version folder, such as DIR/1.
      name: what messages call the model, such as its run directory.

    Returns:
      The largest difference between reloaded and original outputs, as `largest_difference`.

    Raises:
      UserError: the folder exists and is not empty, or cannot be written; the model's outputs
        are not finite.
      RuntimeError: the outputs differ by more than 1e-4; nothing is kept.
    """
    served = ServedModel(model)
    with atomic_directory(folder) as temporary, _full_precision():
        probes = make_probes(model)
        _check_finite(probes, name)
        try:
            tf.saved_model.save(served, str(temporary), signatures=served.functions)
        except tf.errors.OpError as error:
            raise UserError(f"cannot write {folder}: {error.message}") from error
        with without_signs(temporary) as readable:
            reloaded = tf.saved_model.load(readable)
        difference = largest_difference(reloaded, probes)
        if not difference <= TOLERANCE:  # a NaN fails as well
            raise RuntimeError(
                f"the reloaded model differs from the original by {difference:.2g}, more than "
                f"{TOLERANCE:g}; {folder} was not written"
            )
    return difference


def make_probes(model, seed: int = 0) -> list[Probe]:
    """Random inputs of batch sizes 1 and 3 for all signatures, and the model's own outputs.

    Args:
      model: a `Lorbms`.
      seed: of the inputs.
    """
    size = model.config.image_size
    random = np.random.default_rng(seed)
    probes = []
    for batch in _CHECKED_BATCHES:
        images, candidates = (
            tf.constant(random.uniform(-1, 1, shape).astype(np.float32))
            for shape in ((batch, size, size, 3), (batch, NUM_QUADRANTS, size, size, 3))
        )
        mask = tf.constant(random.integers(0, 2, (batch, NUM_QUADRANTS)).astype(bool))
        codes = tf.convert_to_tensor(model.encode(images))
        decoded = {"images": model.decode(codes)}
        mixed = model.mix_codes(images, candidates, mask)[1]
        inputs = {
            "encode": {"images": images},
            "decode": {"codes": codes},
            "serving_default": {"codes": codes},
            "mix": {"reference": images, "candidates": candidates, "mask": mask},
        }
        outputs = {
            "encode": {"codes": codes},
            "decode": decoded,
            "serving_default": decoded,
            "mix": {"images": model.decode(mixed), "codes": mixed},
        }
        probes.append(Probe(inputs, outputs))
    return probes


def _check_finite(probes: list[Probe], name: str) -> None:
    for probe in probes:
        for signature, outputs in probe.outputs.items():
            for output, values in outputs.items():
                if not np.all(np.isfinite(values)):
                    raise UserError(
                        f"{name} cannot be exported: its outputs are not finite ({output} of "
                        f"{signature}); the training has diverged, take an earlier checkpoint"
                    )


def largest_difference(reloaded, probes: list[Probe]) -> float:
    """Runs all signatures on the probes' inputs and compares the outputs.

    Args:
      reloaded: what `tf.saved_model.load` gave.
      probes: of the model that was exported.

    Returns:
      The largest absolute difference of any output value, each output's divided by its largest
      expected value where that is above 1: codes may have any size, and float32 a fixed number
      of digits.
    """
    differences = []
    for probe in probes:
        for signature, expected in probe.outputs.items():
            made = reloaded.signatures[signature](**probe.inputs[signature])
            for output, values in expected.items():
                scale = max(1.0, float(np.max(np.abs(values))))
                differences.append(np.max(np.abs(np.subtract(made[output], values))) / scale)
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
