"""The commands that show, run and serve a written model."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from lorbms_tf.cli import command
from lorbms_tf.serving.signature import Signature

_NUMPY = {"float32": "f4", "int32": "i4", "int64": "i8"}  # types that an example is printed of


def text(folder: Path, served_as: str, signatures: Mapping[str, Signature]) -> str:
    """The commands, of which two run the first signature on zeros.

    There is no example where an input of it is neither a float nor a whole number, or of any size.

    Args:
      folder: of one version.
      served_as: the name that TensorFlow Serving gives the model.
      signatures: of the model (`lorbms_tf.training.method.Trainable.signatures`).
    """
    parent = shlex.quote(str(folder.parent.resolve()))
    cli, python = command.script("saved_model_cli"), command.python()
    name, signature = next(iter(signatures.items()))
    shown = all(
        spec.dtype.name in _NUMPY and spec.shape[1:].is_fully_defined() for spec in signature.inputs
    )
    lines = [f"Show its signatures:\n  {cli} show --dir {shlex.quote(str(folder))} --all"]
    lines += [_run(folder, name, signature, cli, python)] if shown else []
    lines += [
        f"""\
Serve it (REST on port 8501, gRPC on 8500; new versions in {parent} are picked up):
  docker run --rm -p 8500:8500 -p 8501:8501 -e MODEL_NAME={served_as} \\
    -v {parent}:/models/{served_as}:ro tensorflow/serving"""
    ]
    if shown:
        lines.append(f"""\
  {python} -c "print({{'instances': [{_instance(signature.inputs)}]}})" | tr "'" '"' |
    curl -d @- http://localhost:8501/v1/models/{served_as}:predict""")
    return "\n".join(lines)


def _run(folder: Path, name: str, signature: Signature, cli: str, python: str) -> str:
    arrays = [
        f"np.save('{spec.name}.npy', np.zeros({(1, *spec.shape[1:])}, '{_NUMPY[spec.dtype.name]}'))"
        for spec in signature.inputs
    ]
    zeros = [tf.zeros((1, *spec.shape[1:]), spec.dtype) for spec in signature.inputs]
    written = ", ".join(f"{output}.npy" for output in signature.function(*zeros))
    inputs = shlex.quote(";".join(f"{spec.name}={spec.name}.npy" for spec in signature.inputs))
    return f"""\
{signature.example_title or f"Run {name} on zeros"}:
  {python} -c "import numpy as np; {"; ".join(arrays)}"
  {cli} run --dir {shlex.quote(str(folder))} --tag_set serve --signature_def {name} \\
    --inputs {inputs} --outdir .   # writes {written}"""


def _instance(specs: Sequence[Any]) -> str:
    """Python's words for one instance of zeros, as TensorFlow Serving's REST takes it."""
    values = {}
    for spec in specs:
        zeros = "0.0" if spec.dtype.is_floating else "0"
        for count in reversed(spec.shape[1:]):
            zeros = f"[{zeros}] * {count}"
        values[spec.name] = zeros
    if len(values) == 1:
        return next(iter(values.values()))
    return "{" + ", ".join(f"'{name}': {zeros}" for name, zeros in values.items()) + "}"
