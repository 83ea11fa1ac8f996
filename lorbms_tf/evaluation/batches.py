"""What is done for many images, a part of them at a time: no copy of a whole set is needed."""

from collections.abc import Callable

import numpy as np


def in_batches(function: Callable, batch_size: int, *sets: np.ndarray) -> np.ndarray:
    """A function of arrays [B, ...] applied to arrays [N, ...], `batch_size` rows at a time."""
    starts = range(0, len(sets[0]), batch_size)
    made = (function(*(part[s : s + batch_size] for part in sets)) for s in starts)
    return np.concatenate([np.asarray(part) for part in made])
