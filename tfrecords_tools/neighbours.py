"""The ten most similar images of every quadrant (thesis, section 3.4; algorithm 2, appendix A).

For each of the four quadrants apart: k-means over the features of that quadrant, then an exact
search for the k nearest within each image's cluster by squared L2. Arrays in, arrays out.
"""

import dataclasses
import itertools

import faiss
import numpy as np

from lorbms_tf import progress
from lorbms_tf.errors import UserError
from lorbms_tf.quadrants import NUM_QUADRANTS

KMEANS_ITERATIONS = 20
POINTS_PER_CENTROID = 256  # k-means looks at a sample of this many images a cluster
IMAGES_PER_CLUSTER = 500  # what num_clusters = 0 aims at
BLOCK_ELEMENTS = 16_000_000  # largest matrix of distances that is held at once

# A float32 matrix product errs by about sqrt(D) * 6e-8 of the norms (D = 9216: 6e-6). All images
# within this margin of the k-th are measured again exactly, so that the k best truly are.
PRODUCT_ERROR = 2e-5


@dataclasses.dataclass(frozen=True)
class Neighbours:
    """What a search found; N images, k neighbours.

    indices: int32 [N, 4, k], which images, nearest first; ties by the lower index.
    distances: float32 [N, 4, k], squared L2 between the features of the quadrants, ascending.
    cluster_sizes: four lists, how many images each cluster of the quadrant holds.
    left_cluster: float [4], share of the images whose own cluster held fewer than k admissible
        others.
    """

    indices: np.ndarray
    distances: np.ndarray
    cluster_sizes: list
    left_cluster: np.ndarray


def automatic_num_clusters(num_images):
    """Number of clusters for num_clusters = 0: one for every 500 images, at least one.

    The thesis does not record its number. Clusters of 500 keep both the k-means and the products
    within clusters cheap at COCO's size (tr_v5: 678 clusters) and leave a small set in one
    cluster, where the search is exact.
    """
    return max(1, round(num_images / IMAGES_PER_CLUSTER))


def resolve_num_clusters(num_clusters, num_images):
    """The number of clusters that is used: 0 is automatic, and never more than there are images."""
    wanted = num_clusters or automatic_num_clusters(num_images)
    return min(wanted, num_images)


def search(features, photo_ids, content_hashes, num_clusters=0, seed=0, k=10, image_hashes=None):
    """Find the k nearest images of each quadrant of each image (thesis, algorithm 2).

    Never among them: the image itself, any image of the same photo (equal photo_id), any image of
    a photo with the same content (equal content hash), any image that is the same picture (equal
    image hash: a photo and its mirrored copy meet so, or two blank ones). Where a cluster holds
    fewer than k admissible images, the next nearest clusters (distance of the image to their
    centroids) are searched too, until there are k; the k best of all that was searched are
    returned.

    Args:
      features: float32 [N, 4, D], what the feature network makes of each quadrant.
      photo_ids: N strings, the photo that each image is a version of.
      content_hashes: N strings, equal where two photos are copies of each other.
      image_hashes: N strings, equal where two images are; None leaves this rule out.
      num_clusters: for the k-means; 0 for automatic.
      seed: of the k-means. The same arguments give the same answer.
      k: how many neighbours (thesis: 10).

    Raises UserError where an image has fewer than k admissible others at all or features are not
    finite, ValueError where the arguments do not fit together.
    """
    features = np.asarray(features, np.float32)
    num_images = len(features)
    labels = [photo_ids, content_hashes] + ([] if image_hashes is None else [image_hashes])
    _check_arguments(features, labels, num_clusters, k)
    identity = np.stack([_codes(names) for names in labels])  # [2 or 3, N]
    _check_enough(identity, photo_ids, k)
    _check_finite(features, photo_ids)
    clusters = resolve_num_clusters(num_clusters, num_images)

    indices = np.empty([num_images, NUM_QUADRANTS, k], np.int32)
    distances = np.empty([num_images, NUM_QUADRANTS, k], np.float32)
    left = np.zeros([num_images, NUM_QUADRANTS], bool)
    sizes = []
    for q in range(NUM_QUADRANTS):
        points = np.ascontiguousarray(features[:, q])  # [N, D]
        centroids, assignment = cluster(points, clusters, seed + q, label=f"k-means q{q + 1}")
        sizes.append(np.bincount(assignment, minlength=clusters).tolist())
        found = _search_quadrant(points, centroids, assignment, identity, k)
        for i, near, squared, went_on in progress.track(
            found, total=num_images, label=f"neighbours q{q + 1}", unit="image"
        ):
            indices[i, q], distances[i, q], left[i, q] = near, squared, went_on
    return Neighbours(indices, distances, sizes, left.mean(axis=0))


def cluster(points, num_clusters, seed, label="k-means"):
    """Seeded k-means with faiss: float32 [N, D] -> centroids [C, D], assignment int64 [N]."""
    if num_clusters == 1:
        centroid = points.mean(axis=0, dtype=np.float64).astype(np.float32)
        return centroid[None], np.zeros(len(points), np.int64)
    # One iteration a call, each started from the centroids of the last, so that progress shows.
    kmeans = faiss.Kmeans(
        points.shape[1],
        num_clusters,
        niter=1,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=POINTS_PER_CENTROID,
    )
    centroids = None
    for _ in progress.track(range(KMEANS_ITERATIONS), label=label, unit="iteration"):
        kmeans.train(points, init_centroids=centroids)
        centroids = kmeans.centroids.copy()  # [C, D]
    _, assignment = kmeans.index.search(points, 1)  # [N, 1]
    return centroids, assignment[:, 0]


def _codes(names):
    """Equal strings to equal integers. N strings -> int64 [N]."""
    return np.unique(np.asarray(names, dtype=object).astype(str), return_inverse=True)[1].reshape(
        -1
    )


def _alike(identity, rows, columns):
    """True where two images share any of their labels. -> bool [rows, columns]."""
    alike = np.zeros([len(rows), len(columns)], bool)
    for codes in identity:
        alike |= codes[rows, None] == codes[None, columns]
    return alike


def _num_alike(identity):
    """How many images share any label with each image, itself included. -> int64 [N]."""
    alike = np.zeros(identity.shape[1], np.int64)
    for size in range(1, len(identity) + 1):  # inclusion and exclusion
        for chosen in itertools.combinations(identity, size):
            _, group, counts = np.unique(chosen, axis=1, return_inverse=True, return_counts=True)
            alike += (1 if size % 2 else -1) * counts[group.reshape(-1)]
    return alike


def _check_arguments(features, labels, num_clusters, k):
    num_images = len(features)
    if features.ndim != 3 or features.shape[1] != NUM_QUADRANTS:
        raise ValueError(f"features must be [N, {NUM_QUADRANTS}, D], not {list(features.shape)}")
    kinds = ("photo ids", "content hashes", "image hashes")
    for kind, names in zip(kinds, labels, strict=False):
        if len(names) != num_images:
            raise ValueError(f"{num_images} images, but {len(names)} {kind}")
    if num_clusters < 0 or k < 1:
        raise ValueError(f"num_clusters must be >= 0 and k >= 1, not {num_clusters} and {k}")


def _check_enough(identity, photo_ids, k):
    num_images = len(photo_ids)
    admissible = num_images - _num_alike(identity)
    if not num_images or admissible.min() < k:
        different = min(len(np.unique(codes)) for codes in identity[:2])
        example = ""
        if num_images:
            worst = int(admissible.argmin())
            count = admissible[worst]
            example = f" (an image of photo '{photo_ids[worst]}' has {count} admissible others)"
        raise UserError(
            f"too few photos: there are {different} different ones and each quadrant needs {k} "
            f"candidates from other photos, so at least {k + 1} are needed{example}"
        )


def _check_finite(features, photo_ids):
    for start in range(0, len(features), 4096):
        finite = np.isfinite(features[start : start + 4096]).all(axis=(1, 2))
        if not finite.all():
            bad = start + int(np.argmin(finite))
            raise UserError(
                f"the features of an image of photo '{photo_ids[bad]}' are not finite: "
                "check --weights"
            )


def _search_quadrant(points, centroids, assignment, identity, k):
    """Yields (image, k indices, k squared distances, whether it left its cluster), by cluster."""
    order = np.argsort(assignment, kind="stable")
    starts = np.searchsorted(assignment[order], np.arange(len(centroids) + 1))
    members = [order[starts[c] : starts[c + 1]] for c in range(len(centroids))]  # each ascending
    for c, inside in enumerate(members):
        if not len(inside):
            continue
        centred = points[inside] - centroids[c]  # [M, D]; small norms keep the products exact
        norms = np.einsum("md,md->m", centred, centred)  # [M]
        step = max(1, BLOCK_ELEMENTS // len(inside))
        for start in range(0, len(inside), step):
            rows = inside[start : start + step]
            near = _approximate(centred, norms, start, step)  # [R, M]
            near[_alike(identity, rows, inside)] = np.inf
            margins = PRODUCT_ERROR * (norms[start : start + step] + norms.max())  # [R]
            for i, row, margin in zip(rows, near, margins, strict=True):
                # Everything that may be among the k best, given the error of the products.
                bound = np.partition(row, k - 1)[k - 1] if len(row) >= k else np.inf
                if np.isfinite(bound):
                    yield i, *_k_best(points, i, inside[row <= bound + margin], k), False
                else:
                    wider = _widen(points[i], i, c, centroids, members, identity, k)
                    yield i, *_k_best(points, i, wider, k), True


def _approximate(centred, norms, start, step):
    """Squared distances of some rows to all points by |a|^2 - 2ab + |b|^2. -> float32 [R, M]."""
    block = centred[start : start + step]
    return norms[start : start + step, None] - 2 * (block @ centred.T) + norms[None, :]


def _widen(point, i, own, centroids, members, identity, k):
    """At least k admissible images, from its own cluster and the next nearest. -> int64 [n]."""
    to_centroids = ((centroids - point) ** 2).sum(axis=1)  # [C]
    to_centroids[own] = -1  # its own cluster comes first
    found, count = [], 0
    for c in np.argsort(to_centroids, kind="stable"):
        inside = members[c]
        inside = inside[~_alike(identity, np.array([i]), inside)[0]]
        found.append(inside)
        count += len(inside)
        if count >= k:
            break
    return np.sort(np.concatenate(found))


def _k_best(points, i, candidates, k):
    """Exact squared distances of a few candidates, in ascending order: indices, distances [k]."""
    difference = points[candidates].astype(np.float64) - points[i]  # [n, D]
    squared = np.einsum("nd,nd->n", difference, difference)
    best = np.argsort(squared, kind="stable")[:k]  # stable: ties by the lower index
    return candidates[best], squared[best]
