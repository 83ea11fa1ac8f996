"""The engine of `--engine=beam`: jobs in place of the local path's loops (`engines`)."""

import shutil
from pathlib import Path

import apache_beam as beam
import numpy as np

from lorbms_tf.data import records
from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.files import atomic_file, read_json
from tfrecords_tools import clusters, image_chunks, neighbours
from tfrecords_tools.distributed import assembly, images, jobs, photos, search
from tfrecords_tools.neighbours import Neighbours


class Beam:
    """Jobs on the runner that --beam_flags name."""

    def __init__(self, flags: str):
        """Raises UserError where the flags cannot be read."""
        self._jobs = jobs.Jobs(flags)

    def check(self, work, found, min_size, num_workers):
        folder = _fresh(work.path / "beam-photos")
        yield from photos.check(self._jobs, folder, found, min_size, num_workers)

    def images(self, config, work, features, found, network):
        folder = work.path / "beam-images"
        folder.mkdir(exist_ok=True)
        return images.compute(self._jobs, config, folder, work.chunks, features, found)

    def records(self, config, work, prepared, stages):
        features = prepared.features
        num_images = len(features)
        num_clusters = neighbours.resolve_num_clusters(config.num_clusters, num_images)
        with stages("clusters"):
            centroids = _fit(config, work, features, num_clusters)
        with stages("neighbours and records"):
            folder = _fresh(work.path / "beam-records")
            identity = _save(folder / "identity.npy", prepared.identity)
            centroids = _save(folder / "centroids.npy", centroids)
            shards = assembly.Shards(
                work.records,
                config.prefix,
                config.num_shards,
                num_images,
                config.image_size,
                config.seed,
            )

            def build(pipeline: beam.Pipeline) -> None:
                found = pipeline | search.SearchAll(folder, features, identity, centroids)
                found | assembly.Assemble(folder, shards, _chunks(work, num_images))

            label = f"neighbours and records, {assembly.PART} a part"
            self._jobs.run(build, folder, "*.part", shards.parts(), label, "part")
            found = _gather(folder, num_images, num_clusters)
            paths = [assembly.shard_file(folder, shard) for shard in range(config.num_shards)]
            described = [read_json(path) for path in paths]
            shutil.rmtree(folder)
        return found, described

    def told(self):
        counted = sorted(self._jobs.counters.items())
        return [f"counted by Beam: {name}: {number}" for name, number in counted if number]


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _save(path: Path, values: np.ndarray) -> Path:
    with atomic_file(path) as file:
        np.save(file, values)
    return path


def _fit(config, work, features, num_clusters) -> np.ndarray:
    """Centroids float32 [4, C, D]: k-means here, as it looks at a sample only."""

    def make(q: int) -> dict[str, np.ndarray]:
        points, label = neighbours.quadrant(features, q), f"k-means q{q + 1}"
        return {"centroids": clusters.fit(points, num_clusters, config.seed + q, label)}

    made = [
        work.keep(f"centroids-{num_clusters}-q{q + 1}", lambda q=q: make(q))
        for q in range(NUM_QUADRANTS)
    ]
    return np.stack([found["centroids"] for found in made])


def _chunks(work, num_images: int) -> list[assembly.Chunk]:
    """The files of the images, each with the number of its first one."""
    chunks, first = [], 0
    for path in sorted(work.chunks.glob("*.npz")):
        chunks.append((str(path), first))
        first += sum(image_chunks.read(path, jpegs=False).kept)
    if first != num_images:
        raise ValueError(f"{first} images in {work.chunks}, {num_images} vectors")
    return chunks


def _gather(folder: Path, num_images: int, num_clusters: int) -> Neighbours:
    """What the parts of the shards tell of the search."""
    shape = (num_images, NUM_QUADRANTS, records.NUM_CANDIDATES)
    indices, distances = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
    assignment = np.full(shape[:2], -1)
    left = np.zeros(shape[:2], bool)
    for path in folder.glob("*-*.npz"):
        with np.load(path) as part:
            chosen = part["images"]
            indices[chosen], distances[chosen] = part["indices"], part["distances"]
            assignment[chosen], left[chosen] = part["clusters"], part["left"]
    if assignment.min() < 0:
        raise RuntimeError(f"the Beam job has made no record of {(assignment < 0).any(1).sum()}")
    sizes = [np.bincount(column, minlength=num_clusters).tolist() for column in assignment.T]
    return Neighbours(indices, distances, sizes, left.mean(axis=0))
