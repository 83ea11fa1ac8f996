"""A trained run as functions of arrays: codes, images, what lies between images."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from lorbms_tf.augint import invert
from lorbms_tf.augint.config import AugintConfig
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.batches import in_batches
from lorbms_tf.training import run_directory

BATCH_SIZE = 128
PIXEL_FADE = "pixel_fade"


class Trained:
    """The model of a run of this method.

    Args:
      run_dir: run directory, or pretrained:NAME.
      checkpoint: latest, best, or a step.
      refining_steps: of the codes of a run of wgan_gp; others take the encoder's.

    Raises UserError where the run is of another method, or there is none.
    """

    def __init__(
        self, run_dir: str, checkpoint: str = "latest", refining_steps: int = invert.REFINING_STEPS
    ):
        if not isinstance(run_directory.read_config(run_dir), AugintConfig):
            raise UserError(f"--run_dir={run_dir} is no run of --method=augint")
        self.model, self.config = run_directory.load_model(run_dir, checkpoint)
        self.name = self.config.objective
        self._encode = _graph(self.model.encode)
        self._decode = _graph(self.model.decode)
        self._between = _graph(self.model.between)
        self._blend = _graph(self.model.blend)
        self._refine = None
        if self.name == "wgan_gp" and refining_steps:
            self._refine = invert.refiner(self.model.decode, refining_steps)

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Images [N, S, S, C] -> codes [N, D]."""
        codes = self._in_batches(self._encode, images)
        return self._in_batches(self._refine, images, codes) if self._refine else codes

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Codes [N, D] -> images [N, S, S, C]."""
        return self._in_batches(self._decode, codes)

    def reconstructions(self, images: np.ndarray) -> np.ndarray:
        """Images [N, S, S, C] -> the same, from their codes."""
        return self.decode(self.encode(images))

    def paths(self, start: np.ndarray, end: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Images at shares [N, T] of the ways from start to end [N, S, S, C]: [N, T, S, S, C]."""
        return self.between(self.encode(start), self.encode(end), shares)

    def between(self, start: np.ndarray, end: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """As `paths`, from codes [N, D] to codes."""
        points = [self._in_batches(self._between, start, end, column) for column in shares.T]
        return np.stack([self.decode(point) for point in points], axis=1)

    def blends(self, images: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Images in the simplex of some: [M, K, S, S, C] and weights [M, K] -> [M, S, S, C]."""
        codes = self.encode(images.reshape(-1, *images.shape[2:]))
        return self.blended(codes.reshape(*weights.shape, -1), weights)

    def blended(self, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """As `blends`, of codes [M, K, D]."""
        return self.decode(self._in_batches(self._blend, codes, weights))

    def _in_batches(self, function: Callable, *arrays: np.ndarray) -> np.ndarray:
        return in_batches(
            lambda *parts: function(*(tf.constant(part, tf.float32) for part in parts)),
            BATCH_SIZE,
            *arrays,
        )


class PixelFade:
    """What needs no model: images laid over each other, which are their own codes.

    Has the functions of `Trained`.
    """

    name = PIXEL_FADE

    def encode(self, images: np.ndarray) -> np.ndarray:
        """The images themselves; so are `decode` and `reconstructions`."""
        return images

    decode = reconstructions = encode

    def between(self, start: np.ndarray, end: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """As `Trained.paths`."""
        shares = shares[:, :, None, None, None].astype(np.float32)
        return (1 - shares) * start[:, None] + shares * end[:, None]

    def blended(self, images: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """As `Trained.blends`."""
        return np.einsum("mk...,mk->m...", images, weights.astype(np.float32))

    paths, blends = between, blended


def _graph(function: Callable) -> Callable:
    return tf.function(function, autograph=False, reduce_retracing=True)
