"""Mean and deviation of features, by which probes bring them to one scale."""

import numpy as np


def units(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation [D] of the columns of float32 [N, D]; 1 for the deviation of a constant.

    Summed in double precision: else the deviation of a constant would be its rounding.
    """
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = features - mean  # exactly 0 where all are equal
    np.square(centred, out=centred)
    deviation = np.sqrt(centred.mean(axis=0, dtype=np.float64)).astype(np.float32)
    return mean, np.where(deviation > 0, deviation, np.float32(1))
