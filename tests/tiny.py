"""What the tests share: a configuration, batch, run and records, as small as they go.

`EXAMPLES` holds what a method needs to be tested as all methods are.
"""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lorbms_tf.data import images, records
from lorbms_tf.lorbms.config import LorbmsConfig
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.serving import saved_model
from lorbms_tf.training import checkpoints, run_directory

IMAGE_SIZE = 32  # the least that the classifier takes
STEP = 7


@contextlib.contextmanager
def eagerly():
    """Functions run without graphs in this block: for few steps, tracing takes far longer."""
    former = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(former)


def config(**changes) -> LorbmsConfig:
    """A configuration of a few thousand parameters."""
    sizes = {
        "image_size": IMAGE_SIZE,
        "chunk_size": 4,
        "encoder_stem": 4,
        "encoder_layers": (1, 1, 1, 1),
        "encoder_growth": 2,
        "decoder_layers": (1, 1, 1, 1),
        "decoder_widths": (4, 4, 4, 4),
        "decoder_growth": 2,
        "discriminator_widths": (2, 2),
        "classifier_widths": (2, 2, 2, 2, 2),
        "classifier_dense": (4, 4),
        "tau": 2.0,
        "records": "somewhere/*",
        "run_dir": "somewhere",
    }
    return LorbmsConfig(**{**sizes, **changes})


def random_batch(count: int = 2, size: int = IMAGE_SIZE) -> dict[str, tf.Tensor]:
    """A training batch of noise whose distances lie around `tau`; the same at each call."""
    rng = np.random.default_rng(0)
    return {
        "reference": tf.constant(rng.uniform(-1, 1, (count, size, size, 3)), tf.float32),
        "candidates": tf.constant(rng.uniform(-1, 1, (count, 4, size, size, 3)), tf.float32),
        "distances": tf.constant(rng.uniform(0, 4, (count, 4)), tf.float32),
    }


def write_run(folder: Path) -> Path:
    """A run directory after `STEP` steps, with random weights."""
    made = config(run_dir=str(folder))
    run_directory.prepare(made)
    model = Lorbms(made, seed=1)
    model.compile_optimizers()
    checkpoints.Checkpoints(folder / run_directory.CHECKPOINTS, model).save(STEP)
    return folder


def picture(number: int, size: int = IMAGE_SIZE) -> np.ndarray:
    """A flat colour that differs for each number, uint8 [size, size, 3]."""
    colour = np.random.default_rng(number).integers(0, 256, 3)
    return np.broadcast_to(colour, (size, size, 3)).astype(np.uint8)


def noise(number: int, size: int = IMAGE_SIZE) -> np.ndarray:
    """Coloured noise that differs for each number, uint8 [size, size, 3]."""
    return np.random.default_rng(number).integers(0, 256, (size, size, 3)).astype(np.uint8)


def write_records(folder: Path, count: int = 5, size: int = IMAGE_SIZE, draw=picture) -> str:
    """One shard of `count` records, returns its glob; `draw(number, size)` gives the images."""
    folder.mkdir(parents=True, exist_ok=True)
    grid = [[f"c{i}-{k}" for k in range(records.NUM_CANDIDATES)] for i in range(4)]
    with tf.io.TFRecordWriter(str(records.shard_path(folder, "tiny", 0, 1))) as writer:
        for n in range(count):
            candidate_images = [
                [images.encode_jpeg(draw(100 * n + 10 * i + k + 1, size)) for k in range(10)]
                for i in range(4)
            ]
            record = records.Record(
                photo_id=f"photo{n}",
                version="original",
                image=images.encode_jpeg(draw(100 * n, size)),
                image_size=size,
                candidate_ids=grid,
                candidate_versions=[["original"] * 10] * 4,
                candidate_images=candidate_images,
                distances=np.arange(40, dtype=np.float32).reshape(4, 10) % 10 + n,
            )
            writer.write(records.serialize(record))
    return str(folder / "*.tfrecord-*")


@contextlib.contextmanager
def read_only(folder: Path):
    """Takes the right to write in a folder away while the block runs, from root as well."""
    root, nobody = os.geteuid() == 0, 65534
    former = folder.stat().st_mode & 0o7777
    folder.chmod(0o555)
    if root:
        # Root may write anywhere, so for a while this process is not root; it must get there,
        # though. The parents stay so: other processes' tests may be inside of them, too.
        for parent in folder.parents[:-2]:
            parent.chmod(parent.stat().st_mode & 0o7777 | 0o755)
        os.seteuid(nobody)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(former)


class Example(NamedTuple):
    """One method as small as it goes.

    config: (changes by keyword) -> its settings.
    write_data: (folder) -> the settings that name what is learned from, eight references of noise,
      by name.
    export: (model, folder) writes a SavedModel.
    serve: (its signatures, batch, what `infer` makes of it) -> what the signatures make of the
      batch, by the names of `infer`.
    by_device: settings without networks that see a device's share of a batch (batch norm), and so
      learn something else on two devices than on one.
    apart: names of those networks.
    """

    config: Callable[..., Any]
    write_data: Callable[[Path], dict[str, str]]
    export: Callable[[Any, Path], Any]
    serve: Callable[[Any, dict, dict], dict[str, Any]]
    by_device: dict[str, Any]
    apart: tuple[str, ...]


def _records(folder: Path) -> dict[str, str]:
    pattern = write_records(folder, 8, draw=noise)
    return {"records": pattern, "eval_records": pattern}


def _serve_scenes(signatures: Any, batch: dict, made: dict) -> dict[str, Any]:
    codes = signatures["encode"](images=batch["reference"])["codes"]
    candidates = tf.cast(batch["candidates"], tf.float32)
    mixed = signatures["mix"](
        reference=batch["reference"], candidates=candidates, mask=made["mask"]
    )
    return {
        "reconstruction": signatures["decode"](codes=codes)["images"],
        "mix": mixed["images"],
    }


# By the name of the method.
EXAMPLES = {
    "lorbms": Example(
        config=config,
        write_data=_records,
        export=saved_model.write,
        serve=_serve_scenes,
        by_device={
            "lambda_cls": 0.0,
            "perceptual": "mmd++",  # drawn at each step, the same on all devices
            "lambda_perceptual": 0.5,
            "mmd_window": 16,
            "mmd_features": 16,
        },
        apart=("classifier",),
    ),
}
