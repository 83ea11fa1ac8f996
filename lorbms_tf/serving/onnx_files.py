"""A trained model as ONNX files, one a signature, for other runtimes: written, and compared.

Each file takes and gives what the signature of its name does, any batch size; those of picture
files are left out, as ONNX has no decoders of them. ONNX has no two tensors of one name: an output
named as an input is NAME_out. The extra `onnx` brings what this needs.
"""

import importlib.util
import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from lorbms_tf.cli import command
from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_directory
from lorbms_tf.serving import saved_model
from lorbms_tf.serving.saved_model import TOLERANCE, Probe
from lorbms_tf.serving.signature import Signature

SUFFIX = ".onnx"
OPSET = 18


def write(model: Any, folder: Path, name: str = "the model") -> float:
    """Writes FOLDER/SIGNATURE.onnx of all signatures, and compares what onnxruntime makes of them.

    Args:
      model: `lorbms_tf.training.method.Trainable`.
      folder: absent or empty.
      name: what messages call the model, such as its run directory.

    Returns:
      The largest difference to the model, as `saved_model.largest_difference`.

    Raises:
      UserError: a package of the extra is missing; the folder exists and is not empty, or cannot
        be written; the model's outputs are not finite; ONNX cannot hold an operation.
      RuntimeError: the outputs differ by more than 1e-4; nothing is kept.
    """
    signatures = saved_model.own_signatures(model)
    with atomic_directory(folder) as temporary, saved_model.full_precision():
        probes = saved_model.make_probes(model, signatures=signatures)
        saved_model.check_finite(probes, name)
        for signature, one in signatures.items():
            (temporary / f"{signature}{SUFFIX}").write_bytes(proto(signature, one))
        difference = _largest_difference(temporary, signatures, probes)
        if not difference <= TOLERANCE:  # a NaN fails as well
            raise RuntimeError(
                f"the ONNX files differ from the model by {difference:.2g}, more than "
                f"{TOLERANCE:g}; {folder} was not written"
            )
    return difference


def proto(name: str, signature: Signature) -> bytes:
    """A signature as a serialized ONNX model. UserError as `write`.

    name: what messages call it.
    """
    try:
        import tf2onnx
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    specs = list(signature.inputs)
    inputs = {spec.name for spec in specs}

    def renamed(*tensors: Any) -> dict:
        made = signature.function(*tensors)
        return {_output(key, inputs): values for key, values in made.items()}

    function = tf.function(renamed, input_signature=specs, autograph=False)
    try:
        model, _ = tf2onnx.convert.from_function(function, input_signature=specs, opset=OPSET)
    except (NotImplementedError, ValueError) as error:
        raise UserError(f"{name} cannot be written as ONNX: {error}") from error
    return model.SerializeToString()


def _output(name: str, inputs: Collection[str]) -> str:
    return f"{name}_out" if name in inputs else name


def is_installed() -> bool:
    """Whether the packages of the extra are there."""
    return all(importlib.util.find_spec(name) for name in ("tf2onnx", "onnxruntime"))


def session(file: str | bytes, threads: int = 0) -> Any:
    """An `onnxruntime.InferenceSession` on the processor. UserError where the package is missing.

    Args:
      file: path, or content.
      threads: that one operation may use; 0: all.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def _missing(error: ModuleNotFoundError) -> UserError:
    return UserError(f"ONNX needs the package {error.name}: {command.install('onnx')}")


def _largest_difference(
    folder: Path, signatures: Mapping[str, Signature], probes: list[Probe]
) -> float:
    differences = []
    for name in signatures:
        runner = session(str(folder / f"{name}{SUFFIX}"))
        outputs = [output.name for output in runner.get_outputs()]
        for probe in probes:
            inputs = {key: np.asarray(values) for key, values in probe.inputs[name].items()}
            made = dict(zip(outputs, runner.run(outputs, inputs), strict=True))
            differences += [
                saved_model.difference(made[_output(output, inputs)], values)
                for output, values in probe.outputs[name].items()
            ]
    return float(np.max(differences))
