"""Pseudo-labels: whitened features, k-means without empty clusters, even sampling. Arrays only."""

from dataclasses import dataclass

import faiss
import numpy as np

KMEANS_ITERATIONS = 20  # as published
MOST_POINTS = 10_000_000  # of each cluster that k-means looks at: in practice all, as published
_SMALLEST_VARIANCE = 1e-6  # of the largest one; directions with less are noise of rounding
_PERTURBATION = 1e-2  # of a centroid that is doubled, relative to its length


@dataclass(frozen=True)
class Whitening:
    """The leading principal directions, scaled to variance 1.

    mean: float32 [D]. directions: float32 [D, d], d at most as asked for.
    """

    mean: np.ndarray
    directions: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Features [N, D] -> float32 [N, d], whitened, then each of length 1 (zeros stay zeros)."""
        points = (np.asarray(features, np.float32) - self.mean) @ self.directions  # [N, d]
        lengths = np.linalg.norm(points, axis=1, keepdims=True)
        return points / np.maximum(lengths, np.finfo(np.float32).tiny)


def fit_whitening(features: np.ndarray, dimension: int = 256) -> Whitening:
    """Principal components of features [N, D] with variance, the `dimension` first of them.

    Fewer come out where the features have less than so many directions. Raises ValueError where
    the features are not finite or are all the same.
    """
    features = np.asarray(features, np.float32)
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = features - mean
    covariance = (centred.T @ centred).astype(np.float64) / len(features)  # [D, D]
    if not np.isfinite(covariance).all():
        raise ValueError("the features are not finite")
    variances, directions = np.linalg.eigh(covariance)  # ascending
    variances, directions = variances[::-1][:dimension], directions[:, ::-1][:, :dimension]
    kept = variances > max(variances[0] * _SMALLEST_VARIANCE, 0.0)
    if not kept.any():
        raise ValueError("the features are all the same")
    scaled = directions[:, kept] / np.sqrt(variances[kept])  # [D, d]
    return Whitening(mean, scaled.astype(np.float32))


@dataclass(frozen=True)
class Clusters:
    """What `kmeans` found for N points and K clusters.

    assignment: int64 [N]. loss: mean squared distance to the centroid, as k-means ended.
    reseeded: how many clusters were empty and got points of another one.
    """

    assignment: np.ndarray
    loss: float
    reseeded: int


def limit_threads(count: int) -> None:
    """Clusters with so many CPU threads at most, in the whole process."""
    faiss.omp_set_num_threads(count)


def automatic_num_clusters(num_points: int) -> int:
    """One cluster for every 128 points, as 10,000 for ImageNet (published); at least two."""
    return max(2, num_points // 128)


def kmeans(points: np.ndarray, num_clusters: int, seed: int) -> Clusters:
    """Seeded k-means by squared L2 over float32 [N, d]; no cluster stays empty.

    Only where there are fewer different points than clusters, some must. Raises ValueError where
    there are fewer points than clusters.
    """
    if len(points) < num_clusters:
        raise ValueError(f"{len(points)} points make no {num_clusters} clusters")
    engine = faiss.Kmeans(
        points.shape[1],
        num_clusters,
        niter=KMEANS_ITERATIONS,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=MOST_POINTS,
    )
    points = np.ascontiguousarray(points, np.float32)
    engine.train(points)
    squared, assignment = engine.index.search(points, 1)  # [N, 1] each
    assignment, reseeded = fill_empty(
        points, engine.centroids, assignment[:, 0], np.random.default_rng(seed)
    )
    return Clusters(assignment, float(squared.mean()), reseeded)


def fill_empty(
    points: np.ndarray, centroids: np.ndarray, assignment: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Gives every empty cluster a part of another one (Caron et al. 2018, section 3.3).

    A cluster that is not empty is drawn, its centroid doubled with a small random shift, and its
    points go to the nearer of the two. Where that moves none or all of them, its farthest point
    moves alone. Clusters whose points are all the same are not drawn.

    Returns the assignment [N], a copy, and how many clusters were filled.
    """
    assignment = assignment.astype(np.int64)
    empty = np.flatnonzero(np.bincount(assignment, minlength=len(centroids)) == 0)
    uniform: set[int] = set()  # clusters that cannot be divided
    filled = 0
    for target in empty:
        while True:
            sizes = np.bincount(assignment, minlength=len(centroids))
            able = [c for c in np.flatnonzero(sizes > 1) if c not in uniform]
            if not able:
                return assignment, filled
            source = int(rng.choice(able))
            members = np.flatnonzero(assignment == source)
            moved = _divide(points[members], rng)
            if moved is not None:
                assignment[members[moved]] = target
                filled += 1
                break
            uniform.add(source)
    return assignment, filled


def _divide(members: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Which points [n, d] of a cluster go to its double, bool [n]; None where all are the same."""
    centroid = members.mean(axis=0)  # [d]
    squared = ((members - centroid) ** 2).sum(axis=1)  # [n]
    if (members == members[0]).all():
        return None
    shift = rng.normal(size=centroid.shape) * _PERTURBATION * (np.linalg.norm(centroid) + 1e-12)
    doubled = centroid + shift.astype(centroid.dtype)
    moved = ((members - doubled) ** 2).sum(axis=1) < squared
    if moved.all() or not moved.any():
        moved = np.arange(len(members)) == squared.argmax()
    return moved


def sample_evenly(assignment: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draws `count` points, about equally many of each cluster, in random order. -> int64 [count].

    Small clusters are repeated and large ones used in part, so that no cluster rules the
    learning; empty ones are left out.
    """
    order = np.argsort(assignment, kind="stable")
    sizes = np.bincount(assignment)
    groups = [group for group in np.split(order, np.cumsum(sizes)[:-1]) if len(group)]
    each = count // len(groups) + 1
    drawn = [rng.choice(group, each, replace=len(group) < each) for group in groups]
    return rng.permutation(np.concatenate(drawn))[:count]


def normalised_mutual_information(first: np.ndarray, second: np.ndarray) -> float:
    """How far two assignments [N] of the same points agree: 0 not at all, 1 up to the names.

    Mutual information over the mean of the two entropies; 1 where both have a single cluster.
    """
    if len(first) != len(second) or not len(first):
        raise ValueError(f"{len(first)} and {len(second)} labels: as many of each, at least one")
    _, a = np.unique(first, return_inverse=True)
    _, b = np.unique(second, return_inverse=True)
    pairs, joint = np.unique(a.astype(np.int64) * (b.max() + 1) + b, return_counts=True)
    share = joint / len(a)
    share_a, share_b = np.bincount(a) / len(a), np.bincount(b) / len(b)
    independent = share_a[pairs // (b.max() + 1)] * share_b[pairs % (b.max() + 1)]
    information = float(np.sum(share * np.log(share / independent)))
    entropies = -float(np.sum(share_a * np.log(share_a)) + np.sum(share_b * np.log(share_b)))
    return min(1.0, max(0.0, 2 * information / entropies)) if entropies > 0 else 1.0
