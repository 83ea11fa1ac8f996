"""A trained model as a TensorFlow SavedModel: written, and compared with the model.

Its functions are those that the model says itself (`lorbms_tf.serving.signature`), each with named
inputs and outputs and any batch size, also 0; the first of them is `serving_default`, too.
Those with images have counterparts of picture files (`lorbms_tf.serving.picture_signatures`).
"""

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lorbms_tf.data import images
from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_directory
from lorbms_tf.serving import picture_signatures, warmup
from lorbms_tf.serving.signature import Signature
from lorbms_tf.tensorflow_paths import without_signs

TOLERANCE = 1e-4  # of images in [-1, 1]; of larger values (codes) relative to the largest
_CHECKED_BATCHES = (1, 3)


DEFAULT = "serving_default"


class ServedModel(tf.Module):
    """The functions that are served, with the variables of the networks that they run alone.

    Args:
      model: `lorbms_tf.training.method.Trainable`.
      signatures: its `served_signatures`, where they are there already.
    """

    def __init__(self, model: Any, signatures: Mapping[str, Signature] | None = None):
        super().__init__(name=model.name)
        signatures = signatures or served_signatures(model)
        networks = {id(network): network for one in signatures.values() for network in one.networks}
        self._variables_to_save = [
            variable.value for network in networks.values() for variable in network.variables
        ]
        traced = {
            name: tf.function(one.function, input_signature=list(one.inputs), autograph=False)
            for name, one in signatures.items()
        }
        self.functions = {DEFAULT: next(iter(traced.values())), **traced}


def own_signatures(model: Any) -> dict[str, Signature]:
    """The signatures that a model itself has, by name, which take a batch of 0 as well.

    Args:
      model: `lorbms_tf.training.method.Trainable`.
    """
    return {
        name: one._replace(function=_also_empty(one.function))
        for name, one in model.signatures().items()
    }


def served_signatures(model: Any) -> dict[str, Signature]:
    """As `own_signatures`, with their counterparts of picture files, for which each runs once."""
    own = own_signatures(model)
    return {**own, **picture_signatures.counterparts(own)}


def _also_empty(function: Callable) -> Callable:
    """A function of tensors [B, ...] to a dict of such, that takes a B of 0 as well.

    TensorFlow's kernels for CPUs refuse empty batches, so the networks see one item of zeros then.
    """

    @functools.wraps(function)
    def wrapped(*batches):
        count = tf.shape(batches[0])[0]
        missing = tf.cast(tf.equal(count, 0), tf.int32)

        def fill(batch: tf.Tensor) -> tf.Tensor:
            shape = tf.concat([[missing], tf.shape(batch)[1:]], axis=0)
            filled = tf.concat([batch, tf.zeros(shape, batch.dtype)], axis=0)
            return tf.ensure_shape(filled, batch.shape)

        filled = map(fill, batches)
        return {name: values[:count] for name, values in function(*filled).items()}

    return wrapped


def next_version(export_dir: Path) -> int:
    """One more than the highest version in the folder; 1 where there is none."""
    names = [entry.name for entry in export_dir.iterdir()] if export_dir.is_dir() else []
    return 1 + max((int(name) for name in names if name.isascii() and name.isdigit()), default=0)


class Probe(NamedTuple):
    """Example inputs of all signatures and what the model makes of them; tensors by name."""

    inputs: dict[str, dict]
    outputs: dict[str, dict]


def write(model: Any, folder: Path, name: str = "the model") -> float:
    """Writes the SavedModel, reloads it, compares it with the model, and only then names it.

    Until the comparison has passed it lies under a temporary name that is no version number, so
    that TensorFlow Serving, which watches the parent folder, loads it whole or not at all.

    Args:
      model: `lorbms_tf.training.method.Trainable`.
      folder: a version folder, such as DIR/1.
      name: what messages call the model, such as its run directory.

    Returns:
      The largest difference between reloaded and original outputs, as `largest_difference`.

    Raises:
      UserError: the folder exists and is not empty, or cannot be written; the model's outputs
        are not finite.
      RuntimeError: the outputs differ by more than 1e-4; nothing is kept.
    """
    signatures = served_signatures(model)
    served = ServedModel(model, signatures)
    with atomic_directory(folder) as temporary, full_precision():
        probes = make_probes(model, signatures=signatures)
        check_finite(probes, name)
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
        with contextlib.suppress(ModuleNotFoundError):  # `warmed_up` tells of it
            warmup.write(temporary, probes[0].inputs, model.name)
    return difference


def warmed_up(folder: Path) -> bool:
    """Whether a version has requests to warm TensorFlow Serving up; else the extra is missing."""
    return (folder / warmup.FILE).is_file()


def make_probes(
    model: Any, seed: int = 0, signatures: Mapping[str, Signature] | None = None
) -> list[Probe]:
    """Example inputs of batch sizes 1 and 3 for all signatures, and the model's own outputs.

    Args:
      model: `lorbms_tf.training.method.Trainable`.
      seed: of the inputs.
      signatures: its `served_signatures`, where they are there already.
    """
    random = np.random.default_rng(seed)
    signatures = signatures or served_signatures(model)
    first = next(iter(signatures))
    probes = []
    for batch in _CHECKED_BATCHES:
        inputs = {name: dict(one.examples(random, batch)) for name, one in signatures.items()}
        outputs = {
            name: dict(one.function(*(inputs[name][spec.name] for spec in one.inputs)))
            for name, one in signatures.items()
        }
        inputs[DEFAULT], outputs[DEFAULT] = inputs[first], outputs[first]
        probes.append(Probe(inputs, outputs))
    return probes


def check_finite(probes: list[Probe], name: str) -> None:
    for probe in probes:
        for signature, outputs in probe.outputs.items():
            for output, values in outputs.items():
                if values.dtype != tf.string and not np.all(np.isfinite(values)):
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
      of digits. Pictures that differ by one level of 255 count as equal: a value between two may
      be rounded to either.
    """
    differences = []
    for probe in probes:
        for signature, expected in probe.outputs.items():
            made = reloaded.signatures[signature](**probe.inputs[signature])
            for output, values in expected.items():
                differences.append(difference(made[output], values))
    return float(np.max(differences))


def difference(made: tf.Tensor, expected: tf.Tensor) -> float:
    if expected.dtype == tf.string:
        levels = [
            np.max(np.abs(np.subtract(*(images.decode_jpeg(data).astype(int) for data in pair))))
            for pair in zip(np.ravel(made), np.ravel(expected), strict=True)
        ]
        return max(0.0, float(np.max(levels)) - 1.0)
    scale = max(1.0, float(np.max(np.abs(expected))))
    return float(np.max(np.abs(np.subtract(made, expected))) / scale)


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Without TF32, in which a GPU may round a graph and the eager model differently."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)
