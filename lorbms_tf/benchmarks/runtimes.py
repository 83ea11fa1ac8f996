"""How long TensorFlow and onnxruntime take for the same signature of an export."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from lorbms_tf.benchmarks import machine
from lorbms_tf.errors import UserError
from lorbms_tf.serving import onnx_files
from lorbms_tf.serving.functions import opened
from lorbms_tf.serving.signature import Signature
from lorbms_tf.tensorflow_paths import without_signs

_WARM_UP_CALLS = 3  # before each turn
_TURN_CALLS = 10


def threads() -> int:
    """What one operation may use, in both: TF_NUM_INTRAOP_THREADS, else all cores."""
    return int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0) or machine.threads()


def times(
    folder: Path, inputs: Mapping[str, Mapping[int, Mapping[str, np.ndarray]]], calls: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Median milliseconds by signature, batch size and runtime, which take turns.

    The runtimes are `tensorflow`, a session as TensorFlow Serving runs one, `python`, the loaded
    SavedModel as `lorbms_tf.serve` calls it, and `onnxruntime`, where the extra is there.

    Args:
      folder: of a SavedModel.
      inputs: by signature and batch size, arrays by name.
      calls: of each.

    Raises UserError where it cannot be loaded, or has no such signature.
    """
    loaded = opened(str(folder), f"--export_dir={folder}")
    found: dict = {}
    for name, batches in inputs.items():
        if name not in loaded.signatures:
            raise UserError(f"{folder} has no signature {name!r}")
        machine.say(f"{name}: TensorFlow and onnxruntime")
        runners = _runners(folder, loaded.signatures[name], name)
        found[name] = {}
        for batch, arrays in batches.items():
            medians = _medians({key: make(arrays) for key, make in runners.items()}, calls)
            if "onnxruntime" in medians:
                medians["times_onnxruntime"] = medians["tensorflow"] / medians["onnxruntime"]
            found[name][f"batch_{batch}"] = medians
    return found


def _runners(folder: Path, signature: Callable, name: str) -> dict[str, Callable]:
    """By runtime: arrays by name -> a call of no arguments."""
    specs = signature.structured_input_signature[1]

    def python(arrays: Mapping) -> Callable:
        tensors = {key: tf.constant(values) for key, values in arrays.items()}
        return lambda: machine.wait_for(signature(**tensors))

    runners = {"tensorflow": _session(folder, name), "python": python}
    if onnx_files.is_installed():
        ordered = list(specs)
        proto = onnx_files.proto(
            name,
            Signature(
                lambda *tensors: signature(**dict(zip(ordered, tensors, strict=True))),
                [tf.TensorSpec(specs[key].shape, specs[key].dtype, key) for key in ordered],
                networks=(),
                examples=lambda random, batch: {},
            ),
        )
        other = onnx_files.session(proto, threads())
        runners["onnxruntime"] = lambda arrays: lambda: other.run(None, dict(arrays))
    return runners


def _session(folder: Path, name: str) -> Callable:
    """As `_runners`, of a session that the SavedModel's loader fills, without eager Python."""
    v1 = tf.compat.v1
    graph = tf.Graph()
    settings = v1.ConfigProto(intra_op_parallelism_threads=threads())
    session = v1.Session(graph=graph, config=settings)
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # it warns that sessions are of TensorFlow 1
    with graph.as_default(), without_signs(folder) as readable:
        meta = v1.saved_model.load(session, [tf.saved_model.SERVING], readable)
    logger.setLevel(level)
    definition = meta.signature_def[name]
    outputs = [info.name for info in definition.outputs.values()]

    def runner(arrays: Mapping) -> Callable:
        call = session.make_callable(outputs, [definition.inputs[key].name for key in arrays])
        return lambda: call(*arrays.values())

    return runner


def _medians(functions: Mapping[str, Callable], calls: int) -> dict[str, float]:
    """Milliseconds; the functions take turns, so that a busy moment meets all of them.

    A turn is a run of calls, the first of which do not count: they find the caches as the other
    functions left them, which a server in use does not.
    """
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for done in range(0, calls, _TURN_CALLS):
        for name, function in functions.items():
            for _ in range(_WARM_UP_CALLS):
                function()
            for _ in range(min(_TURN_CALLS, calls - done)):
                seconds[name].append(machine.seconds_of(function))
    return {name: 1e3 * float(np.median(values)) for name, values in seconds.items()}
