"""Steps from neighbours to shards: join with the JPEGs, records, sorted parts, shards.

A shard holds the records of the local path in its order, to the byte. It is made of parts, files
of 256 records each, so that nobody sorts a whole shard in memory.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf

from lorbms_tf.data import records
from lorbms_tf.files import atomic_file, atomic_path, write_json
from tfrecords_tools import assemble, image_chunks
from tfrecords_tools.assemble import Item
from tfrecords_tools.distributed import jobs
from tfrecords_tools.distributed.search import Near, unpack

PART = 256  # records

Chunk = tuple[str, int]  # its file, and the number of its first image
Place = tuple[int, int]  # shard, part of it


@dataclass(frozen=True)
class Made:
    """A record, its place in its shard, and what the launcher needs of it."""

    position: int
    index: int  # of the image
    record: bytes
    near: list[Near]  # by quadrant


@dataclass(frozen=True)
class Shards:
    """Where records go."""

    folder: Path
    prefix: str
    num_shards: int
    num_records: int
    image_size: int
    seed: int

    def shares(self) -> list[np.ndarray]:
        """See `assemble.shares`."""
        return assemble.shares(self.num_records, self.num_shards, self.seed)

    def parts(self) -> int:
        """How many parts there will be."""
        return sum(-(-len(share) // PART) for share in self.shares())


class ReadChunk(jobs.Step):
    """Chunk -> (image, Item)."""

    def work(self, element: Chunk) -> Iterator[tuple[int, Item]]:
        path, first = element
        yield from enumerate(image_chunks.read(Path(path)).items, first)


def _wanted(found: tuple[int, Near]) -> Iterator[tuple[int, int]]:
    """(image, the image whose record needs it); candidates of several quadrants several times."""
    i, near = found
    if near.q == 0:
        yield i, i
    for j in unpack(near.indices).tolist():
        yield j, i


def _deliver(joined) -> Iterator[tuple[int, tuple[int, Item]]]:
    """(image, (image that its record needs, Item))."""
    j, groups = joined
    (item,) = groups["items"]
    for i in set(groups["wanted"]):
        yield i, (j, item)


class MakeRecord(jobs.Step):
    """(image, its Items and Nears) -> ((shard, part), Made)."""

    def __init__(self, folder: Path, shards: Shards):
        super().__init__(folder)
        self.shards = shards

    def setup(self) -> None:
        super().setup()
        self.place = np.empty((self.shards.num_records, 2), np.int64)  # shard, position in it
        for shard, share in enumerate(self.shards.shares()):
            self.place[share, 0], self.place[share, 1] = shard, np.arange(len(share))

    def work(self, element) -> Iterator[tuple[Place, Made]]:
        i, groups = element
        near = sorted(groups["near"], key=lambda found: found.q)
        indices, distances = _arrays(near)
        record = assemble.make_record(
            dict(groups["items"]), i, indices, distances, self.shards.image_size
        )
        shard, position = self.place[i].tolist()
        yield (shard, position // PART), Made(position, i, records.serialize(record), near)


def _arrays(near: list[Near]) -> tuple[np.ndarray, np.ndarray]:
    """indices int32 [4, 10], distances float32 [4, 10]."""
    distances = [np.frombuffer(found.distances, np.float32) for found in near]
    return np.stack([unpack(found.indices) for found in near]), np.stack(distances)


class WritePart(jobs.Step):
    """((shard, part), its records) -> files of the records and of the neighbours."""

    def work(self, element: tuple[Place, Iterable[Made]]) -> Iterator[Place]:
        (shard, part), made = element
        made = sorted(made, key=lambda one: one.position)
        with (
            assemble.told_plainly(self.folder),
            atomic_path(part_path(self.folder, shard, part)) as temporary,
            tf.io.TFRecordWriter(str(temporary)) as writer,
        ):
            for one in made:
                writer.write(one.record)
        arrays = [_arrays(one.near) for one in made]
        path = part_path(self.folder, shard, part).with_suffix(".npz")
        with atomic_file(path) as file:
            np.savez(
                file,
                images=[one.index for one in made],
                indices=[indices for indices, _ in arrays],
                distances=[distances for _, distances in arrays],
                clusters=[[found.cluster for found in one.near] for one in made],
                left=[[found.left for found in one.near] for one in made],
            )
        jobs.count("records written", len(made))
        yield shard, part


def part_path(folder: Path, shard: int, part: int) -> Path:
    """The file of a part's records."""
    return folder / f"{shard:05d}-{part:06d}.part"


class JoinParts(jobs.Step):
    """(shard, its parts) -> the shard, and a file that says what dataset.json says of it."""

    def __init__(self, folder: Path, shards: Shards):
        super().__init__(folder)
        self.shards = shards

    def setup(self) -> None:
        super().setup()
        self.numbers = [len(share) for share in self.shards.shares()]

    def work(self, element: tuple[int, Iterable[int]]) -> Iterator[dict[str, Any]]:
        shard, parts = element
        path = records.shard_path(
            self.shards.folder, self.shards.prefix, shard, self.shards.num_shards
        )
        with atomic_file(path) as whole:
            for part in sorted(parts):
                with open(part_path(self.folder, shard, part), "rb") as file:
                    shutil.copyfileobj(file, whole)
        described = assemble.describe(path, self.numbers[shard])
        write_json(shard_file(self.folder, shard), described)
        jobs.count("shards written")
        yield described


def shard_file(folder: Path, shard: int) -> Path:
    """What dataset.json will say of a shard."""
    return folder / f"{shard:05d}.json"


class Assemble(beam.PTransform):
    """(image, Near) -> shards."""

    def __init__(self, folder: Path, shards: Shards, chunks: list[Chunk]):
        super().__init__()
        self.folder, self.shards, self.chunks = folder, shards, chunks

    def expand(self, found):
        items = (
            found.pipeline
            | "chunks" >> beam.Create(self.chunks)
            | "spread chunks" >> beam.Reshuffle()
            | "images" >> beam.ParDo(ReadChunk(self.folder))
        )
        wanted = found | "wanted" >> beam.FlatMap(_wanted)
        delivered = (
            {"items": items, "wanted": wanted}
            | "join images" >> beam.CoGroupByKey()
            | "deliver" >> beam.FlatMap(_deliver)
        )
        return (
            {"items": delivered, "near": found}
            | "by image" >> beam.CoGroupByKey()
            | "record" >> beam.ParDo(MakeRecord(self.folder, self.shards))
            | "by part" >> beam.GroupByKey()
            | "write part" >> beam.ParDo(WritePart(self.folder))
            | "by shard" >> beam.GroupByKey()
            | "join parts" >> beam.ParDo(JoinParts(self.folder, self.shards))
        )
