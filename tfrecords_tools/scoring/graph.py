"""Records as a graph: which images there are, who has whom as a candidate, a sample of pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lorbms_tf.data import records
from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.errors import UserError
from lorbms_tf.progress import track

Name = tuple[str, str]  # photo id and version


@dataclass(frozen=True)
class Graph:
    """The references of records and their candidates; N references, M >= N images.

    names: photo id and version of each image; the first N are the references, in order.
    indices: int32 [N, 4, 10], images.
    distances: float32 [N, 4, 10].
    sample: int [S], the references that are looked at closely, ascending.
    pictures: JPEG of the sampled references and of all their candidates, by image.
    """

    names: list[Name]
    indices: np.ndarray
    distances: np.ndarray
    sample: np.ndarray
    pictures: dict[int, bytes]

    @property
    def photos(self) -> np.ndarray:
        """int [M]: equal for images of one photo."""
        ids = np.array([photo_id for photo_id, _ in self.names], dtype=object).astype(str)
        return np.unique(ids, return_inverse=True)[1].reshape(-1)


def read(shards: Sequence[str], limit: int, seed: int) -> Graph:
    """Reads all records once and keeps the pictures of at most `limit` of them (0: all).

    Raises UserError where a file or a record is damaged, or a reference stands there twice.
    """
    counts = [records.count(path) for path in shards]
    total = sum(counts)
    if not total:
        raise UserError("the record files hold no records")
    chosen = min(limit or total, total)
    sample = np.sort(np.random.default_rng(seed).choice(total, chosen, replace=False))
    wanted = set(sample.tolist())
    seen: dict[Name, int] = {}  # images in the order in which they are met
    references = np.empty(total, np.int32)
    indices = np.empty((total, NUM_QUADRANTS, records.NUM_CANDIDATES), np.int32)
    distances = np.empty(indices.shape, np.float32)
    pictures: dict[int, bytes] = {}
    for number, record in enumerate(track(_all(shards), total=total, unit="record", label="graph")):
        own = seen.setdefault((record.photo_id, record.version), len(seen))
        references[number] = own
        for q in range(NUM_QUADRANTS):
            row = zip(record.candidate_ids[q], record.candidate_versions[q], strict=True)
            indices[number, q] = [seen.setdefault(name, len(seen)) for name in row]
        distances[number] = record.distances
        if number in wanted:
            pictures[own] = record.image
            for q in range(NUM_QUADRANTS):
                pictures.update(
                    zip(indices[number, q].tolist(), record.candidate_images[q], strict=True)
                )
    order = _references_first(references, list(seen))
    places = np.empty(len(order), np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    names = list(seen)
    return Graph(
        [names[image] for image in order],
        places[indices],
        distances,
        sample,
        {int(places[image]): jpeg for image, jpeg in pictures.items()},
    )


def _references_first(references: np.ndarray, names: list[Name]) -> np.ndarray:
    """All images, the references in their order and then those that are candidates only."""
    images, counts = np.unique(references, return_counts=True)
    if counts.max() > 1:
        photo_id, version = names[images[counts.argmax()]]
        raise UserError(f"two records have the reference {photo_id} ({version})")
    others = np.setdiff1d(np.arange(len(names)), images)
    return np.concatenate([references, others.astype(references.dtype)])


def _all(shards: Sequence[str]):
    for path in shards:
        for number, raw in enumerate(records.read_shard(path)):
            try:
                yield records.deserialize(raw)
            except ValueError as error:
                raise UserError(f"{path}, record {number}: {error}") from error
