"""Mean and deviation of features, by which probes bring them to one scale."""

import numpy as np


def units(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation [D] of the columns of float32 [N, D]; 1 for the deviation of a constant.

    Summed in double precision: else the deviation of a constant would be its rounding.
    """
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = features - mean  # exactly 0 where all are equal
    # The squares, too: those of features of 1e20 are beyond single precision.
    squares = np.einsum("nd,nd->d", centred, centred, dtype=np.float64)
    deviation = np.sqrt(squares / len(features)).astype(np.float32)
    return mean, np.where(deviation > 0, deviation, np.float32(1))
