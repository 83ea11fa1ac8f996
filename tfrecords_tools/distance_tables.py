"""What `inspect` tells of the distances in records, and of the masks that a tau makes of them."""

import numpy as np

from lorbms_tf.data.quadrants import NAMES
from lorbms_tf.lorbms import mixing

SHOWN_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
TAU_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def quantiles(distances: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """`SHOWN_QUANTILES` of distances [N, 4, 10], of each quadrant by its name, and of "all"."""
    per_row = [*zip(NAMES, distances.transpose(1, 0, 2), strict=True), ("all", distances)]
    return [
        (name, np.quantile(values.astype(np.float64), SHOWN_QUANTILES)) for name, values in per_row
    ]


def taus(distances: np.ndarray) -> list[tuple[float, float]]:
    """(quantile, tau): the values of tau at `TAU_QUANTILES` of all distances."""
    found = np.quantile(distances.astype(np.float64), TAU_QUANTILES)
    return list(zip(TAU_QUANTILES, found.tolist(), strict=True))


def replaced_shares(distances: np.ndarray, tau: float, seed: int) -> list[float]:
    """Share of the references [N, 4, 10] of which algorithm 1 replaces 0, 1, 2 and 3 quadrants.

    One candidate of ten is drawn for each quadrant, by the seed.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.integers(distances.shape[2], size=(*distances.shape[:2], 1))
    one_each = np.take_along_axis(distances, drawn, axis=2)[..., 0]  # [N, 4]
    number = np.asarray(mixing.replacement_mask(one_each, tau)).sum(axis=1)  # [N]
    return [float(np.mean(number == n)) for n in range(4)]
