"""What the tests share: configurations, a batch, a run, records and photos, as small as they go."""

import contextlib
import os
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from lorbms_tf.augint.config import AugintConfig
from lorbms_tf.data import images, records
from lorbms_tf.deepsim.config import DeepsimConfig
from lorbms_tf.lorbms.config import LorbmsConfig
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.perceptual.config import SuperresConfig
from lorbms_tf.training import checkpoints, run_directory

IMAGE_SIZE = 32  # the least that the classifier takes
PHOTO_SIZE = 12  # of photos: SSIM takes 11 at least
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


def augint_config(**changes) -> AugintConfig:
    """A configuration of a few hundred parameters, with a discriminator."""
    sizes = {
        "image_size": PHOTO_SIZE,
        "widths": (2, 3),
        "dense": 4,
        "code_size": 3,
        "adversarial": True,
        "photos": "somewhere",
        "run_dir": "somewhere",
    }
    return AugintConfig(**{**sizes, **changes})


def write_photos(folder: Path, count: int = 8, size: int = PHOTO_SIZE) -> str:
    """Photos of noise in two classes; returns the folder."""
    for number in range(count):
        path = folder / f"class{number % 2}" / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise(number, size)).save(path)
    return str(folder)


def write_generator(folder: Path, code_size: int = 3) -> str:
    """A SavedModel of codes to grey images, black where the code is zero."""

    class Generator(tf.Module):
        def __init__(self):
            super().__init__()
            weights = np.random.default_rng(0).normal(size=(code_size, PHOTO_SIZE**2))
            self.weights = tf.Variable(weights, dtype=tf.float32)

        @tf.function(input_signature=[tf.TensorSpec((None, code_size), tf.float32)])
        def decode(self, codes):
            images = tf.tanh(codes @ self.weights)
            return {"images": tf.reshape(images, (-1, PHOTO_SIZE, PHOTO_SIZE, 1))}

    generator = Generator()
    tf.saved_model.save(generator, str(folder), signatures={"decode": generator.decode})
    return str(folder)


def superres_config(**changes) -> SuperresConfig:
    """Super-resolution by some thousand parameters."""
    sizes = {
        "image_size": IMAGE_SIZE,
        "blocks": 1,
        "width": 4,
        "distance": "mmd++",
        "mmd_window": 16,
        "mmd_stride": 16,
        "mmd_features": 8,
        "halvings": 0,  # which follow from the length of the run
        "photos": "somewhere",
        "run_dir": "somewhere",
    }
    return SuperresConfig(**{**sizes, **changes})


def deepsim_config(**changes) -> DeepsimConfig:
    """An inversion of some thousand parameters of a random AlexNet."""
    sizes = {
        "image_size": IMAGE_SIZE,
        "encoder": "alexnet",
        "layer": "conv5",
        "comparator": "alexnet",
        "comparator_layer": ("conv2",),
        "widths": (4, 4),
        "dense": 16,
        "head": 4,
        "discriminator_widths": (2, 2, 2, 2, 2),
        "discriminator_dense": 4,
        "halvings": (),
        "photos": "somewhere",
        "run_dir": "somewhere",
    }
    return DeepsimConfig(**{**sizes, **changes})


def scalars(logs: Path, name: str) -> dict[int, float]:
    """A curve of a run: the values of a scalar by step, out of its folder for TensorBoard."""
    return {
        event.step: float(tf.make_ndarray(value.tensor))
        for path in logs.glob("events*")
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
        if value.tag == name
    }
