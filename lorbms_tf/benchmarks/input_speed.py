"""How many records a second the input gives: as it is, decoding all 41 images, from loose files.

And what it reads for a record, and how long a run that is resumed waits for its first batch.
"""

import dataclasses
import gc
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from lorbms_tf.benchmarks import machine
from lorbms_tf.data import (
    images,
    index_making,
    pipeline,
    reading,
    record_index,
    record_order,
    records,
)
from lorbms_tf.data.record_index import RecordIndex

BATCH_SIZES = (4, 12, 64)
_WARM_UP_BATCHES = 5
_ROUNDS = 3  # of each way in turn, so that a busy machine disturbs all alike
_LOOSE_RECORDS = 1000  # at most so many records' images are written as files
_LONG_EPOCH = 100_000  # records
_SHUFFLED = 2048  # records, where whole ones pass by


def _rates(ways: dict[str, tf.data.Dataset], batch_size: int, seconds: float) -> dict[str, float]:
    """Records a second of each way, over `seconds` in rounds, at least a batch a round."""
    iterators = {name: iter(dataset) for name, dataset in ways.items()}
    made, passed = dict.fromkeys(ways, 0), dict.fromkeys(ways, 0.0)
    for _ in range(_ROUNDS):
        for name, batches in iterators.items():
            for _ in range(_WARM_UP_BATCHES):  # what was prefetched while the others ran
                next(batches)
            start = time.perf_counter()
            while True:
                next(batches)
                made[name] += batch_size
                if time.perf_counter() - start >= seconds / _ROUNDS:
                    break
            passed[name] += time.perf_counter() - start
    return {name: made[name] / passed[name] for name in ways}


def _mapped(dataset: tf.data.Dataset, decode, config) -> tf.data.Dataset:
    """Shuffled, decoded and batched like the training pipeline, without end."""
    dataset = dataset.shuffle(_SHUFFLED, config.seed).repeat()
    dataset = dataset.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    dataset = dataset.batch(config.batch_size, drop_remainder=True)
    dataset = dataset.map(lambda *batch: [images.tf_to_float(pixels) for pixels in batch])
    return dataset.prefetch(tf.data.AUTOTUNE)


def decoding_all(shards: list[str], config) -> tf.data.Dataset:
    """Batches for which all 41 images of a record are decoded, and four then chosen."""

    def decode(serialized):
        parsed = records.parse(serialized, ("reference/image", "candidates/image"))
        flat = tf.reshape(parsed["candidates/image"], [-1])  # [40]
        decoded = tf.map_fn(
            lambda jpeg: images.tf_decode(jpeg, config.image_size), flat,
            fn_output_signature=tf.uint8,
        )  # fmt: skip
        reference = images.tf_decode(parsed["reference/image"], config.image_size)
        return reference, tf.gather(decoded, [0, 10, 20, 30])

    return _mapped(tf.data.TFRecordDataset(shards), decode, config)


def loose_files(paths: list[tuple[str, list[list[str]]]], config) -> tf.data.Dataset:
    """Batches for which five image files are opened a record, as the thesis's code does.

    Every candidate lies in a file of its own (`write_files`); a reference's draws pick their paths.
    """
    references = tf.constant([reference for reference, _ in paths])
    candidates = tf.constant([grid for _, grid in paths])  # [N, 4, 10]

    def decode(index):
        draws = tf.random.uniform([4], maxval=records.NUM_CANDIDATES, dtype=tf.int32)
        chosen = tf.gather(candidates[index], draws, axis=1, batch_dims=1)  # [4]
        files = [references[index], *tf.unstack(chosen)]
        decoded = [images.tf_decode(tf.io.read_file(file), config.image_size) for file in files]
        return decoded[0], tf.stack(decoded[1:])

    return _mapped(tf.data.Dataset.range(len(paths)), decode, config)


def write_files(shards: list[str], folder: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """Writes all images of some records; the paths of each: its reference, [4][10] candidates."""
    number = 0
    for shard in shards:
        for raw in records.read_shard(shard):
            record = records.deserialize(raw)
            place = folder / f"{number:06d}"
            place.mkdir()

            def write(name: str, jpeg: bytes, place=place) -> str:
                (place / name).write_bytes(jpeg)
                return str(place / name)

            grid = [
                [write(f"{q}_{k}.jpg", jpeg) for k, jpeg in enumerate(row)]
                for q, row in enumerate(record.candidate_images)
            ]
            yield write("reference.jpg", record.image), grid
            number += 1
            if number == _LOOSE_RECORDS:
                return


def waiting_share(batches: Iterator[dict], step, steps: int) -> float:
    """The share of the time of `steps` training steps that is spent waiting for their batches."""
    machine.wait_for(step(next(batches)))  # traced, and the pipeline filled
    start, waited = time.perf_counter(), 0.0
    for _ in range(steps):
        asked = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - asked
        machine.wait_for(step(batch))
    return waited / (time.perf_counter() - start)


def bytes_a_record(index: RecordIndex, config, batches: int) -> float | None:
    """What this process reads from files for a record, as the system counts it; None: not told."""
    counters = Path("/proc/self/io")
    if not counters.is_file():
        return None

    def so_far() -> int:
        return int(counters.read_text().split("rchar:")[1].split()[0])

    made = iter(_as_it_is(index, config, config.batch_size))
    for _ in range(batches):  # until no more is prefetched than used; tracing reads files as well
        next(made)
    before = so_far()
    for _ in range(batches):
        next(made)
    # A row of the index is mapped into memory, which the system does not count.
    return (so_far() - before) / (batches * config.batch_size) + record_index.ROW.itemsize


def resume_seconds(shards: list[str], config) -> float:
    """From nothing to the first batch of the last step of an epoch of 100,000 records.

    The epoch is made of links to the shards and to their indexes, under as many names as it takes.
    """
    at_hand = len(index_making.open_index(shards))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / record_index.FOLDER).mkdir()
        links = []
        for n in range(-(-_LONG_EPOCH // at_hand)):
            for shard in shards:
                links.append(os.path.join(folder, f"{n:05d}-{Path(shard).name}"))
                os.symlink(os.path.abspath(shard), links[-1])
                os.symlink(
                    os.path.abspath(record_index.path_beside(shard)),
                    record_index.path_beside(links[-1]),
                )
        start = time.perf_counter()
        index = index_making.open_index(links)
        last = record_order.count_steps(len(index), config.batch_size) - 1
        next(iter(_as_it_is(index, config, config.batch_size, first_step=last)))
        return time.perf_counter() - start


def _as_it_is(index: RecordIndex, config, batch_size: int, **settings) -> tf.data.Dataset:
    return pipeline.training_batches(index, config.image_size, batch_size, config.seed, **settings)


def _speeds(shards: list[str], index: RecordIndex, config, seconds: float) -> dict:
    """Records a second of all ways, by their names and `BATCH_SIZES`."""
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        machine.say("writing loose files to compare with")
        paths = list(write_files(shards, Path(folder)))
        for size in (size for size in BATCH_SIZES if size <= len(index)):
            sized = dataclasses.replace(config, batch_size=size)
            ways = {
                "as_it_is": _as_it_is(index, config, size),
                "decoding_all": decoding_all(shards, sized),
                "loose_files": loose_files(paths, sized),
            }
            rates[f"batch_{size}"] = _rates(ways, size, seconds)
            told = ", ".join(f"{rate:.0f} {n}" for n, rate in rates[f"batch_{size}"].items())
            machine.say(f"batches of {size}, records a second: {told}")
            gc.collect()
    return rates


def measure(config, model, steps: int, seconds: float) -> dict:
    """The fields of the JSON line.

    Args:
      config: a `LorbmsConfig` with `records`.
      model: built from it and compiled; its training steps are what input is waited for.
      steps: training steps over which the wait is measured.
      seconds: for each of the three ways to read, at each batch size.

    Raises UserError for records that are missing or do not fit.
    """
    shards = records.find_shards(config.records)
    reading.check_image_size(shards, config.image_size)
    index = index_making.open_index(shards)
    rates = _speeds(shards, index, config, seconds)
    read = bytes_a_record(index, config, batches=max(1, 1000 // config.batch_size))
    resumed = resume_seconds(shards, config)
    machine.say(f"{read} bytes read a record; {resumed:.2f} s to the first batch of a resumed run")
    machine.say("waiting for input in training")
    step = tf.function(model.train_step, autograph=False)
    batches = pipeline.checked(_as_it_is(index, config, config.batch_size), config.records)
    waited = waiting_share(batches, step, steps)
    return {
        "benchmark": "input",
        "records_per_s": rates,
        "times_loose_files": {
            size: rate["as_it_is"] / rate["loose_files"] for size, rate in rates.items()
        },
        "bytes_per_record": read,
        "resume_seconds": resumed,
        "share_of_step_waiting": waited,
        "batch_size": config.batch_size,
        "image_size": config.image_size,
        "records": len(index),
        "steps": steps,
        **machine.described(),
    }
