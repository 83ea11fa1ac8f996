"""After a transfer, does a probe that learned from real scenes still find the right object?"""

from collections.abc import Callable

import numpy as np

from lorbms_tf.data import quadrants
from lorbms_tf.evaluation import image_probe
from lorbms_tf.evaluation.finite import check_finite
from lorbms_tf.evaluation.swap_matrix import partners_of


def train_probe(images: np.ndarray, factors: dict[str, np.ndarray], seed: int = 0) -> Callable:
    """A probe of single quadrants: images [N, 4, h, w, 3] -> by factor, guesses int [N, 4].

    Args:
      images: real scenes [N, H, W, 3] in [-1, 1].
      factors: by name, int [N, 4].
      seed: of the probe.

    Raises:
      ValueError: too few scenes, or too small.
    """
    parts = _flat(np.asarray(quadrants.split(images)))
    labels = {name: values.reshape(-1) for name, values in factors.items()}
    classes = {name: int(values.max()) + 1 for name, values in factors.items()}
    predict = image_probe.train(parts, labels, classes, seed)

    def guess(scenes: np.ndarray) -> dict[str, np.ndarray]:
        found = predict(_flat(np.asarray(quadrants.split(scenes))))
        return {name: found[name].argmax(axis=1).reshape(-1, 4) for name in factors}

    return guess


def accuracies(
    guess: Callable,
    mix: Callable,
    images: np.ndarray,
    factors: dict[str, np.ndarray],
    seed: int = 0,
) -> dict[str, dict[str, float]]:
    """Shares of right guesses, by what was looked at and by factor.

    Each scene takes over one random quadrant of another one. The rows:
      real: the scenes themselves.
      reconstruction: nothing was replaced.
      kept: the quadrants of the mix that stayed.
      replaced: the one that came, by the truth of where it came from.
      former: the same, by the truth of what was there before; near chance at best.
      chance: always the most frequent value.

    Args:
      guess: as `train_probe` gives.
      mix: for every scene, (the number of the one to take from, int [N], which quadrants to take,
        bool [N, 4]) -> mixes [N, H, W, 3].
      images: real scenes [N, H, W, 3] that the probe has not seen, N >= 2.
      factors: by name, int [N, 4].
      seed: of partners and quadrants.

    Raises:
      ValueError: fewer than two scenes; scenes or mixes are not finite.
    """
    count = len(images)
    if count < 2:
        raise ValueError(f"transfers need at least two scenes, not {count}")
    partners = partners_of(count, seed)
    chosen = np.random.default_rng(seed).integers(quadrants.NUM_QUADRANTS, size=count)
    mask = np.arange(quadrants.NUM_QUADRANTS) == chosen[:, None]  # [N, 4]
    mixes = np.asarray(mix(partners, mask))
    reconstructions = np.asarray(mix(partners, np.zeros_like(mask)))
    shown = (("scenes", images), ("mixes", mixes), ("reconstructions", reconstructions))
    for what, values in shown:
        check_finite(values, what)
    real, mixed, reconstructed = (guess(values) for _, values in shown)
    table: dict[str, dict[str, float]] = {}
    for name, truth in factors.items():
        right = {
            "real": real[name] == truth,
            "reconstruction": reconstructed[name] == truth,
            "kept": (mixed[name] == truth)[~mask],
            "replaced": (mixed[name] == truth[partners])[mask],
            "former": (mixed[name] == truth)[mask],
            "chance": np.bincount(truth.reshape(-1)).max() / truth.size,
        }
        for row, guesses in right.items():
            table.setdefault(row, {})[name] = float(np.mean(guesses))
    return table


def _flat(parts: np.ndarray) -> np.ndarray:
    return parts.reshape(-1, *parts.shape[2:])  # [N * 4, h, w, 3]
