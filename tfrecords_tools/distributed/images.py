"""The job from photos to images and features, by the chunks of the local path.

A chunk is cut and seen by the network in the very blocks of `image_chunks`, so its bits are those
of the local path wherever it is computed.
"""

import functools
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import apache_beam as beam
import numpy as np

from lorbms_tf.features.network import FeatureNetwork
from lorbms_tf.files import atomic_file
from tfrecords_tools import feature_store, image_chunks, quadrant_features
from tfrecords_tools.build_config import BuildConfig
from tfrecords_tools.distributed import jobs
from tfrecords_tools.feature_store import FeatureFile
from tfrecords_tools.items import Collected
from tfrecords_tools.sources import Photo

_network_lock = threading.Lock()  # a worker may have several threads
_networks = functools.lru_cache(maxsize=1)(quadrant_features.network_of)


def _network_of(config: BuildConfig) -> FeatureNetwork:
    """The feature network, one for all threads of a worker."""
    with _network_lock:
        return _networks(config)


class Cut(jobs.Step):
    """(number, photos of a chunk) -> a file of its features, then one of its images."""

    def __init__(self, folder: Path, config: BuildConfig):
        super().__init__(folder)
        self.config = config

    def setup(self) -> None:
        super().setup()
        self.network = _network_of(self.config)

    def work(self, element: tuple[int, list[Photo]]) -> Iterator[int]:
        number, photos = element
        collected = Collected()
        images = image_chunks.squares(self.config, self.network, photos, collected)
        total = len(photos) * len(self.config.version_names())
        blocks = [
            feature_store.as_stored(block, self.config.feature_dtype)
            for block in image_chunks.vectors(self.config, self.network, total, images)
        ]
        path = _features(self.folder, number)
        with atomic_file(path) as file:
            np.save(file, np.concatenate(blocks))
        image_chunks.write(image_chunks.path_of(self.folder, number), collected)
        jobs.count("images made", len(collected.items))
        jobs.count("photos skipped later", len(collected.skipped))
        yield number


def _features(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.npy"


def compute(
    runner: jobs.Jobs,
    config: BuildConfig,
    folder: Path,
    chunks: Path,
    features: FeatureFile,
    photos: Sequence[Photo],
) -> Collected:
    """Fills `features` and the folder `chunks` as `image_chunks.compute` does.

    folder: holds the chunks that workers have finished; from there they are brought, in order, to
    where the local path has them. Gives the images without their JPEGs.
    """
    chunks.mkdir(exist_ok=True)
    num_versions = len(config.version_names())
    step = image_chunks.photos_in_chunk(num_versions)
    starts = range(0, len(photos), step)
    todo = [
        (number, photos[start : start + step])
        for number, start in enumerate(starts)
        if not image_chunks.path_of(chunks, number).exists()
        and not image_chunks.path_of(folder, number).exists()
    ]
    if len(todo) < len(starts):
        print(f"{len(starts) - len(todo)} of {len(starts)} chunks of images are there already")
    if todo:
        present = len(list(folder.glob("*.npz")))

        def build(pipeline: beam.Pipeline) -> None:
            pipeline | beam.Create(todo) | beam.Reshuffle() | beam.ParDo(Cut(folder, config))

        label = f"quadrant features, {step} photos a chunk"
        runner.run(build, folder, "*.npz", present + len(todo), label, "chunk")
    collected = Collected()
    for number, start in enumerate(starts):
        path = image_chunks.path_of(chunks, number)
        if not path.exists():
            features.write(start * num_versions, np.load(_features(folder, number)))
            features.flush()
            os.replace(image_chunks.path_of(folder, number), path)
        _features(folder, number).unlink(missing_ok=True)
        collected.extend(image_chunks.read(path, jpegs=False))
    return collected
