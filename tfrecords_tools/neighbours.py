"""The ten most similar images of every quadrant (thesis, section 3.4; algorithm 2, appendix A).

For each of the four quadrants apart: k-means over the features of that quadrant, then an exact
search for the k nearest within each image's cluster by squared L2. Arrays in, arrays out.
"""

import dataclasses
import itertools

import numpy as np

from lorbms_tf import progress
from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.errors import UserError
from tfrecords_tools import in_cluster
from tfrecords_tools.clusters import cluster
from tfrecords_tools.feature_store import FeatureFile

IMAGES_PER_CLUSTER = 500  # what num_clusters = 0 aims at


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


def fewer_clusters(num_clusters, num_images):
    """A sentence where fewer clusters are used than asked for; else ""."""
    if num_clusters <= num_images:
        return ""
    return f"{num_clusters} clusters are more than the {num_images} images: {num_images} are made"


def search(features, photo_ids, content_hashes, num_clusters=0, seed=0, k=10, image_hashes=None):
    """Find the k nearest images of each quadrant of each image (thesis, algorithm 2).

    Never among them: the image itself, any image of the same photo (equal photo_id), any image of
    a photo with the same content (equal content hash), any image that is the same picture (equal
    image hash: a photo and its mirrored copy meet so, or two blank ones). Where a cluster holds
    fewer than k admissible images, the next nearest clusters (distance of the image to their
    centroids) are searched too, until there are k; the k best of all that was searched are
    returned.

    Args:
      features: float32 [N, 4, D], what the feature network makes of each quadrant; or a
        `feature_store.FeatureFile`, which need not fit into memory.
      photo_ids: N strings, the photo that each image is a version of.
      content_hashes: N strings, equal where two photos are copies of each other.
      image_hashes: N strings, equal where two images are; None leaves this rule out.
      num_clusters: for the k-means; 0 for automatic.
      seed: of the k-means. The same arguments give the same answer.
      k: how many neighbours (thesis: 10).

    Raises UserError where an image has fewer than k admissible others at all or features are not
    finite, ValueError where the arguments do not fit together.
    """
    labels = [photo_ids, content_hashes] + ([] if image_hashes is None else [image_hashes])
    _check_arguments(features, labels, num_clusters, k)
    identity = identify(labels, k)
    if not isinstance(features, FeatureFile):
        features = np.asarray(features, np.float32)
        _check_finite(features, photo_ids)
    clustered = cluster_all(features, num_clusters, seed)
    return search_all(features, clustered, identity, k)


def identify(labels, k):
    """Integers in place of labels: lists of N strings, the photo ids first -> int64 [labels, N].

    Raises UserError where an image has fewer than k others that share none of its labels.
    """
    identity = np.stack([_codes(names) for names in labels])
    _check_enough(identity, labels[0], k)
    return identity


def _call(name, make):
    """Stands for `keep` where nothing is kept."""
    return make()


def cluster_all(features, num_clusters, seed, keep=_call):
    """k-means of each quadrant apart: a list of four {"centroids", "assignment"}.

    keep: is called with a name and a function that makes arrays by name; gives those arrays,
    made now or kept from an earlier time.
    """
    clusters = resolve_num_clusters(num_clusters, len(features))

    def make(q):
        label = f"k-means q{q + 1}"
        centroids, assignment = cluster(quadrant(features, q), clusters, seed + q, label=label)
        return {"centroids": centroids, "assignment": assignment}

    return [
        keep(f"clusters-{clusters}-q{q + 1}", lambda q=q: make(q)) for q in range(NUM_QUADRANTS)
    ]


def search_all(features, clustered, identity, k, keep=_call, queries=None):
    """The neighbours of all images, or of those that bool [N] `queries` marks (others stay 0).

    clustered: as `cluster_all` gives it. identity: as `identify` does. keep: as there.
    """
    num_images = len(features)
    clusters = len(clustered[0]["centroids"])
    made = [
        keep(
            f"neighbours-{clusters}-q{q + 1}",
            lambda q=q: _search_quadrant(features, q, clustered[q], identity, k, queries),
        )
        for q in range(NUM_QUADRANTS)
    ]
    asked = np.ones(num_images, bool) if queries is None else queries
    return Neighbours(
        np.stack([found["indices"] for found in made], axis=1),
        np.stack([found["distances"] for found in made], axis=1),
        [np.bincount(c["assignment"], minlength=clusters).tolist() for c in clustered],
        np.array([found["left"][asked].mean() for found in made]),
    )


def _search_quadrant(features, q, clustered, identity, k, queries):
    num_images = len(features)
    indices = np.zeros([num_images, k], np.int32)
    distances = np.zeros([num_images, k], np.float32)
    left = np.zeros(num_images, bool)
    points = quadrant(features, q)
    found = in_cluster.search(
        points, clustered["centroids"], clustered["assignment"], identity, k, queries
    )
    total = num_images if queries is None else int(queries.sum())
    for i, near, squared, went_on in progress.track(
        found, total=total, label=f"neighbours q{q + 1}", unit="image"
    ):
        indices[i], distances[i], left[i] = near, squared, went_on
    return {"indices": indices, "distances": distances, "left": left}


def quadrant(features, q):
    """Quadrant q of an array [N, 4, D] or of a `FeatureFile`: [N, D], read by `points[index]`."""
    return features.quadrant(q) if isinstance(features, FeatureFile) else features[:, q]


def _codes(names):
    """Equal strings to equal integers. N strings -> int64 [N]."""
    return np.unique(np.asarray(names, dtype=object).astype(str), return_inverse=True)[1].reshape(
        -1
    )


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
    if len(features.shape) != 3 or features.shape[1] != NUM_QUADRANTS:
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
