"""Seeded k-means over vectors that need not fit into memory (thesis, algorithm 2)."""

import faiss
import numpy as np

from lorbms_tf import progress
from tfrecords_tools import feature_store

KMEANS_ITERATIONS = 20
POINTS_PER_CENTROID = 256  # k-means looks at a sample of this many images a cluster
SAMPLE_BYTES = 8 * 2**30  # of float32: the most that the sample takes
ASSIGN_MULTIPLE = 4096  # faiss's own block of queries: so the parts give the bits of the whole


def cluster(points, num_clusters, seed, label="k-means"):
    """Seeded k-means with faiss: [N, D] -> centroids float32 [C, D], assignment int64 [N].

    points: anything with a shape [N, D] whose `points[slice or indices]` is float32: an array, or
    `feature_store.Rows`. In memory are only the sample that the centroids are fitted to, at most
    8 GiB, and 256 MB in which the others are assigned.
    """
    centroids = fit(points, num_clusters, seed, label)
    return centroids, assign(points, centroids)


def fit(points, num_clusters, seed, label="k-means"):
    """The centroids alone, from a sample of the points."""
    if num_clusters == 1:
        return mean(points)[None]
    # One iteration a call, each started from the centroids of the last, so that progress shows.
    kmeans = faiss.Kmeans(
        points.shape[1],
        num_clusters,
        niter=1,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=POINTS_PER_CENTROID,
    )
    fitted = sample(points, num_clusters, seed)
    centroids = None
    for _ in progress.track(range(KMEANS_ITERATIONS), label=label, unit="iteration"):
        kmeans.train(fitted, init_centroids=centroids)
        centroids = kmeans.centroids.copy()  # [C, D]
    return centroids


def assign(points, centroids):
    """The nearest centroid of each point: [N, D], float32 [C, D] -> int64 [N].

    A part of the points that starts at a multiple of `ASSIGN_MULTIPLE` gets what it gets among all.
    """
    if len(centroids) == 1:
        return np.zeros(len(points), np.int64)
    index = faiss.IndexFlatL2(centroids.shape[1])
    index.add(centroids)
    assignment = np.empty(len(points), np.int64)
    for part in feature_store.blocks(*points.shape, ASSIGN_MULTIPLE):
        block = np.ascontiguousarray(points[part])
        assignment[part] = index.search(block, 1)[1][:, 0]  # [n, 1]
    return assignment


def sample(points, num_clusters, seed):
    """What k-means looks at: the very vectors, and order, that faiss would draw from all of them.

    Fewer for each centroid than faiss's 256 only where those would take more than 8 GiB.
    """
    num_points, dimension = points.shape
    most = max(num_clusters, SAMPLE_BYTES // (4 * dimension))
    wanted = min(num_clusters * POINTS_PER_CENTROID, most)
    if num_points <= wanted:
        return np.ascontiguousarray(points[:])
    drawn = np.empty(num_points, np.int32)
    faiss.rand_perm(faiss.swig_ptr(drawn), num_points, seed)
    drawn = drawn[:wanted].astype(np.int64)
    places = np.argsort(drawn)  # a file is read from its start to its end
    vectors = np.empty((wanted, dimension), np.float32)
    for part in feature_store.blocks(wanted, dimension):
        vectors[places[part]] = points[drawn[places[part]]]
    return vectors


def mean(points):
    """Their mean, summed in float64. [N, D] -> float32 [D]."""
    total = np.zeros(points.shape[1], np.float64)
    for part in feature_store.blocks(*points.shape):
        total += points[part].sum(axis=0, dtype=np.float64)
    return (total / len(points)).astype(np.float32)
