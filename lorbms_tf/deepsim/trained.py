"""Trained inversions as functions of arrays, and the photos that pictures are made of."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from lorbms_tf.data.images import to_float
from lorbms_tf.deepsim.config import DeepsimConfig
from lorbms_tf.deepsim.scores import mean_distance, normalised_error
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.batches import in_batches
from lorbms_tf.evaluation.finite import check_finite
from lorbms_tf.training import photo_scores, run_directory

_BATCH = 32


class Trained:
    """The model of a run of this method.

    Args:
      run_dir: run directory.
      checkpoint: latest, best, or a step.

    Raises UserError where there is no run, or it is of another method.
    """

    def __init__(self, run_dir: str, checkpoint: str = "latest"):
        if not isinstance(run_directory.read_config(run_dir), DeepsimConfig):
            raise UserError(f"{run_dir} is no run of --method=deepsim")
        self.model, self.config = run_directory.load_model(run_dir, checkpoint)
        self._encode = tf.function(self.model.encode, autograph=False, reduce_retracing=True)
        self._decode = tf.function(self.model.decode, autograph=False, reduce_retracing=True)

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Images [N, S, S, 3] -> features [N, ...]. UserError where some are not finite."""
        features = in_batches(self._encode, _BATCH, images)
        check_finite(features, "features of pictures", UserError)
        return features

    def decode(self, features: np.ndarray) -> np.ndarray:
        """Features [N, ...] -> images [N, S, S, 3] in [-1, 1]. UserError as `encode`."""
        images = in_batches(self._decode, _BATCH, features)
        check_finite(images, "pictures that the model makes", UserError)
        return images

    def reencodings(self, images: np.ndarray, iterations: Sequence[int]) -> dict[int, np.ndarray]:
        """What is left of images after so many passes through encoder and generator, by number."""
        made, kept = images, {}
        for number in range(1, max(iterations) + 1):
            made = self.decode(self.encode(made))
            if number in iterations:
                kept[number] = made
        return kept

    def drift(self, images: np.ndarray, made: dict[int, np.ndarray]) -> dict[str, np.ndarray]:
        """Normalised errors (see `scores`) of `reencodings`, in "image" and "feature" space."""
        features = self.encode(images)
        in_images = [normalised_error(images, one) for one in made.values()]
        in_features = [normalised_error(features, self.encode(one)) for one in made.values()]
        return {"image": np.array(in_images), "feature": np.array(in_features)}

    def paths(self, start: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
        """Images [N, steps, S, S, 3] on straight lines between the features of photos."""
        first, last = self.encode(start), self.encode(end)
        shares = np.linspace(0, 1, steps + 2)[1:-1]
        return np.stack([self.decode((1 - t) * first + t * last) for t in shares], axis=1)


def runs(config: Any) -> dict[str, Trained]:
    """The runs of a sheet by what it calls them. UserError where their sizes differ."""
    found: dict[str, Trained] = {}
    for run_dir in config.run_dirs:
        checkpoint = config.checkpoint if run_dir == config.run_dir else "latest"
        name = Path(run_dir).name
        found[run_dir if name in found else name] = Trained(run_dir, checkpoint)
    if len({one.config.image_size for one in found.values()}) > 1:
        raise UserError("--other_runs: all runs must be of one --image_size")
    return found


def photos(config: Any, count: int) -> np.ndarray:
    """Held-out photos [N, S, S, 3] in [-1, 1], evenly out of all, at most `count`.

    Raises UserError where there are none.
    """
    data = photo_scores.held_out(
        photo_scores.PhotoScoringConfig(run_dir=config.run_dir, photos=config.photos)
    )
    return _spread(data.held_out_photos, count)


def training_photos(config: Any) -> np.ndarray:
    """Photos that the run has learned from [N, S, S, 3], evenly out of all, at most `among`.

    Raises UserError where they are gone.
    """
    method = run_directory.method_of(config.run_dir)
    return _spread(method.data(run_directory.read_config(config.run_dir)).photos, config.among)


def _spread(kept: Any, count: int) -> np.ndarray:
    numbers = np.unique(np.linspace(0, len(kept) - 1, min(count, len(kept))).round().astype(int))
    pixels, _ = kept.take(numbers, np.full((len(numbers), 3), 0.5))
    kept.tell()
    return to_float(pixels)


def varied(images: np.ndarray) -> np.ndarray:
    """The images. UserError where all are alike or there is one, so that no error has a scale."""
    if len(images) < 2 or not mean_distance(images.reshape(len(images), -1)) > 0:
        raise UserError("--photos: errors need at least 2 different photos")
    return images
