"""Steps from features to neighbours: assignment to clusters, then the search in each cluster.

Between steps travel numbers of images; their vectors are read from the feature file, those of one
cluster at a time (`in_cluster`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import numpy as np

from lorbms_tf.data import records
from lorbms_tf.data.quadrants import NUM_QUADRANTS
from tfrecords_tools import clusters, feature_store, in_cluster
from tfrecords_tools.distributed import jobs
from tfrecords_tools.feature_store import FeatureFile

Cluster = tuple[int, int]  # quadrant, number

_SHORT = "short"


@dataclass(frozen=True)
class Near:
    """What the search found for one quadrant of one image; arrays as bytes."""

    q: int
    cluster: int  # the image's own
    left: bool  # whether it had to be left
    indices: bytes  # int32 [10]
    distances: bytes  # float32 [10]


def pack(indices: Iterable[int]) -> bytes:
    """Numbers of images, as they travel."""
    return np.asarray(indices, np.int32).tobytes()


def unpack(packed: bytes) -> np.ndarray:
    """int32 [n] of what `pack` has made."""
    return np.frombuffer(packed, np.int32)


class Assign(jobs.Step):
    """(quadrant, first image, end) -> ((quadrant, cluster), packed images) for each cluster."""

    def __init__(self, folder: Path, features: FeatureFile):
        super().__init__(folder)
        self.features = features

    def work(
        self, element: tuple[int, int, int], centroids: np.ndarray
    ) -> Iterator[tuple[Cluster, bytes]]:
        q, start, end = element
        assignment = clusters.assign(self.features.quadrant(q)[start:end], centroids[q])
        jobs.count("quadrants assigned", len(assignment))
        for cluster in np.unique(assignment).tolist():
            yield (q, cluster), pack(start + np.flatnonzero(assignment == cluster))


class _Search(jobs.Step):
    """What the two steps of the search share."""

    def __init__(self, folder: Path, features: FeatureFile, identity: Path):
        """identity: file of int64 [L, N], see `neighbours.identify`."""
        super().__init__(folder)
        self.features, self.identity_file = features, identity

    def setup(self) -> None:
        super().setup()
        self.identity = np.load(self.identity_file, mmap_mode="r")

    def found(self, i: int, q: int, cluster: int, near, left: bool) -> tuple[int, Near]:
        """An image and what was found for its quadrant. near: k indices, k squared distances."""
        jobs.count("searches")
        if left:
            jobs.count("searches that left their cluster")
        indices, squared = near
        distances = np.asarray(squared, np.float32).tobytes()
        return int(i), Near(q, cluster, left, pack(indices), distances)


class SearchCluster(_Search):
    """((quadrant, cluster), its images) -> (image, Near).

    To the output "short" go the images that have too few others in their cluster.
    """

    def work(self, element: tuple[Cluster, bytes], centroids: np.ndarray):
        (q, cluster), packed = element
        inside = unpack(packed).astype(np.int64)
        short = []
        for i, near in in_cluster.search_one(
            self.features.quadrant(q),
            inside,
            np.arange(len(inside)),
            centroids[q, cluster],
            self.identity,
            records.NUM_CANDIDATES,
        ):
            if near is None:
                short.append(i)
            else:
                yield self.found(i, q, cluster, near, False)
        if short:
            yield beam.pvalue.TaggedOutput(_SHORT, ((q, cluster), pack(short)))


class SearchWider(_Search):
    """((quadrant, cluster), images) -> (image, Near), from the next nearest clusters too."""

    def work(
        self,
        element: tuple[Cluster, bytes],
        centroids: np.ndarray,
        members: Mapping[Cluster, bytes],
    ) -> Iterator[tuple[int, Near]]:
        (q, cluster), packed = element
        points, clusters_of_q = self.features.quadrant(q), _Clusters(q, members)
        for i in unpack(packed).tolist():
            near = in_cluster.search_wider(
                points,
                i,
                cluster,
                centroids[q],
                clusters_of_q,
                self.identity,
                records.NUM_CANDIDATES,
            )
            yield self.found(i, q, cluster, near, True)


class _Clusters:
    """The images of each cluster of a quadrant, by its number."""

    def __init__(self, q: int, members: Mapping[Cluster, bytes]):
        self._q, self._members = q, members

    def __getitem__(self, cluster: int) -> np.ndarray:
        return unpack(self._members.get((self._q, int(cluster)), b"")).astype(np.int64)


def _merge(group: tuple[Cluster, Iterable[bytes]]) -> tuple[Cluster, bytes]:
    key, parts = group
    return key, np.sort(unpack(b"".join(parts))).tobytes()


class SearchAll(beam.PTransform):
    """pipeline -> (image, Near), four times for each image."""

    def __init__(self, folder: Path, features: FeatureFile, identity: Path, centroids: Path):
        """identity: see `_Search`. centroids: file of float32 [4, C, D]."""
        super().__init__()
        self.folder, self.features, self.identity = folder, features, identity
        self.centroids = centroids

    def expand(self, pipeline: beam.Pipeline):
        rows, _, dimension = self.features.shape
        # The shortest parts that give the bits of the whole: all workers get some.
        parts = feature_store.blocks(rows, dimension, clusters.ASSIGN_MULTIPLE, block_bytes=1)
        tasks = [(q, part.start, part.stop) for part in parts for q in range(NUM_QUADRANTS)]
        centroids = beam.pvalue.AsSingleton(
            pipeline
            | "centroids" >> beam.Create([str(self.centroids)])
            | "read" >> beam.Map(np.load)
        )
        members = (
            pipeline
            | "parts" >> beam.Create(tasks)
            | "spread parts" >> beam.Reshuffle()
            | "assign" >> beam.ParDo(Assign(self.folder, self.features), centroids)
            | "by cluster" >> beam.GroupByKey()
            | "merge" >> beam.Map(_merge)
        )
        options = (self.folder, self.features, self.identity)
        searched = members | "search" >> beam.ParDo(
            SearchCluster(*options), centroids
        ).with_outputs(_SHORT, main="found")
        wider = (
            searched[_SHORT]
            | "spread short" >> beam.Reshuffle()
            | "search wider"
            >> beam.ParDo(SearchWider(*options), centroids, beam.pvalue.AsDict(members))
        )
        return (searched["found"], wider) | "all found" >> beam.Flatten()
