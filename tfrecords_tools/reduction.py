"""Fewer dimensions for features (PCA by a randomised range finder), and vectors of length one.

Halko, Martinsson and Tropp (2011), algorithms 4.4 and 5.1: the range of a sample is found by a few
products with a random matrix, so that the cost is linear in D, where faiss's PCA is cubic.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.errors import UserError
from lorbms_tf.progress import track
from tfrecords_tools import feature_store
from tfrecords_tools.feature_store import FeatureFile

SAMPLE_BYTES = 2**30  # of the float32 vectors that a projection is fitted to
OVERSAMPLING = 16
POWER_ITERATIONS = 4


@dataclass(frozen=True)
class Projection:
    """x -> (x - mean) @ components. mean: float32 [D]; components: float32 [D, d], orthonormal.

    explained: the share of the sample's variance that is kept.
    """

    mean: np.ndarray
    components: np.ndarray
    explained: float


def sample(features: FeatureFile, num_vectors: int, seed: int) -> np.ndarray:
    """Vectors drawn without repetition, as many from each quadrant. -> float32 [n, D]."""
    rng = np.random.default_rng([seed, 20])
    each = min(len(features), -(-num_vectors // NUM_QUADRANTS))
    drawn = [
        features.quadrant(q)[np.sort(rng.choice(len(features), each, replace=False))]
        for q in range(NUM_QUADRANTS)
    ]
    return np.concatenate(drawn)


def fit(vectors: np.ndarray, dimension: int, seed: int) -> Projection:
    """The `dimension` directions of greatest variance of float32 [n, D], greatest first.

    Raises UserError where there are fewer vectors, or fewer components, than directions asked for.
    """
    num_vectors, width = vectors.shape
    if not 1 <= dimension <= min(num_vectors, width):
        raise UserError(
            f"--pca={dimension} is more than the features' {width} components, or than the "
            f"{num_vectors} quadrants of the images"
        )
    mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = vectors - mean  # [n, D]
    wanted = min(dimension + OVERSAMPLING, num_vectors, width)
    random = np.random.default_rng([seed, 21]).standard_normal((width, wanted), np.float32)
    basis = np.linalg.qr(centred @ random)[0]  # [n, wanted]
    for _ in range(POWER_ITERATIONS):
        basis = np.linalg.qr(centred.T @ basis)[0]  # [D, wanted]
        basis = np.linalg.qr(centred @ basis)[0]
    _, _, directions = np.linalg.svd(basis.T @ centred, full_matrices=False)  # [wanted, D]
    components = directions[:dimension].T  # [D, d]
    strongest = np.abs(components).argmax(axis=0)
    signs = np.sign(components[strongest, np.arange(dimension)])  # a direction has no sign
    components = np.ascontiguousarray(components * signs, np.float32)
    total = np.einsum("nd,nd->", centred, centred, dtype=np.float64)
    kept = np.square(centred @ components, dtype=np.float64).sum()
    return Projection(mean, components, float(kept / total) if total else 1.0)


def transform(vectors: np.ndarray, projection: Projection | None, normalize: bool) -> np.ndarray:
    """float32 [n, D] -> float32 [n, d], d = D without a projection."""
    if projection is not None:
        vectors = (vectors - projection.mean) @ projection.components
    if normalize:
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = vectors / np.where(norms > 0, norms, 1)
    return vectors


def reduce(
    features: FeatureFile,
    create: Callable[[int], FeatureFile],
    dimension: int,
    normalize: bool,
    seed: int,
) -> float:
    """Writes the `dimension` principal components of features, then normalised if asked.

    create: makes the file for as many rows of vectors of a given length.
    Returns the share of the variance that is left. UserError as `fit`.
    """
    num_rows, _, width = features.shape
    vectors = sample(features, max(1, SAMPLE_BYTES // (4 * width)), seed)
    projection = fit(vectors, dimension, seed)
    del vectors
    target = create(dimension)
    parts = list(feature_store.blocks(num_rows, NUM_QUADRANTS * width))
    for part in track(parts, label="reducing features", unit="block"):
        made = [
            transform(features.quadrant(q)[part], projection, normalize)
            for q in range(NUM_QUADRANTS)
        ]
        target.write(part.start, np.stack(made, axis=1))
        target.flush()
    return projection.explained
