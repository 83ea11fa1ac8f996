"""The job that reads all photos once, to find those that cannot be used."""

from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam

from lorbms_tf.files import read_json, write_json
from tfrecords_tools import sources
from tfrecords_tools.distributed import jobs
from tfrecords_tools.sources import Photo

BLOCK = 128  # photos that a worker takes at a time


class Check(jobs.Step):
    """(number, photos) -> a file with the reason to drop each photo, "" for none."""

    def __init__(self, folder: Path, min_size: int, num_workers: int):
        super().__init__(folder)
        self.min_size, self.num_workers = min_size, num_workers

    def work(self, element: tuple[int, list[Photo]]) -> Iterator[int]:
        number, photos = element
        reasons = list(sources.faults(photos, self.min_size, self.num_workers))
        jobs.count("photos read", len(photos))
        for reason in filter(None, reasons):
            jobs.count(f"photos dropped: {sources.reason_of(reason)}")
        write_json(self.folder / f"{number:06d}.json", reasons)
        yield number


def check(
    runner: jobs.Jobs, folder: Path, photos: list[Photo], min_size: int, num_workers: int
) -> Iterator[tuple[Photo, str]]:
    """Yields every photo, in order, with the reason to drop it, as `sources.check_all` does.

    folder: empty; for the job.
    """
    starts = range(0, len(photos), BLOCK)
    tasks = [(number, photos[start : start + BLOCK]) for number, start in enumerate(starts)]

    def build(pipeline: beam.Pipeline) -> None:
        step = Check(folder, min_size, num_workers)
        pipeline | beam.Create(tasks) | beam.Reshuffle() | beam.ParDo(step)

    label = f"reading photos, {BLOCK} a block"
    runner.run(build, folder, "*.json", len(tasks), label, "block")
    for number, block in tasks:
        yield from zip(block, read_json(folder / f"{number:06d}.json"), strict=True)
