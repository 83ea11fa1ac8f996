"""The nearest of some vectors to others, exactly (faiss)."""

import faiss
import numpy as np

from lorbms_tf.evaluation.finite import check_finite


def nearest(known: np.ndarray, queries: np.ndarray, count: int = 1) -> np.ndarray:
    """Numbers of the nearest known vectors by Euclidean distance, [M, count], the nearest first.

    Args:
      known: [N, ...].
      queries: [M, ...], of the same numbers each.
      count: at most N.

    Raises ValueError where there are fewer known vectors, or values are not finite.
    """
    if count > len(known):
        raise ValueError(f"{count} neighbours of {len(known)} vectors")
    flat = [np.asarray(one, np.float32).reshape(len(one), -1) for one in (known, queries)]
    for name, one in zip(("known vectors", "queries"), flat, strict=True):
        check_finite(one, name)
    # Means away: float32 squares of far vectors would hide how near two of them are.
    centre = flat[0].mean(axis=0)
    known, queries = (np.ascontiguousarray(one - centre) for one in flat)
    index = faiss.IndexFlatL2(known.shape[1])
    index.add(known)
    return index.search(queries, count)[1]
