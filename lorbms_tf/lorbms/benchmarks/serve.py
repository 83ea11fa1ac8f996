"""How fast an export is served: requests on the loopback, and the runtimes without a server."""

import base64
import contextlib
import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from lorbms_tf.benchmarks import machine, requests, runtimes
from lorbms_tf.cli import command
from lorbms_tf.data import images
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.benchmarks import mix_latency

CLIENTS = (1, 8, 32)
BATCH_SIZES = (1, 32)
_MODEL = "lorbms"  # the name that `lorbms_tf.serve` gives a model


@contextlib.contextmanager
def exported(build: Callable[[], Any]) -> Iterator[str]:
    """A temporary folder of versions with an export of a freshly built model."""
    from lorbms_tf.serving import saved_model

    with tempfile.TemporaryDirectory() as folder:
        model = build()
        machine.say("exporting the model")
        saved_model.write(model, Path(folder) / "1")
        yield folder


def measure(export_dir: str, calls: int) -> dict[str, Any]:
    """The fields of the JSON line.

    Args:
      export_dir: folder of versions.
      calls: requests of each signature and number of clients (at least one a client), and calls
        of each runtime.

    Raises UserError where there is no export, or the packages of the server are missing.
    """
    missing = [name for name in ("uvicorn", "starlette") if not importlib.util.find_spec(name)]
    if missing:
        raise UserError(
            f"`benchmark serve` needs the package {missing[0]}: {command.install('serve')}"
        )
    folder = mix_latency.version_folder(export_dir)
    signatures = mix_latency.load(str(folder)).signatures
    shapes, code = (mix_latency.input_shapes(signatures[name]) for name in ("mix", "decode"))
    inputs = {
        name: {
            batch: {
                key: tensor.numpy()
                for key, tensor in mix_latency.random_inputs(sizes, batch).items()
            }
            for batch in BATCH_SIZES
        }
        for name, sizes in (("mix", shapes), ("decode", code))
    }
    found = runtimes.times(folder, inputs, calls)
    return {
        "benchmark": "serve",
        "requests": _requests(folder.parent, shapes, code["codes"], calls),
        "milliseconds": found,
        "calls": calls,
        "threads_of_an_operation": runtimes.threads(),
        **machine.described(),
    }


def _requests(parent: Path, shapes: dict, code: tuple, calls: int) -> dict[str, dict]:
    random = np.random.default_rng(0)
    side = shapes["reference"][0]
    photos = [{"b64": base64.b64encode(photo(random, side)).decode("ascii")} for _ in range(5)]
    scene = {
        "reference_bytes": photos[0],
        "candidates_bytes": photos[1:],
        "mask": [False, True] * (shapes["mask"][0] // 2),
    }
    instances = {"mix_bytes": scene, "decode_bytes": random.uniform(-1, 1, code).round(6).tolist()}
    found: dict = {}
    with requests.server(parent) as address:
        place = f"{address}/v1/models/{_MODEL}:predict"
        for name, instance in instances.items():
            body = requests.rest_body(name, [instance])
            requests.rates(place, body, 1, 3)  # the first ones trace, and do not count
            found[name] = {"body_bytes": len(body)}
            for clients in CLIENTS:
                rates = requests.rates(place, body, clients, calls)
                found[name][f"clients_{clients}"] = rates
                machine.say(
                    f"{name}, {clients} clients: {rates['requests_per_s']:.0f} requests a second"
                )
    return found


def photo(random: np.random.Generator, size: int) -> bytes:
    """A JPEG file of large blobs, S pixels a side, of about the size that photos have."""
    coarse = random.integers(0, 256, (6, 6, 3)).astype(np.float32)
    smooth = tf.image.resize(coarse, (size, size), "bicubic")
    return images.encode_jpeg(np.clip(smooth, 0, 255).astype(np.uint8))
