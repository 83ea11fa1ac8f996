"""How long a served model takes to mix and to decode, by batch size."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from lorbms_tf.benchmarks import machine
from lorbms_tf.cli import command
from lorbms_tf.errors import UserError
from lorbms_tf.tensorflow_paths import without_signs

BATCH_SIZES = (1, 32)
_WARM_UP_CALLS = 2


def version_folder(export_dir: str) -> Path:
    """The folder of an export: a version folder itself, or the highest version in a folder.

    Raises UserError where there is none.
    """
    folder = Path(export_dir)
    if not (folder / "saved_model.pb").is_file():
        names = [path.parent.name for path in folder.glob("*/saved_model.pb")]
        versions = [int(name) for name in names if name.isascii() and name.isdigit()]
        if not versions:
            raise UserError(
                f"--export_dir={export_dir} holds no exported model: make one with "
                + command.line("lorbms_tf.export", run_dir="R", export_dir=export_dir)
            )
        folder /= str(max(versions))
    return folder


def load(export_dir: str):
    """The export in a folder, as `version_folder` finds it."""
    folder = version_folder(export_dir)
    with without_signs(folder) as readable:
        return tf.saved_model.load(readable)


def fresh_signatures(model) -> dict[str, Callable]:
    """The functions that `model` would be served with."""
    from lorbms_tf.serving import saved_model

    return saved_model.ServedModel(model).functions


def random_inputs(sizes: dict[str, tuple], batch_size: int) -> dict[str, tf.Tensor]:
    """Inputs of a signature, by name; `sizes` are their shapes without the batch."""
    rng = np.random.default_rng(0)
    made = {
        name: tf.constant(rng.uniform(-1, 1, (batch_size, *shape)), tf.float32)
        for name, shape in sizes.items()
        if name != "mask"
    }
    if "mask" in sizes:
        made["mask"] = tf.constant(rng.integers(0, 2, (batch_size, *sizes["mask"])) > 0)
    return made


def latencies(function: Callable, inputs: dict, calls: int) -> dict[str, float]:
    """Milliseconds of a call, median and 95th percentile, after a warm-up."""
    for _ in range(_WARM_UP_CALLS):
        machine.wait_for(function(**inputs))
    times = [1e3 * machine.seconds_of(lambda: function(**inputs)) for _ in range(calls)]
    median, late = np.percentile(times, [50, 95])
    return {"median_ms": float(median), "p95_ms": float(late)}


def input_shapes(function: Callable) -> dict[str, tuple]:
    """Shapes of a signature's inputs by name, without the batch."""
    if hasattr(function, "input_signature"):  # not exported yet
        specs = {spec.name: spec for spec in function.input_signature}
    else:
        specs = function.structured_input_signature[1]
    return {name: tuple(spec.shape[1:]) for name, spec in specs.items()}


def measure(signatures: dict[str, Callable], calls: int) -> dict:
    """The fields of the JSON line: for `mix` and `decode`, at each of `BATCH_SIZES`."""
    found = {}
    for name in ("mix", "decode"):
        shapes = input_shapes(signatures[name])
        found[name] = {}
        for batch_size in BATCH_SIZES:
            machine.say(f"{name} at batch {batch_size}")
            inputs = random_inputs(shapes, batch_size)
            found[name][f"batch_{batch_size}"] = latencies(signatures[name], inputs, calls)
    return {"benchmark": "mix_latency", "calls": calls, **found, **machine.described()}
