"""The pictures that paths lead between: of records, of a folder, or drawn for this."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from lorbms_tf import progress
from lorbms_tf.data import images
from lorbms_tf.errors import UserError
from lorbms_tf.latent_paths.config import PathsConfig

_SCENE_SIDE = 128  # pixels a side of scenes that are drawn, at least


def read(config: PathsConfig, side: int, channels: int) -> np.ndarray:
    """Twice `pairs` pictures, the ends of the paths, float32 [2, P, side, side, C] in [-1, 1].

    Which photo is whose partner follows from the seed. Raises UserError where there are too few
    pictures that can be read.
    """
    count = 2 * config.pairs
    if config.records:
        made = _of_records(config.records, side, count)
    elif config.photos:
        made = _of_folder(config.photos, side, count, config.seed)
    else:
        made = _drawn(side, count, config.seed)
    if len(made) < count:
        raise UserError(f"--pairs={config.pairs} needs {count} pictures; there are {len(made)}")
    order = np.random.default_rng(config.seed).permutation(count)
    if channels == 1:
        made = np.mean(made, axis=-1, keepdims=True, dtype=np.float32)
    return made[order].reshape(2, config.pairs, *made.shape[1:])


def _of_records(pattern: str, side: int, count: int) -> np.ndarray:
    from lorbms_tf.data import pipeline

    batches = pipeline.evaluation_batches(pattern, side, min(count, 32), limit=count)
    batches = pipeline.checked(batches, pattern)
    return np.concatenate([np.asarray(batch["reference"]) for batch in batches])


def _of_folder(folder: str, side: int, count: int, seed: int) -> np.ndarray:
    paths = images.list_photos(folder)
    made, bad = {}, []
    for number in np.random.default_rng(seed).permutation(len(paths)):
        if len(made) == count:
            break
        try:
            made[number] = images.square(paths[number], side)
        except images.BadImage as error:
            bad.append(error)
    left_out = images.left_out(bad, len(made) + len(bad))
    if not made:
        raise UserError(left_out)
    if left_out:
        progress.say(f"warning: {left_out}")
    return np.stack([made[number] for number in sorted(made)])


def _drawn(side: int, count: int, seed: int) -> np.ndarray:
    """Scenes of the package's own painter, which is a command of the tools."""
    progress.say(f"drawing {count} scenes")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "scenes"
        words = [f"--out={out}", f"--images={count}", f"--seed={seed + 1}"]
        words.append(f"--size={max(side, _SCENE_SIDE)}")
        command = [sys.executable, "-m", "tfrecords_tools.synthesize", *words]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
            raise UserError(f"scenes could not be drawn: {said[-1]}")
        return _of_folder(str(out / "images"), side, count, seed)
